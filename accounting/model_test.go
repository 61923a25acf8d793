package accounting

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/sessions"
	"aaasess/store"

	"pgregory.net/rapid"
)

// world is servers that lose, delay, reorder and refuse, and what they were given.
type world struct {
	mu       sync.Mutex
	rng      *rand.Rand
	lost     float64 // chance that a record is not answered
	lostKept float64 // chance that it was delivered all the same: its answer was lost
	silent   map[MethodName]bool
	given    map[MethodName][]*Record // in the order of arrival
	under    map[string]int           // records under way: method and session
	faults   []string
	cut      bool // the power was: what was delivered may be delivered again
}

// worldMethod is one method of a world.
type worldMethod struct {
	*world
	name MethodName
}

func (m worldMethod) Window() int { return 8 }

func (m worldMethod) Send(rec *Record, _ Progress, done func(error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := fmt.Sprint(m.name, rec.Session)
	if m.under[key]++; m.under[key] > 1 {
		m.faults = append(m.faults, "two of session "+key+" at once")
	}
	delay := time.Duration(m.rng.Int64N(int64(3 * time.Second)))
	var err error
	if m.silent[m.name] || m.rng.Float64() < m.lost {
		err = ErrNoResponse
		delay += 20 * time.Second
	}
	if err == nil || !m.silent[m.name] && m.rng.Float64() < m.lostKept {
		m.given[m.name] = append(m.given[m.name], rec)
	}
	time.AfterFunc(delay, func() {
		m.mu.Lock()
		m.under[key]--
		m.mu.Unlock()
		done(err)
	})
}

// Whatever servers do, and however often we restart or lose power, each record is delivered at least
// once to a method of its list, and each method gets those of a session in their order.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		lost := rapid.SampledFrom([]float64{0, 0.1, 0.5}).Draw(rt, "lost")
		events := rapid.SliceOfN(rapid.IntRange(0, 12), 1, 60).Draw(rt, "events")
		synctest.Test(t, func(t *testing.T) { runModel(t, rt, seed, lost, events) })
	})
}

// modelPolicy has a fallback for network sessions and none for exec sessions.
var modelPolicy = &Policy{Lists: map[sessions.Kind]*List{
	sessions.Network: {Name: "default", Record: StartStop, Methods: []MethodName{Group("a"), Group("b")}},
	sessions.Exec:    {Name: "default", Record: StartStop, Methods: []MethodName{Group("a")}},
}}

func runModel(t *testing.T, rt *rapid.T, seed uint64, lost float64, events []int) {
	b := &bubble{T: t, disk: store.NewDisk()}
	w := &world{
		rng: rand.New(rand.NewPCG(seed, 1)), lost: lost, lostKept: 0.3,
		silent: map[MethodName]bool{}, given: map[MethodName][]*Record{}, under: map[string]int{},
	}
	b.restarted(w)
	begun := map[sessions.ID]bool{}
	serial := uint32(0)
	want := map[string]bool{} // serial numbers, as records carry them
	router := newRouter(b, b.store, modelPolicy)
	for _, ev := range events {
		id := sessions.ID(ev%5 + 1)
		switch ev {
		case 10: // one of the servers goes, or comes back
			w.mu.Lock()
			name := Group(string('a' + rune(w.rng.IntN(2))))
			w.silent[name] = !w.silent[name]
			w.mu.Unlock()
		case 11, 12: // a restart, or a power cut
			if ev == 12 {
				b.disk = b.disk.PowerCut(50, rand.New(rand.NewPCG(seed, uint64(serial))))
				w.cut = true
			}
			b.stop()
			if err := b.store.Close(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute) // what was under way ends in another process
			b.restarted(w)
			router = newRouter(b, b.store, modelPolicy)
		default:
			typ := sessions.Start // no interims: those may be superseded
			if begun[id] = !begun[id]; !begun[id] {
				typ = sessions.Stop
			}
			serial++
			n := notice(id, sessions.Network+sessions.Kind(id%2), typ)
			n.Attrs += sessions.Attributes(sessions.AppendUint32(nil, sessions.AcctSessionTime, serial))
			want[fmt.Sprint(serial)] = true
			committed(b, router, sessions.Change{Notices: []sessions.Notice{n}})
			time.Sleep(time.Duration(ev) * time.Second)
		}
	}
	w.mu.Lock()
	clear(w.silent)
	w.lost = 0
	w.mu.Unlock()
	time.Sleep(30 * time.Minute)
	b.stop()
	w.check(rt, want)
	for _, q := range b.store.Queues() {
		if q.Len != 0 {
			rt.Errorf("%d records left in %s", q.Len, q.Name)
		}
	}
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
}

// restarted opens the store and delivers to the world.
func (b *bubble) restarted(w *world) {
	b.store = openStore(b, b.disk)
	b.begin()
	cfg := DelivererConfig{Loaded: 8, Rounds: 1 << 20} // so lossy a world makes no record suspect
	for _, name := range []MethodName{Group("a"), Group("b")} {
		b.run(NewDeliverer(cfg, b.store, name, worldMethod{w, name}, slog.New(slog.DiscardHandler)))
	}
}

// check holds what arrived against what was committed.
func (w *world) check(rt *rapid.T, want map[string]bool) {
	for _, fault := range w.faults {
		rt.Error(fault)
	}
	missing := maps.Clone(want)
	for name, recs := range w.given {
		newest, seen := map[sessions.ID]uint32{}, map[uint32]bool{}
		for _, rec := range recs {
			n, _ := rec.Attrs.Uint32(sessions.AcctSessionTime)
			if seen[n] && w.cut {
				continue
			}
			seen[n] = true
			if n < newest[rec.Session] {
				rt.Errorf("%s got %d of session %d after %d", name, n, rec.Session, newest[rec.Session])
			}
			newest[rec.Session] = n
			delete(missing, fmt.Sprint(n))
		}
	}
	if len(missing) > 0 {
		rt.Errorf("%d of %d records are lost: %v", len(missing), len(want), missing)
	}
}
