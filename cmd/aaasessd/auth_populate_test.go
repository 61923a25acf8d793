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
	user := "user"
	eventually(t, "a user has a row", func() bool { // not before the first numbers are reserved on disk
		user += "x"
		n.must(radius.CodeAccessAccept, n.request(user, "right", nil))
		return rows() == 1
	})
	id := l.d.table.View().EntryFrom(1).ID.String()
	l.mustAccount(packet(acctStart, "S1", user))
	l.eventuallyRecords("records.jsonl", "Start "+id)
	if got := rows(); got != 1 {
		t.Errorf("%d rows after the start", got)
	}
	l.reload(text, "configuration loaded")
	n.must(radius.CodeAccessAccept, n.request("bob", "right", nil))
	if got := rows(); got != 1 {
		t.Errorf("%d rows after an accept that makes none", got)
	}
}
