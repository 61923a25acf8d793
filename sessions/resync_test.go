package sessions_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// told is the state of a resync in a test: it is stored under the key "y".
type told struct {
	next   sessions.ID
	before sessions.Stamp
}

// resyncPart makes a part of a resync, of at most n notices. The error is that of Resync.
func (w *world) resyncPart(p *told, typ sessions.EventType, rows, n int) (err error) {
	w.t.Helper()
	var next sessions.ID
	done := make(chan error, 1)
	err = w.Resync(&sessions.Resync{
		Method: "group isp", From: p.next, Before: p.before, Rows: rows, Notices: n,
		Type: func(*sessions.Session) sessions.EventType { return typ },
		State: func(id sessions.ID) sessions.Put {
			next = id
			return sessions.Put{Key: []byte("y"), Value: fmt.Append(nil, id)}
		},
	}, func(err error) { done <- err })
	if err == nil {
		err = <-done
		p.next = next
	}
	return err
}

// again returns the sessions that were told again, in order.
func (w *world) again() (ids []sessions.ID) {
	for _, n := range w.journal.Notices() {
		if n.Only != "" {
			ids = append(ids, n.Session.ID)
		}
	}
	return ids
}

// stored returns the stored state of the resync.
func (w *world) stored() (next string) {
	w.t.Helper()
	err := w.journal.Load(func(key, value []byte) error {
		if string(key) == "y" {
			next = string(value)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return next
}

// TestResyncNotices: what the notices of a resync tell.
func TestResyncNotices(t *testing.T) {
	w := newWorld(t)
	w.send(report{typ: start, stamp: 0, addr: "10.0.0.1", delay: 5})
	began := w.wall.Add(-5 * time.Second)
	w.sleep(time.Minute)
	w.step(time.Hour) // of the host's clock
	for typ, want := range map[sessions.EventType]sessions.Notice{
		start:   {Type: start, At: began.Add(time.Hour), Only: "group isp"},
		interim: {Type: interim, At: w.wall, Lasted: 65 * time.Second, Only: "group isp"},
	} {
		before := len(w.journal.Notices())
		p := told{1, w.Clock()}
		if err := w.resyncPart(&p, typ, 10, 10); err != nil || p.next != 0 {
			t.Fatal(p, err)
		}
		got := w.journal.Notices()[before:]
		if len(got) != 1 || got[0].Session.ID != 1 || got[0].Session.IPv4 == 0 {
			t.Fatalf("%s: %+v", typ, got)
		}
		got[0].Session = nil
		if diff := cmp.Diff([]sessions.Notice{want}, got); diff != "" {
			t.Errorf("%s: want (-), got (+):\n%s", typ, diff)
		}
		if typ == interim && w.View().Get(1).Told().IsZero() {
			t.Error("the session does not keep that it was told of")
		}
	}
	w.clear(1)
	if n := w.journal.Notices(); n[len(n)-1].Lasted < 65*time.Second {
		t.Errorf("the stop tells less than the interim: %v", n[len(n)-1].Lasted)
	}
}

// TestResyncParts: a part ends with its sessions or notices, and the next one continues. Sessions
// that began since, also after the ids have wrapped, and those that have ended get nothing.
func TestResyncParts(t *testing.T) {
	w := newWorld(t)
	sid := 0
	begin := func(n int) {
		for range n {
			sid++
			w.send(report{typ: start, sid: fmt.Sprint(sid)})
		}
	}
	begin(5)
	w.SetLastID(1<<32 - 3)
	begin(2) // 4294967294 and 4294967295
	w.sleep(time.Second)
	p := told{1, w.Clock()}
	begin(4) // 6 to 9, after the wrap
	w.send(report{typ: stop, sid: "2"})

	step := func(rows, n int, next sessions.ID, want ...sessions.ID) {
		t.Helper()
		before := len(w.again())
		if err := w.resyncPart(&p, start, rows, n); err != nil {
			t.Fatal(err)
		}
		if got := w.again()[before:]; !slices.Equal(got, want) || p.next != next || w.stored() != fmt.Sprint(next) {
			t.Errorf("%v, and then %d, stored %s; want %v, %d", got, p.next, w.stored(), want, next)
		}
	}
	step(10, 2, 4, 1, 3)
	step(1, 2, 5, 4)
	step(3, 9, 8, 5)
	step(2, 9, 10)
	w.journal.Refuse(errors.New("full"))
	if err := w.resyncPart(&p, start, 9, 9); err == nil || p.next != 10 {
		t.Errorf("while nothing is accepted: %v, next %d", err, p.next)
	}
	step(0, 0, 10) // only the state
	w.journal.Refuse(nil)
	step(9, 9, 0, 1<<32-2, 1<<32-1)
	if err := w.Invariants(); err != nil {
		t.Error(err)
	}
}

// TestResyncClosing: a session that an Accounting-On has ended gets nothing, even if Run has not
// come to it yet.
func TestResyncClosing(t *testing.T) {
	w := newWorld(t)
	for i := range 40 {
		w.send(report{typ: start, sid: fmt.Sprint(i)})
	}
	w.sleep(time.Minute)
	w.send(report{typ: sessions.On})
	p := told{1, w.Clock()}
	if err := w.resyncPart(&p, start, 100, 100); err != nil {
		t.Fatal(err)
	}
	if got := w.again(); len(got) > 0 {
		t.Errorf("told again: %v", got)
	}
}

// TestResyncOrder: whatever happens meanwhile, each session that lives from the beginning to the end
// of a resync is told of once, in the order of the ids, and no session after its stop.
func TestResyncOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		begun := 0
		begin := func(*rapid.T) {
			begun++
			w.send(report{typ: start, sid: fmt.Sprint(begun)})
		}
		for range rapid.IntRange(0, 20).Draw(rt, "sessions") {
			begin(rt)
		}
		w.sleep(time.Second)
		p, stayed := told{1, w.Clock()}, map[sessions.ID]bool{}
		for _, id := range w.rows() {
			stayed[id] = true
		}
		part := func(rt *rapid.T) {
			if p.next == 0 {
				return
			}
			typ := rapid.SampledFrom([]sessions.EventType{start, interim}).Draw(rt, "type")
			if err := w.resyncPart(&p, typ, rapid.IntRange(1, 6).Draw(rt, "rows"), rapid.IntRange(1, 4).Draw(rt, "notices")); err != nil {
				rt.Fatal(err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"start": begin,
			"part":  part,
			"stop": func(rt *rapid.T) {
				if ids := w.rows(); len(ids) > 0 {
					id := rapid.SampledFrom(ids).Draw(rt, "id")
					w.send(report{typ: stop, sid: w.View().Get(id).AcctSessionID(), time: 1})
					if p.next != 0 {
						delete(stayed, id)
					}
				}
			},
			"restart": func(*rapid.T) {
				w.restart()
				if next := w.stored(); next != "" && next != fmt.Sprint(p.next) {
					rt.Fatalf("stored %s, want %d", next, p.next)
				}
			},
		})
		for p.next != 0 {
			part(rt)
		}
		got := w.again()
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			rt.Fatalf("told again: %v", got)
		}
		for id := range stayed {
			if !slices.Contains(got, id) {
				rt.Fatalf("session %d was not told again; of %v, told %v", id, slices.Sorted(maps.Keys(stayed)), got)
			}
		}
		stopped := map[sessions.ID]bool{}
		for _, n := range w.journal.Notices() {
			if n.Only != "" && stopped[n.Session.ID] {
				rt.Fatalf("session %d was told again after its stop", n.Session.ID)
			}
			stopped[n.Session.ID] = stopped[n.Session.ID] || n.Type == stop
		}
	})
}

// patienceJournal notes which changes are patient.
type patienceJournal struct {
	*sessionstest.Journal
	patient []bool
}

func (j *patienceJournal) Commit(c sessions.Change, done func(error)) {
	j.patient = append(j.patient, c.Patient)
	j.Journal.Commit(c, done)
}

// TestResyncPatience: a part may wait for the changes of NASes, the begin and the end of a resync may not,
// because an operator waits for them.
func TestResyncPatience(t *testing.T) {
	j := &patienceJournal{Journal: sessionstest.NewJournal()}
	defer j.Close()
	table := sessions.New(sessions.Config{}, j)
	for _, rows := range []int{0, 10} {
		err := table.Resync(&sessions.Resync{
			Method: "group isp", Rows: rows, Notices: 1, State: func(sessions.ID) sessions.Put { return sessions.Put{Key: []byte("y")} },
		}, func(error) {})
		if err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(j.patient, []bool{false, true}) {
		t.Errorf("patient: %v", j.patient)
	}
}
