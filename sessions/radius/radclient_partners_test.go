//go:build partners

package radius

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions/radius/radiustest"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius/captured"
)

// radclient runs radclient as a NAS; it checks the authenticators of the answers. Empty lines
// separate the records. kind is acct, auth or status.
func radclient(t *testing.T, to netip.AddrPort, kind, secret, records string, flags ...string) (output string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "radclient", append(flags, to.String(), kind, secret)...)
	cmd.Stdin = strings.NewReader(records)
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited || ctx.Err() != nil {
		t.Fatalf("radclient: %v %v\n%s", err, ctx.Err(), out)
	}
	return string(out), err
}

// acknowledgeAll calls done for each event at once, from its own goroutine, and returns the events.
func acknowledgeAll(t *testing.T, sink recorder) <-chan []report {
	t.Helper()
	all := make(chan []report, 1)
	go func() {
		var list []report
		for call := range sink {
			call.done(nil)
			list = append(list, call)
		}
		all <- list
	}()
	return all
}

func TestRadclientSession(t *testing.T) {
	sink := newRecorder()
	all := acknowledgeAll(t, sink)
	l := startListener(t, sink, "127.0.0.1:0", local())
	const who = "User-Name = \"alice\", NAS-Identifier = \"bras1\", Acct-Session-Id = \"0A\", Proxy-State = 0x6162, "
	const records = "Acct-Status-Type = Accounting-On, NAS-Identifier = \"bras1\"\n\n" +
		who + "Acct-Status-Type = Start\n\n" +
		who + "Acct-Status-Type = Interim-Update, Acct-Session-Time = 60, Acct-Input-Octets = 1\n\n" +
		who + "Acct-Status-Type = Stop, Acct-Session-Time = 90, Acct-Input-Octets = 2, Message-Authenticator = 0x00\n"
	out, err := radclient(t, l.Addr(), "acct", string(captured.Secret), records, "-x", "-r", "1", "-t", "5", "-p", "1")
	if err != nil || strings.Count(out, "Received Accounting-Response") != 4 {
		t.Errorf("%v\n%s", err, out)
	}
	if strings.Count(out, "Proxy-State = 0x6162") != 6 {
		t.Errorf("Proxy-State is not in each of three requests and responses:\n%s", out)
	}
	l.stop()
	close(sink)
	var got []string
	for _, c := range <-all {
		got = append(got, fmt.Sprintf("%v %v %s %d %s", c.event.Type, c.event.NAS, c.event.AcctSessionID, c.event.Usage.InputOctets, c.event.Attrs.Text(radius.UserName)))
	}
	want := []string{
		"Accounting-On bras1@127.0.0.1  0 ", "Start bras1@127.0.0.1 0A 0 alice",
		"Interim-Update bras1@127.0.0.1 0A 1 alice", "Stop bras1@127.0.0.1 0A 2 alice",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRadclientMany(t *testing.T) {
	const many = 2000
	sink := newRecorder()
	all := acknowledgeAll(t, sink)
	l := startListener(t, sink, "127.0.0.1:0", local())
	var records strings.Builder
	for i := range many {
		fmt.Fprintf(&records, "Acct-Status-Type = Start, User-Name = \"u%d\", Acct-Session-Id = \"%d\"\n\n", i, i)
	}
	out, err := radclient(t, l.Addr(), "acct", string(captured.Secret), records.String(), "-q", "-s", "-r", "3", "-t", "3", "-p", "100")
	if err != nil || !strings.Contains(strings.Join(strings.Fields(out), " "), "Accepted : 2000 Rejected : 0 Lost : 0") {
		t.Errorf("%v\n%s", err, out)
	}
	l.stop()
	close(sink)
	seen := map[string]bool{}
	for _, c := range <-all {
		seen[c.event.AcctSessionID] = true
	}
	if len(seen) != many {
		t.Errorf("%d sessions, want %d", len(seen), many)
	}
}

func TestRadclientWrongSecret(t *testing.T) {
	sink := newRecorder()
	l := startListener(t, sink, "127.0.0.1:0", local())
	out, err := radclient(t, l.Addr(), "acct", "wrong", "Acct-Status-Type = Start, Acct-Session-Id = \"1\"\n", "-x", "-r", "2", "-t", "0.2")
	if err == nil || !strings.Contains(out, "No reply from server") {
		t.Errorf("%v\n%s", err, out)
	}
	if got := l.Stats().BadAuthenticators; got != 2 || len(sink) > 0 {
		t.Errorf("%d wrong authenticators, want 2; the sink was called %d times", got, len(sink))
	}
}

// TestRadclientRetransmission: the first copy does not become durable, the second takes long, and
// the third is a duplicate.
func TestRadclientRetransmission(t *testing.T) {
	sink := newRecorder()
	l := startListener(t, sink, "127.0.0.1:0", local())
	type result struct {
		out string
		err error
	}
	ended := make(chan result, 1)
	go func() {
		out, err := radclient(t, l.Addr(), "acct", string(captured.Secret), "Acct-Status-Type = Start, Acct-Session-Id = \"1\"\n", "-x", "-r", "10", "-t", "0.2")
		ended <- result{out, err}
	}()
	sink.next(t).done(errBusy)
	second := sink.next(t)
	radiustest.WaitFor(t, func() bool { return l.Stats().Duplicates > 0 })
	second.done(nil)
	if r := <-ended; r.err != nil || !strings.Contains(r.out, "Received Accounting-Response") {
		t.Errorf("%v\n%s", r.err, r.out)
	}
	if len(sink) > 0 {
		t.Error("the sink was called a third time")
	}
}

// gatekeeper is a Relay that accepts every user but mallory, with a Reply-Message.
type gatekeeper struct{}

func (gatekeeper) Relay(q *AccessRequest) {
	code := radius.CodeAccessAccept
	if radius.Attributes(q.Packet.Attributes()).Text(radius.UserName) == "mallory" {
		code = radius.CodeAccessReject
	}
	q.Answer(code, []byte(attr(radius.ReplyMessage, "hello")))
}

func (gatekeeper) Accepting() error { return nil }

// TestRadclientLogins: radclient accepts the signatures of our answers, and we those of its requests.
func TestRadclientLogins(t *testing.T) {
	const who = "User-Password = hello, NAS-Identifier = bras1, Proxy-State = 0x6162, User-Name = "
	const signed = ", Message-Authenticator = 0x00"
	for _, tt := range []struct {
		name, kind, record string
		signing            radius.Signing
		answer             string
	}{
		{"accepted", "auth", who + "alice" + signed, radius.SigningRequired, "Received Access-Accept"},
		{"rejected", "auth", who + "mallory" + signed, radius.SigningRequired, "Received Access-Reject"},
		{"not signed", "auth", who + "alice", radius.SigningRequired, "No reply from server"},
		{"not signed, of a legacy client", "auth", who + "alice", radius.SigningLegacy, "Received Access-Accept"},
		{"EAP not signed, of a legacy client", "auth", who + "alice, EAP-Message = 0x0201000501", radius.SigningLegacy, "No reply from server"},
		{"Status-Server", "status", "Message-Authenticator = 0x00", radius.SigningRequired, "Received Access-Accept"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := startAuth(t, gatekeeper{}, "127.0.0.1:0", withSigning(tt.signing))
			out, _ := radclient(t, l.Addr(), tt.kind, string(captured.Secret), tt.record+"\n", "-x", "-r", "2", "-t", "0.3")
			if !strings.Contains(out, tt.answer) {
				t.Errorf("no %q:\n%s", tt.answer, out)
			}
			if _, answer, ok := strings.Cut(out, "Received Access-"); ok && tt.kind == "auth" {
				for _, want := range []string{"Message-Authenticator = 0x", "Proxy-State = 0x6162", `Reply-Message = "hello"`} {
					if !strings.Contains(answer, want) {
						t.Errorf("no %s in the answer:\n%s", want, out)
					}
				}
			}
		})
	}
}
