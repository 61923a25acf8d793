package delivery

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"

	"aaasess/internal/retry"

	"pgregory.net/rapid"
)

// world holds methods that lose, delay, reorder and refuse records, and what they accepted.
type world struct {
	mu       sync.Mutex
	rng      *rand.Rand
	lost     float64 // probability that a record is not answered
	lostKept float64 // probability that such a record arrived, and only its answer was lost
	backoff  bool    // an unanswered record is to be sent again later
	silent   map[accounting.MethodName]bool
	accepted []*accounting.Record           // in the order of arrival, at any method
	inFlight map[sessions.ID]map[uint32]int // by lane: serial numbers of the records in flight
	answered map[uint32]bool                // serial numbers of the answered records
	faults   []string
}

// worldMethod is one method of a world.
type worldMethod struct {
	*world
	name    accounting.MethodName
	stopped *bool // guarded by world.mu
}

func (m worldMethod) Window() int { return 8 }

func (m worldMethod) Send(rec *accounting.Record, at retry.Progress, done func(error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if *m.stopped {
		time.AfterFunc(0, func() { done(accounting.ErrStopped) })
		return
	}
	serial := m.begin(rec)
	delay := time.Duration(m.rng.Int64N(int64(3 * time.Second)))
	var err error
	if m.silent[m.name] || m.rng.Float64() < m.lost {
		err = accounting.ErrNoResponse
		if m.backoff && at.Transmissions < 4 {
			err = &retry.Later{After: 5 * time.Second << at.Transmissions, At: retry.Progress{Transmissions: at.Transmissions + 1}}
		}
		delay += 5 * time.Second
	}
	if err == nil || !m.silent[m.name] && m.rng.Float64() < m.lostKept {
		m.accepted = append(m.accepted, rec)
	}
	time.AfterFunc(delay, func() {
		m.mu.Lock()
		m.inFlight[rec.InLane()][serial]--
		m.answered[serial] = m.answered[serial] || err == nil
		m.mu.Unlock()
		done(err)
	})
}

// begin notes that a record is in flight. No other record of its lane may be in flight, except
// copies of records that were answered before; these are probes.
func (w *world) begin(rec *accounting.Record) (serial uint32) {
	serial, _ = rec.Attrs.Uint32(radius.AcctSessionTime)
	if w.inFlight[rec.InLane()] == nil {
		w.inFlight[rec.InLane()] = map[uint32]int{}
	}
	w.inFlight[rec.InLane()][serial]++
	for other, n := range w.inFlight[rec.InLane()] {
		if n > 0 && other != serial && !w.answered[other] && !w.answered[serial] {
			w.faults = append(w.faults, fmt.Sprintf("%d and %d of lane %d at once", other, serial, rec.InLane()))
		}
	}
	return serial
}

var modelMethods = []accounting.MethodName{accounting.Group("a"), accounting.Group("b"), accounting.Group("c")}

// modelRoute returns the route of a session, which keeps it whatever methods exist.
func modelRoute(id sessions.ID) []accounting.MethodName {
	a, b, c := modelMethods[0], modelMethods[1], modelMethods[2]
	return [][]accounting.MethodName{{a, b}, {a}, {b, a}, {a, b, c}, {c, a}}[id-1]
}

// Methods fail, are held, and come and go with reloads; the process restarts and loses power.
// Always: each record that no later one supersedes is delivered at least once to a method of its
// route; one record of a lane is in flight at a time; the records of a lane arrive in order, at
// whichever methods.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{
			rt: rt, seed: rapid.Uint64().Draw(rt, "seed"),
			lost:    rapid.SampledFrom([]float64{0, 0.1, 0.5}).Draw(rt, "lost"),
			backoff: rapid.Bool().Draw(rt, "backoff"),
			waiting: rapid.SampledFrom([]int{8, 24, 1000}).Draw(rt, "waiting"),
		}
		events := rapid.SliceOfN(rapid.IntRange(0, 18), 1, 60).Draw(rt, "events")
		synctest.Test(t, func(t *testing.T) {
			m.bubble, m.rng = &bubble{T: t, disk: store.NewDisk()}, rand.New(rand.NewPCG(m.seed, 2))
			m.run(events)
		})
	})
}

// model is one run of TestModel.
type model struct {
	*bubble
	rt      *rapid.T
	seed    uint64
	rng     *rand.Rand // of the events; the world has its own
	lost    float64
	backoff bool
	waiting int
	world   *world
	stopped map[accounting.MethodName]*bool
	serial  uint32
	want    map[sessions.ID][]expected
}

// expected is a record that was committed.
type expected struct {
	serial uint32 // the serial number in the record
	typ    sessions.EventType
}

func (m *model) run(events []int) {
	m.world = &world{
		rng: rand.New(rand.NewPCG(m.seed, 1)), lost: m.lost, lostKept: 0.3, backoff: m.backoff,
		silent: map[accounting.MethodName]bool{}, inFlight: map[sessions.ID]map[uint32]int{}, answered: map[uint32]bool{},
	}
	m.want = map[sessions.ID][]expected{}
	m.start()
	for _, ev := range events {
		m.event(ev)
	}
	m.world.mu.Lock()
	clear(m.world.silent)
	m.world.lost = 0
	m.world.mu.Unlock()
	for _, name := range modelMethods {
		m.add(name)
		m.delivery.SetHold(name, Open)
	}
	time.Sleep(30 * time.Minute)
	m.stop()
	m.check()
	if err := m.store.Close(); err != nil {
		m.Fatal(err)
	}
}

// start opens the store and delivers its records to the world.
func (m *model) start() {
	m.store = openStore(m, m.disk)
	m.newProcess()
	m.stopped = map[accounting.MethodName]*bool{}
	m.delivery = New(Config{Loaded: 8, Waiting: m.waiting}, m.store, quiet)
	for _, name := range modelMethods {
		m.add(name)
	}
	m.bubble.run()
}

// add adds a method, or replaces it. The earlier one is stopped.
func (m *model) add(name accounting.MethodName) {
	m.end(name)
	m.stopped[name] = new(bool)
	// With such losses, no record is set aside.
	m.delivery.SetMethod(name, worldMethod{m.world, name, m.stopped[name]}, accounting.MethodConfig{Rounds: 1 << 20})
}

// end stops a method. Its records in flight end as usual.
func (m *model) end(name accounting.MethodName) {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	if s := m.stopped[name]; s != nil {
		*s = true
	}
}

func (m *model) event(ev int) {
	rng := m.rng
	name := modelMethods[ev%3]
	switch ev {
	case 10, 11, 12: // the servers of a method go down or come up
		m.world.mu.Lock()
		m.world.silent[name] = !m.world.silent[name]
		m.world.mu.Unlock()
	case 13: // a method waits for its Accounting-On
		name, hold := modelMethods[rng.IntN(3)], Hold(rng.IntN(3))
		m.delivery.SetHold(name, hold)
	case 14, 15: // a reload removes a method, or adds or changes it
		name, remove := modelMethods[rng.IntN(3)], rng.IntN(2) == 0
		if remove {
			m.delivery.RemoveMethod(name)
			m.end(name)
			return
		}
		m.add(name)
	case 16, 17: // a restart, or a power cut
		if ev == 17 {
			m.disk = m.disk.PowerCut(50, rand.New(rand.NewPCG(m.seed, uint64(m.serial))))
		}
		m.stop()
		if err := m.store.Close(); err != nil {
			m.Fatal(err)
		}
		time.Sleep(time.Minute) // sends in flight end while another process runs
		m.start()
	case 18:
		time.Sleep(40 * time.Second)
	default:
		lane := sessions.ID(ev%5 + 1)
		m.serial++
		route := modelRoute(lane)
		typ := []sessions.EventType{start, interim, interim, stop, other}[rng.IntN(5)]
		id := lane + sessions.ID(rng.IntN(2)*10) // a session of its own, or one that is kept in order with it
		r := rec(id, typ, route[1:]...)
		r.Lane = lane
		if typ == start {
			r.Hold = time.Duration(rng.IntN(3)) * 20 * time.Second
		}
		r.At = time.Now()
		r.Attrs = radius.Attributes(radius.AppendUint32(nil, radius.AcctSessionTime, m.serial))
		if typ != start && m.serial%2 == 0 {
			r.Attrs += address // a start that waits goes on
		}
		m.want[id] = append(m.want[id], expected{m.serial, typ})
		m.bubble.add(route[0].Queue(), r)
		time.Sleep(time.Duration(ev) * time.Second)
	}
}

// check compares what arrived with what was committed.
func (m *model) check() {
	for _, fault := range m.world.faults {
		m.rt.Error(fault)
	}
	got, lanes, seen := map[sessions.ID][]uint32{}, map[sessions.ID][]uint32{}, map[uint32]bool{}
	for _, r := range m.world.accepted {
		if n, _ := r.Attrs.Uint32(radius.AcctSessionTime); !seen[n] {
			seen[n] = true
			got[r.Session] = append(got[r.Session], n)
			lanes[r.InLane()] = append(lanes[r.InLane()], n)
		}
	}
	for lane, all := range lanes {
		if !slices.IsSorted(all) {
			m.rt.Errorf("lane %d: in the order of their first arrival %v", lane, all)
		}
	}
	for id, all := range m.want {
		left, superseded := got[id], 0
		for i, want := range all {
			if len(left) > 0 && left[0] == want.serial {
				left = left[1:]
				continue
			}
			maySupersede := i+1 < len(all) && (all[i+1].typ == interim || all[i+1].typ == stop)
			if want.typ != interim || !maySupersede {
				break
			}
			superseded++
		}
		if len(got[id])+superseded != len(all) || len(left) > 0 {
			m.rt.Errorf("session %d: in the order of their first arrival got %v, want %v", id, got[id], all)
		}
	}
	for _, q := range m.store.Queues() {
		if q.Len != 0 {
			m.rt.Errorf("%d records left in %s", q.Len, q.Name)
		}
	}
}
