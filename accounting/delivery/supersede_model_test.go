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
func (m *arrivalModel) start() {
	process := m.process.Add(1)
	method := newScheduled(m.schedule, func(r *accounting.Record) bool {
		if !m.up.Load() || process != m.process.Load() {
			return false
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.arrived[r.Session] = append(m.arrived[r.Session], r.At.Unix())
		return true
	})
	m.target = m.member(m.cfg, accounting.Group("g"), method)
	m.target.SetHold(m.hold)
	m.run()
	m.advance(0)
}

func (m *arrivalModel) event(ev int) {
	switch ev {
	case 12, 13:
		m.up.Store(!m.up.Load())
	case 14, 15:
		m.hold = Hold(ev-14) * Held
		m.target.SetHold(m.hold)
	case 16:
		m.stop()
		if err := m.store.Close(); err != nil {
			m.Fatal(err)
		}
		m.store = openStore(m, m.disk)
		m.newProcess()
		m.start()
	case 17:
		m.advance(5 * time.Second)
		m.checkDropped()
	case 18, 19:
		m.advance(time.Minute)
	default:
		id, typ := sessions.ID(ev%3+1), other
		if ev < 12 {
			typ = []sessions.EventType{start, interim, interim, stop}[ev/3]
		}
		m.serial++
		s := m.target.Stats()
		must := m.up.Load() && m.hold == Open && s.DownSince.IsZero() && s.Pending == 0
		m.appended[id] = append(m.appended[id], appended{m.serial, typ, must})
		r := rec(id, typ)
		r.At = time.Unix(m.serial, 0)
		m.add("group/g", r)
		m.advance(0)
	}
}

// checkDropped checks that while the method is down, only the necessary records are left. A record
// that is in flight, or is the probe, may stay.
func (m *arrivalModel) checkDropped() {
	if s := m.target.Stats(); s.Hold == Open && s.DownSince.IsZero() {
		return
	}
	before, superseded := map[sessions.ID]sessions.EventType{}, 0
	for _, r := range records(m, m.store, "group/g") {
		if before[r.Session] == interim && r.Type != start && r.Type != other {
			superseded++
		}
		before[r.Session] = r.Type
	}
	if superseded > 3 {
		m.rt.Errorf("%d superseded interims are left", superseded)
	}
}

func (m *arrivalModel) check() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, all := range m.appended {
		got := m.arrived[id]
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			m.rt.Errorf("session %d: order %v", id, got)
		}
		for i, a := range all {
			mayLack := !a.mustArrive && a.typ == interim && i+1 < len(all) && all[i+1].typ != start && all[i+1].typ != other
			if !mayLack && !slices.Contains(got, a.serial) {
				m.rt.Errorf("session %d: record %d (%v) of %v is lost: %v", id, a.serial, a.typ, all, got)
			}
		}
	}
	for _, q := range m.store.Queues() {
		if q.Len != 0 {
			m.rt.Errorf("%d records left in %s", q.Len, q.Name)
		}
	}
}
