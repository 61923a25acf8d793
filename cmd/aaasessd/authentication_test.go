package main

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
)

// passwords is a server that accepts who has this password, with a Class and a User-Name, and rejects
// others.
func passwords(t *testing.T, right string) authAnswer {
	return func(q radius.Packet) (radius.Code, []byte) {
		if passwordOf(t, q) != right {
			return radius.CodeAccessReject, radius.AppendAttribute(nil, radius.ReplyMessage, "no")
		}
		attrs := radius.AppendAttribute(nil, radius.Class, "\x00class")
		return radius.CodeAccessAccept, radius.AppendAttribute(attrs, radius.UserName, valueOf(q, radius.UserName)+"@isp")
	}
}

// TestPasswordLogin: a login with a password is accepted or rejected by the server. It gets the
// password under its own secret, and the NAS its Proxy-State.
func TestPasswordLogin(t *testing.T) {
	s := newAuthServer(t, passwords(t, "a password of more than sixteen octets"))
	l := launch(t, authConfig(t, s), environment{})
	n := l.nas()
	proxy := radius.AppendAttribute(nil, radius.ProxyState, "of the NAS")
	accept := n.must(radius.CodeAccessAccept, n.request("alice", "a password of more than sixteen octets", proxy))
	if valueOf(accept, radius.Class) != "\x00class" || valueOf(accept, radius.UserName) != "alice@isp" || valueOf(accept, radius.ProxyState) != "of the NAS" {
		t.Errorf("the accept is %x", accept.Octets())
	}
	reject := n.must(radius.CodeAccessReject, n.request("mallory", "guess", nil))
	if valueOf(reject, radius.ReplyMessage) != "no" || reject.Has(radius.ProxyState) {
		t.Errorf("the reject is %x", reject.Octets())
	}
	if got := len(s.received()); got != 2 {
		t.Errorf("the server has received %d requests", got)
	}
}

// TestShowLogins: the control socket lists a login until its accounting starts.
func TestShowLogins(t *testing.T) {
	s := newAuthServer(t, passwords(t, "right"))
	l := launch(t, authConfig(t, s), environment{})
	n := l.nas()
	n.must(radius.CodeAccessAccept, n.request("alice", "right", nil))
	list := func() (users string) {
		a, err := l.client().Logins(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range a.Logins {
			users += one.User + " "
		}
		return users
	}
	if got := list(); got != "alice@isp " && got != "alice " {
		t.Errorf("waiting: %q", got)
	}
	l.mustAccount(packet(acctStart, "S1", "alice"))
	if got := list(); got != "" {
		t.Errorf("waiting after the start: %q", got)
	}
}

// eapRounds is a server with rounds rounds of a conversation, whose State counts them.
func eapRounds(name string, rounds int) authAnswer {
	return func(q radius.Packet) (radius.Code, []byte) {
		round := 1
		if state := valueOf(q, radius.State); state != "" {
			of, n, _ := strings.Cut(state, " ")
			if of != name {
				return radius.CodeAccessReject, radius.AppendAttribute(nil, radius.ReplyMessage, "a conversation of "+of)
			}
			round = len(n) + 1
		}
		attrs := radius.AppendAttribute(nil, radius.EAPMessage, "\x03\x01\x00\x04")
		if round == rounds {
			return radius.CodeAccessAccept, attrs
		}
		return radius.CodeAccessChallenge, radius.AppendAttribute(attrs, radius.State, name+" "+strings.Repeat("i", round))
	}
}

// eapRound returns the attributes of a round that answers a challenge.
func eapRound(challenge *radius.Packet) []byte {
	attrs := radius.AppendAttribute(nil, radius.EAPMessage, "\x02\x01\x00\x04")
	if challenge != nil {
		attrs = radius.AppendAttribute(attrs, radius.State, valueOf(*challenge, radius.State))
	}
	return attrs
}

// TestReloadDuringConversation: the rounds of an EAP conversation go to the server that began it,
// whatever a reload changes between them.
func TestReloadDuringConversation(t *testing.T) {
	first, second := newAuthServer(t, eapRounds("first", 4)), newAuthServer(t, eapRounds("second", 4))
	text := with(t, authConfig(t, first, second), "hold-down: 0s}", "hold-down: 0s, access-algorithm: round-robin}")
	l := launch(t, text, environment{})
	n := l.nas()
	for i, change := range []string{
		text, // nothing
		with(t, text, "timeout: 300ms, retransmit: 1", "timeout: 500ms, retransmit: 0"),
		with(t, text, "servers: [a0, a1]", "servers: [a1, a0]"), // a new group
		with(t, text, "{default: {methods: [group isp]}}", "{default: {methods: [group isp]}, other: {methods: [group isp]}}\n  apply: [{clients: [loopback], list: other}]"),
		with(t, text, "disconnect: {port: 3799}", "message-authenticator: auto, disconnect: {port: 3799}"),
	} {
		user := fmt.Sprintf("user%d", i)
		p := n.must(radius.CodeAccessChallenge, n.request(user, "", eapRound(nil)))
		p = n.must(radius.CodeAccessChallenge, n.request(user, "", eapRound(&p)))
		l.reload(change, "configuration loaded")
		p = n.must(radius.CodeAccessChallenge, n.request(user, "", eapRound(&p)))
		n.must(radius.CodeAccessAccept, n.request(user, "", eapRound(&p)))
	}
	if a, b := len(first.received()), len(second.received()); a == 0 || b == 0 || a%4 != 0 || b%4 != 0 || a+b != 20 {
		t.Errorf("the servers have received %d and %d requests", a, b)
	}
}

// TestReloadWithRequestInFlight: a request that waits for its server when a reload removes the group
// is sent to the servers of the new configuration.
func TestReloadWithRequestInFlight(t *testing.T) {
	silent := newAuthServer(t, func(radius.Packet) (radius.Code, []byte) { return 0, nil })
	s := newAuthServer(t, passwords(t, "right"))
	text := with(t, authConfig(t, silent, s), "servers: [a0, a1], timeout: 300ms", "servers: [a0], timeout: 20s")
	l := launch(t, text, environment{})
	n := l.nas()
	answered := make(chan error, 1)
	request := n.request("alice", "right", nil)
	go func() {
		_, err := n.exchange(request, limit)
		answered <- err
	}()
	eventually(t, "the silent server has the request", func() bool { return len(silent.received()) > 0 })
	l.reload(with(t, text, "servers: [a0]", "servers: [a1]"), "configuration loaded")
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// TestBlockedAuthentication: a group that monitors the accounting of another one authenticates nobody
// until that is available (S3). A group whose Accounting-On is only the first record authenticates.
func TestBlockedAuthentication(t *testing.T) {
	s := newAuthServer(t, passwords(t, "right"))
	acct := listen(t, "127.0.0.1:0")
	text := with(t, authConfig(t, s), "  groups:\n", fmt.Sprintf("    - {name: acct, address: 127.0.0.1, acct-port: %s, secret: upstream}\n  groups:\n", portOf(acct.addrPort()))+
		"    - {name: records, servers: [acct], timeout: 100ms, retransmit: 0, hold-down: 0s, acct-on-off: {oper-state-change: true, group: tied}}\n",
		"hold-down: 0s}\nauth", "hold-down: 0s, acct-on-off: {monitor-group: tied}}\n  acct-on-off-groups: [{name: tied}]\nauth")
	acct.setSilent(true)
	l := launch(t, text, environment{})
	n := l.nas()
	if _, err := n.login("alice", "right", 500*time.Millisecond); err == nil {
		t.Error("alice was authenticated, and accounting is not available")
	}
	if got := s.received(); len(got) > 0 {
		t.Errorf("the server has received %d requests", len(got))
	}
	acct.setSilent(false)
	if err := l.d.methods.Perform("group records", true, true, 0); err != nil {
		t.Fatal(err)
	}
	n.must(radius.CodeAccessAccept, n.request("alice", "right", nil))
}

// TestDefaultAuthentication: without a list with methods, Access-Requests are dropped, and the log
// says why.
func TestDefaultAuthentication(t *testing.T) {
	text := with(t, plainConfig, "  clients:", "  authentication: {listen: [\"127.0.0.1:0\"]}\n  clients:", "accounting:\n  network", "authentication: {lists: {default: {methods: []}}}\naccounting:\n  network")
	l := launch(t, text, environment{})
	if _, err := l.nas().login("alice", "right", 300*time.Millisecond); err == nil {
		t.Error("somebody answers")
	}
	eventually(t, "the log says why", func() bool { return strings.Contains(l.log.String(), "no authentication list") })
}

// TestRejectRecord: the stop record of a failed login is on disk before the NAS has the reject.
func TestRejectRecord(t *testing.T) {
	s := newAuthServer(t, passwords(t, "right"))
	l := launch(t, with(t, authConfig(t, s), "  local: {file: records.jsonl}", "  send-stop-record: {authentication-failure: true}\n  local: {file: records.jsonl}"), environment{})
	n := l.nas()
	n.must(radius.CodeAccessReject, n.request("mallory", "guess", nil))
	l.eventuallyRecords("records.jsonl", "Stop 00000001")
	n.must(radius.CodeAccessAccept, n.request("alice", "right", nil))
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.eventuallyRecords("records.jsonl", "Stop 00000001", "Start 00000002")
}

// TestSigningReloaded: a reload changes which packets must have a Message-Authenticator.
func TestSigningReloaded(t *testing.T) {
	s := newAuthServer(t, passwords(t, "right"))
	text := authConfig(t, s)
	l := launch(t, text, environment{})
	n := l.nas()
	unsigned := func() []byte {
		b := n.request("alice", "right", nil)
		b = slices.Delete(b, radius.HeaderLen, radius.HeaderLen+2+radius.AuthLen)
		b[2], b[3] = byte(len(b)>>8), byte(len(b))
		return b
	}
	if _, err := n.exchange(unsigned(), 300*time.Millisecond); err == nil {
		t.Error("a request without Message-Authenticator was answered")
	}
	l.reload(with(t, text, "disconnect: {port: 3799}", "message-authenticator: legacy, disconnect: {port: 3799}"), "configuration loaded")
	if !strings.Contains(l.log.String(), "CVE-2024-3596") {
		t.Error("there is no warning of the client")
	}
	n.must(radius.CodeAccessAccept, unsigned())
	l.reload(text, "configuration loaded")
	if p, err := n.exchange(unsigned(), 300*time.Millisecond); err == nil {
		t.Errorf("a request without Message-Authenticator was answered: %s", hex.EncodeToString(p.Octets()))
	}
}
