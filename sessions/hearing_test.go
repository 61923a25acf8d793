package sessions_test

import (
	"errors"
	"testing"
	"time"

	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
	"aaasess/sessions/silence"
)

// TestEndStale: EndStale ends the sessions that were not heard of since they were found stale.
func TestEndStale(t *testing.T) {
	w := newWorld(t)
	for _, sid := range []string{"silent", "heard", "marked", "ended"} {
		w.send(report{typ: start, sid: sid})
	}
	w.disconnect(3)
	found := make([]sessions.StaleSession, 0, 5)
	for row := range w.View().All() {
		found = append(found, sessions.StaleSession{ID: row.ID, Heard: row.Silence.Heard})
	}
	found = append(found, sessions.StaleSession{ID: 99})
	w.sleep(10 * sec)
	w.send(report{typ: interim, sid: "heard", octets: mb})
	w.send(report{typ: stop, sid: "ended", octets: mb})
	var ended []*sessions.Session
	sessionstest.Await(t, func(done func(error)) (err error) {
		ended, err = w.EndStale(found, done)
		return err
	})
	if len(ended) != 2 || ended[0].ID != 1 || ended[1].ID != 3 {
		t.Fatalf("%v", ended)
	}
	for i, want := range []uint32{sessions.CauseLostCarrier, sessions.CauseAdminReset} {
		notices := w.journal.Notices()
		if n := notices[len(notices)-2+i]; n.Type != stop || n.Cause != want {
			t.Errorf("%+v, want a stop with cause %d", n, want)
		}
	}
	w.journal.Refuse(errors.New("no room"))
	if _, err := w.EndStale(found, nil); err == nil {
		t.Error("no error of the journal")
	}
}

// TestSilence: what is known of the packets of a session continues over a restart, in which no time
// passes on its clock. After its end and return, it is learned anew.
func TestSilence(t *testing.T) {
	w := newWorld(t)
	want := func(when string, want silence.Record) {
		t.Helper()
		if got := w.View().Get(1).Silence; got != want {
			t.Errorf("%s: %+v, want %+v", when, got, want)
		}
	}
	tick := func(n int) {
		for range n {
			w.sleep(10 * sec)
		}
	}
	tick(1)
	w.send(report{typ: start, sid: "a", octets: 0})
	want("start", silence.Record{Heard: 10, Mark: 10})
	tick(30)
	w.send(report{typ: interim, sid: "a", octets: mb})
	want("interim", silence.Record{Heard: 310, Mark: 310, Gap: 300, Alike: 1})
	w.elapsed += 24 * time.Hour
	w.restart()
	want("a day later", silence.Record{Heard: 310, Mark: 310, Gap: 300, Alike: 1})
	if now := w.HeardTime(); now != 310 {
		t.Errorf("%d s, want 310", now)
	}
	for i := range 3 {
		tick(30)
		w.send(report{typ: interim, sid: "a", octets: (2 + i) * mb})
	}
	want("after that", silence.Record{Heard: 1210, Mark: 1210, Gap: 300, Interval: 300, Alike: 4})
	w.endStale(1)
	tick(1)
	w.send(report{typ: interim, sid: "a", octets: 5 * mb})
	want("it returns", silence.Record{Heard: 1220, Mark: 1220})
}
