package delivery

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/sessions"
	"aaasess/store"

	"pgregory.net/rapid"

	"aaasess/accounting"
	"aaasess/internal/retry"
)

// Records are appended while a method comes, goes, is held, or restarts. Per session, in order:
// every start, stop and Other arrives. Of each run of interims at least the last arrives, unless
// the stop follows it. Records that are appended while the method is up all arrive.
func TestSupersedeModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		events := rapid.SliceOfN(rapid.IntRange(0, 22), 1, 80).Draw(rt, "events")
		backoff := rapid.SampledFrom([]int{0, 2, 40}).Draw(rt, "backoff")
		loaded := rapid.SampledFrom([]int{4, 64}).Draw(rt, "loaded")
		synctest.Test(t, func(t *testing.T) {
			b := &bubble{T: t, disk: store.NewDisk()}
			b.newProcess()
			b.store = openStore(t, b.disk)
			w := &arrivalModel{
				bubble: b, rt: rt, cfg: setup{Loaded: loaded, Rounds: 1},
				schedule: retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Minute, BackoffRetry: backoff},
				appended: map[sessions.ID][]appended{}, arrived: map[sessions.ID][]int64{},
			}
			w.start()
			for _, ev := range events {
				w.event(ev)
			}
			w.up.Store(true)
			w.target.SetHold(Open)
			b.advance(3 * time.Minute)
			b.stop()
			w.check()
			if err := b.store.Close(); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// arrivalModel is a server that comes and goes, and the records that it should get.
type arrivalModel struct {
	*bubble
	rt       *rapid.T
	cfg      setup
	schedule retry.Schedule
	target   *member
	up       atomic.Bool
	hold     Hold
	process  atomic.Int64
	serial   int64
	appended map[sessions.ID][]appended
	mu       sync.Mutex // guards arrived
	arrived  map[sessions.ID][]int64
}

type appended struct {
	serial     int64
	typ        sessions.EventType
	mustArrive bool // it must be sent at once: nothing waits, and the method is up
}

// start runs a Delivery as a new process would.
func (w *arrivalModel) start() {
	process := w.process.Add(1)
	m := newScheduled(w.schedule, func(r *accounting.Record) bool {
		if !w.up.Load() || process != w.process.Load() {
			return false
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.arrived[r.Session] = append(w.arrived[r.Session], r.At.Unix())
		return true
	})
	w.target = w.member(w.cfg, accounting.Group("g"), m)
	w.target.SetHold(w.hold)
	w.run()
	w.advance(0)
}

func (w *arrivalModel) event(ev int) {
	switch ev {
	case 12, 13:
		w.up.Store(!w.up.Load())
	case 14, 15:
		w.hold = Hold(ev-14) * Held
		w.target.SetHold(w.hold)
	case 16:
		w.stop()
		if err := w.store.Close(); err != nil {
			w.Fatal(err)
		}
		w.store = openStore(w, w.disk)
		w.newProcess()
		w.start()
	case 17:
		w.advance(5 * time.Second)
		w.checkDropped()
	case 18, 19:
		w.advance(time.Minute)
	default:
		id, typ := sessions.ID(ev%3+1), other
		if ev < 12 {
			typ = []sessions.EventType{start, interim, interim, stop}[ev/3]
		}
		w.serial++
		s := w.target.Stats()
		must := w.up.Load() && w.hold == Open && s.DownSince.IsZero() && s.Pending == 0
		w.appended[id] = append(w.appended[id], appended{w.serial, typ, must})
		r := rec(id, typ)
		r.At = time.Unix(w.serial, 0)
		w.add("group/g", r)
		w.advance(0)
	}
}

// checkDropped checks that while the method is down, only the necessary records are left. A record
// that is in flight, or is the probe, may stay.
func (w *arrivalModel) checkDropped() {
	if s := w.target.Stats(); s.Hold == Open && s.DownSince.IsZero() {
		return
	}
	before, superseded := map[sessions.ID]sessions.EventType{}, 0
	for _, r := range records(w, w.store, "group/g") {
		if before[r.Session] == interim && r.Type != start && r.Type != other {
			superseded++
		}
		before[r.Session] = r.Type
	}
	if superseded > 3 {
		w.rt.Errorf("%d superseded interims are left", superseded)
	}
}

func (w *arrivalModel) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, all := range w.appended {
		got := w.arrived[id]
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			w.rt.Errorf("session %d: order %v", id, got)
		}
		for i, a := range all {
			mayLack := !a.mustArrive && a.typ == interim && i+1 < len(all) && all[i+1].typ != start && all[i+1].typ != other
			if !mayLack && !slices.Contains(got, a.serial) {
				w.rt.Errorf("session %d: record %d (%v) of %v is lost: %v", id, a.serial, a.typ, all, got)
			}
		}
	}
	for _, q := range w.store.Queues() {
		if q.Len != 0 {
			w.rt.Errorf("%d records left in %s", q.Len, q.Name)
		}
	}
}
