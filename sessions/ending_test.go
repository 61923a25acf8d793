package sessions

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEndOfSession: a session is ended as the newest event that says how wants it. A restart keeps
// that; a remembered session does not have it.
func TestEndOfSession(t *testing.T) {
	d := newSlowDisk()
	tb := New(Config{}, d)
	end := func() *Ending {
		t.Helper()
		d.writeAll()
		again, err := d.powerCut(Config{})
		if err != nil {
			t.Fatal(err)
		}
		now, then := tb.rows.get(1).End(), again.rows.get(1).End()
		if diff := cmp.Diff(now, then); diff != "" {
			t.Errorf("after a restart:\n%s", diff)
		}
		return now
	}
	start, interim, stop := eventOf("s1", Start, 0), eventOf("s1", Interim, 10), eventOf("s1", Stop, 30)
	start.End = &Ending{PID: 77, ProcessStart: 5, Signal: 15}
	apply(t, tb, start)
	if got := end(); *got != *start.End {
		t.Errorf("%+v", got)
	}
	apply(t, tb, interim)
	if got := end(); *got != *start.End {
		t.Errorf("after an interim that does not say it: %+v", got)
	}
	other := eventOf("s1", Interim, 20)
	other.End = &Ending{Command: "end-tty"}
	apply(t, tb, other)
	if got := end(); *got != *other.End {
		t.Errorf("after an interim that says it: %+v", got)
	}
	apply(t, tb, stop)
	if s := tb.remembered.get(1); s == nil || s.End() != nil {
		t.Errorf("remembered: %+v", s)
	}
}
