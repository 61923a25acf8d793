package sessions_test

import (
	"errors"
	"testing"

	"aaasess/sessions"
)

// TestAccepting: the table accepts events as long as its journal accepts changes.
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
