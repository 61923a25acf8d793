package local

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	localreport "aaasess/sessions/local/report"
)

const tun = `"source":"openvpn","session":"tun0-1"`

// TestLifeOfASession: what a session's reports answer, and what is accounted.
func TestLifeOfASession(t *testing.T) {
	w := newWorld(t)
	r := w.must(ann, localreport.Start, `{`+tun+`,"user":"alice","address":"10.8.0.2","callingStation":"192.0.2.1"}`)
	if want := (described{ID: "00000001", Name: "openvpn/tun0-1", State: "active", User: "alice", Kind: "network", Address: 0x0a080002}); r.described != want {
		t.Errorf("start: %+v, want %+v", r.described, want)
	}
	w.clock = w.clock.Add(100 * time.Second)
	if r = w.must(ann, localreport.Update, `{`+tun+`,"inputOctets":5000000000,"address":"10.8.0.9"}`); r.Octets != 5_000_000_000 || r.Lasted != 100 || r.Address != 0x0a080009 {
		t.Errorf("update: %+v", r.described)
	}
	w.clock = w.clock.Add(100 * time.Second)
	if r = w.must(ann, localreport.Stop, `{`+tun+`,"inputOctets":6000000000,"terminateCause":"User-Request"}`); r.State != "ended" || r.Lasted != 200 || r.User != "alice" {
		t.Errorf("stop: %+v", r.described)
	}
	w.wantAccounted("Start 1", "Interim-Update 1", "Stop 1")
	n := w.journal.Notices()[2]
	if got := attributes(n.Attrs); !strings.Contains(got, "Acct-Terminate-Cause=User-Request") || !strings.Contains(got, "Acct-Input-Gigawords=1") {
		t.Errorf("stop has %s", got)
	}
	if n.Lasted != 200*time.Second {
		t.Errorf("the stop says %v", n.Lasted)
	}
}

// attributes prints attributes in their order.
func attributes(a radius.Attributes) string {
	var out []string
	for p := range radius.Standard().Print(a) {
		out = append(out, p.Name+"="+p.Text)
	}
	return strings.Join(out, " ")
}

// TestAttributes: each member of a report in its attribute.
func TestAttributes(t *testing.T) {
	w := newWorld(t)
	w.must(ann, localreport.Start, `{`+tun+`,"kind":"exec","at":"2026-01-02T03:04:00Z","user":"älice","address":"::ffff:10.8.0.2",
		"ipv6Addresses":["2001:db8::5"],"ipv6Prefixes":["2001:db8:1::/64"],"delegatedPrefixes":["2001:db8:2::/56"],
		"callingStation":"192.0.2.1","calledStation":"vpn","nasPort":0,"nasPortId":"tun0","service":"gold","parentSession":"p7",
		"attributes":[{"name":"NAS-Port-Type","value":"Virtual"},{"name":"Class","value":"0x01ff"}]}`)
	const want = "User-Name=älice NAS-Identifier=host-1 NAS-Port=0 NAS-Port-Id=tun0 Acct-Session-Id=openvpn/tun0-1 Calling-Station-Id=192.0.2.1 " +
		"Called-Station-Id=vpn Service-Type=NAS-Prompt-User Framed-IP-Address=10.8.0.2 Framed-IPv6-Address=2001:db8::5 Framed-IPv6-Prefix=2001:db8:1::/64 " +
		"Delegated-IPv6-Prefix=2001:db8:2::/56 Cisco-Service-Info=Ngold Cisco-AVPair=parent-session-id=openvpn/p7 " +
		"NAS-Port-Type=Virtual Class=0x01ff Event-Timestamp=2026-01-02T03:04:00Z"
	n := w.journal.Notices()[0]
	if got := attributes(n.Attrs); got != want {
		t.Errorf("attributes\n%s\nwant\n%s", got, want)
	}
	if s := n.Session; s.Kind != sessions.Exec || s.StartTimestamp != uint32(time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC).Unix()) {
		t.Errorf("session %+v", s)
	}
}

// TestCounterAttributes: octets have 64 bits, packets the low 32.
func TestCounterAttributes(t *testing.T) {
	w := newWorld(t)
	w.must(ann, localreport.Start, `{`+tun+`,"user":"a"}`)
	w.must(ann, localreport.Update, `{`+tun+`,"sessionTime":3,"inputOctets":4294967297,"outputOctets":2,"inputPackets":4294967299,"outputPackets":4}`)
	const want = "NAS-Identifier=host-1 Acct-Session-Id=openvpn/tun0-1 Acct-Input-Octets=1 Acct-Input-Gigawords=1 Acct-Output-Octets=2 Acct-Output-Gigawords=0 " +
		"Acct-Input-Packets=3 Acct-Output-Packets=4 Acct-Session-Time=3"
	if got := attributes(w.journal.Notices()[1].Attrs); got != want {
		t.Errorf("attributes\n%s\nwant\n%s", got, want)
	}
}

// TestEventsWithoutSession: commands and failed logins.
func TestEventsWithoutSession(t *testing.T) {
	tests := []struct {
		name, body, want string
		verb             localreport.Verb
	}{
		{"a command", `{"source":"sudo","session":"7","user":"al","level":15,"text":"enable secret s3cret"}`, "Acct-Status-Type=Stop Cisco-AVPair=priv-lvl=15 Cisco-AVPair=cmd=enable secret *", localreport.Command},
		{"a failed login", `{"source":"sshd","session":"7","user":"al","kind":"exec"}`, "Acct-Terminate-Cause=User-Error", localreport.Fail},
		{"an accepted user", `{"source":"sshd","session":"7","user":"al","accepted":true}`, "Acct-Terminate-Cause=Service-Unavailable", localreport.Fail},
		{"with a cause", `{"source":"sshd","session":"7","user":"al","terminateCause":"15"}`, "Acct-Terminate-Cause=Service-Unavailable", localreport.Fail},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			if r := w.must(ann, tt.verb, tt.body); r.answer.ID != "00000001" || r.answer.Session != nil {
				t.Errorf("answer %s", r.Body)
			}
			w.wantAccounted("Stop 1")
			if got := attributes(w.journal.Notices()[0].Attrs); !strings.Contains(got, tt.want) {
				t.Errorf("%s lacks %s", got, tt.want)
			}
			if n := w.table.View().Len(); n != 0 {
				t.Errorf("%d rows", n)
			}
		})
	}
}

func TestNoListNoNumber(t *testing.T) {
	w := newWorld(t)
	w.journal.RouteBy(func(*sessions.Session) string { return "" })
	if r := w.must(ann, localreport.Command, `{"source":"sudo","session":"7","text":"ls"}`); r.Body.String() != "{}\n" {
		t.Errorf("answer %s", r.Body)
	}
}

// TestCall: a call has failed if no session began on its line.
func TestCall(t *testing.T) {
	for _, reached := range []bool{false, true} {
		t.Run(fmt.Sprint("reached ", reached), func(t *testing.T) {
			w := newWorld(t)
			const call = `{"source":"pppd","session":"c1","nasPort":3`
			if r := w.must(ann, localreport.Call, call+`}`); r.Kind != "resource" || w.table.Calls() != 1 {
				t.Errorf("set up: %+v", r.described)
			}
			if reached {
				w.must(ann, localreport.Start, `{"source":"pppd","session":"s1","nasPort":3,"user":"alice"}`)
			}
			w.must(ann, localreport.Call, call+`,"stop":true,"terminateCause":"Lost-Carrier"}`)
			notices := w.journal.Notices()
			if got := notices[len(notices)-1].CallFailed(); got == reached || w.table.Calls() != 0 {
				t.Errorf("failed: %t", got)
			}
		})
	}
}

// TestRefusedByTheStore: 503 with Retry-After, and nothing has changed.
func TestRefusedByTheStore(t *testing.T) {
	w := newWorld(t)
	w.journal.Refuse(fmt.Errorf("the disk is full"))
	for verb, body := range map[localreport.Verb]string{
		localreport.Start: `{` + tun + `,"user":"a"}`, localreport.Command: `{` + tun + `,"text":"ls"}`,
	} {
		if r := w.report(ann, verb, body, localreport.KeyHeader, "k"); r.Code != http.StatusServiceUnavailable || r.Header().Get("Retry-After") == "" || !strings.Contains(r.problem.Detail, "full") {
			t.Errorf("%s: %d %s", verb, r.Code, r.Body)
		}
	}
	w.wantAccounted()
	w.journal.Refuse(nil) // a refused report leaves no key
	w.must(ann, localreport.Start, `{`+tun+`,"user":"a"}`, localreport.KeyHeader, "k")
	w.wantAccounted("Start 1")
}

// TestAnsweredWhenDurable: while the disk is slow there is no answer.
func TestAnsweredWhenDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.journal.Hold(true)
		answered := make(chan reply, 1)
		go func() { answered <- w.report(ann, localreport.Start, `{`+tun+`,"user":"a"}`) }()
		synctest.Wait()
		if len(answered) != 0 {
			t.Error("answered before it was durable")
		}
		w.journal.Hold(false)
		if r := <-answered; r.Code != http.StatusOK {
			t.Errorf("%d %s", r.Code, r.Body)
		}
		w.wantAccounted("Start 1")
	})
}

// TestFailedCommit: a commit that fails is not answered as done.
func TestFailedCommit(t *testing.T) {
	w := newWorld(t)
	w.journal.Fail(fmt.Errorf("I/O error"))
	if r := w.report(ann, localreport.Start, `{`+tun+`,"user":"a"}`); r.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", r.Code, r.Body)
	}
}
