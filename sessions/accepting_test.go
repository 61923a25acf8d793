package sessions_test

import (
	"errors"
	"testing"

	"aaasess/sessions"
)

// TestAccepting: the table would take an event as long as its journal takes changes.
func TestAccepting(t *testing.T) {
	f := newFixture(t, sessions.Config{})
	if err := f.Accepting(); err != nil {
		t.Errorf("error %v", err)
	}
	full := errors.New("full")
	f.journal.Refuse(full)
	if err := f.Accepting(); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}
