package main

import (
	"testing"

	"aaasess/internal/radius"
)

// TestPopulateAtSetup: with session-mib-populate: setup, a user has a row from the Access-Accept on,
// which the session keeps. A reload changes the key.
func TestPopulateAtSetup(t *testing.T) {
	s := newAuthServer(t, passwords(t, "right"))
	text := authConfig(t, s)
	l := launch(t, with(t, text, "session-mib-disconnect: true", "session-mib-disconnect: true, session-mib-populate: setup"), environment{})
	n := l.nas()
	rows := func() int { return l.d.table.View().Entries() }
	n.must(radius.CodeAccessAccept, n.request("alice", "right", nil))
	eventually(t, "alice has a row", func() bool { return rows() == 1 })
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.eventuallyRecords("records.jsonl", "Start 00000001")
	if got := rows(); got != 1 {
		t.Errorf("%d rows after the start", got)
	}
	l.reload(text, "configuration loaded")
	n.must(radius.CodeAccessAccept, n.request("bob", "right", nil))
	if got := rows(); got != 1 {
		t.Errorf("%d rows after an accept that makes none", got)
	}
}
