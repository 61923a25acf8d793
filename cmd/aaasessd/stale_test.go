package main

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	layeh "layeh.com/radius"

	"aaasess/cmd/internal/api"
	"aaasess/sessions/radius/radiustest"
)

// accountFrom sends packets from an address of this host, and waits for their answers.
func (l *inProcess) accountFrom(addr string, packets ...*layeh.Packet) {
	l.t.Helper()
	for _, p := range packets {
		if _, err := radiustest.Account(l.t.Context(), netip.AddrPortFrom(netip.MustParseAddr(addr), 0), l.d.listener.Addr(), p); err != nil {
			l.t.Fatalf("no answer: %v", err)
		}
	}
}

// TestStaleSession: a session whose NAS says nothing for sessions.stale.max-age ends, with a stop record and
// a line of the log; one of a client with a limit of its own does not, until a reload shortens that.
func TestStaleSession(t *testing.T) {
	own := func(limit string) string {
		return with(t, plainConfig, "sessions: {", "sessions: {stale: {max-age: 1s}, ",
			"  clients:\n", "  clients:\n    - {name: patient, address: 127.0.0.9, secret: \"nas secret\", stale: {max-age: "+limit+"}}\n")
	}
	l := launch(t, own("0s"), environment{beat: 10 * time.Millisecond})
	l.accountFrom("127.0.0.9", packet(acctStart, "kept", "bob"))
	l.accountFrom("127.0.0.1", packet(acctStart, "silent", "alice"))
	ended := func(want string) {
		t.Helper()
		var got string
		eventually(t, "the status is "+want, func() bool {
			status, err := l.client().Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = fmt.Sprintf("%d sessions, %s", status.Entries, status.Sections[api.StaleSection])
			return got == want
		}, &got)
	}
	ended(`1 sessions, {"ended":1}`)
	l.eventuallyRecordsInAnyOrder("records.jsonl", "Start 00000001", "Start 00000002", "Stop 00000002")
	if log := l.log.String(); strings.Count(log, "session is stale, making the stop record") != 1 || !strings.Contains(log, "session=00000002 user=alice") {
		t.Errorf("the log: %s", log)
	}
	l.reload(own("1s"), "configuration loaded")
	ended(`0 sessions, {"ended":2}`)
	l.eventuallyRecordsInAnyOrder("records.jsonl", "Start 00000001", "Start 00000002", "Stop 00000002", "Stop 00000001")
}
