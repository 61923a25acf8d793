package store

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// model is the content that a store should have after some number of changes.
type model struct {
	state  map[string]string
	queues map[string]*modelQueue
}

type modelQueue struct {
	next uint64
	live map[uint64]string
}

func (m *model) clone() *model {
	c := &model{state: maps.Clone(m.state), queues: map[string]*modelQueue{}}
	for name, q := range m.queues {
		c.queues[name] = &modelQueue{q.next, maps.Clone(q.live)}
	}
	return c
}

func (m *model) apply(c Change) {
	for _, p := range c.Puts {
		if p.Value == nil {
			delete(m.state, string(p.Key))
		} else {
			m.state[string(p.Key)] = string(p.Value)
		}
	}
	for _, a := range c.Appends {
		q := m.queues[a.Queue]
		if q == nil {
			q = &modelQueue{1, map[uint64]string{}}
			m.queues[a.Queue] = q
		}
		q.live[q.next] = string(a.Data)
		q.next++
	}
	for _, a := range c.Acks {
		if q := m.queues[a.Queue]; q != nil {
			delete(q.live, a.Seq)
		}
	}
}

// simulation runs a store and the model side by side, through restarts and power cuts.
type simulation struct {
	disk *Disk
	s    *Store
	// history[k] is the model after k changes, without the discards, which become durable some time
	// later.
	history   []*model
	discarded map[Ack]bool
	started   int
	durable   int // changes whose callback saw nil
	results   chan error
	answered  int  // TestRandomFaults: changes whose callback ran
	broken    bool // TestRandomFaults: a callback saw an error
}

const maxOutstanding = 1000 // the most callbacks that may be outstanding

func newSimulation(t *rapid.T) *simulation {
	sim := &simulation{
		disk:      NewDisk(),
		history:   []*model{{map[string]string{}, map[string]*modelQueue{}}},
		discarded: map[Ack]bool{},
		results:   make(chan error, maxOutstanding),
	}
	sim.open(t)
	return sim
}

func (sim *simulation) open(t *rapid.T) {
	s, err := Open("state", Config{Disk: sim.disk, Ballast: 1000})
	if err != nil {
		t.Fatal(err)
	}
	sim.s = s
}

func (sim *simulation) now() *model { return sim.history[len(sim.history)-1] }

// live returns the undelivered records of a model, without the discarded ones.
func (sim *simulation) live(m *model) []Ack {
	var all []Ack
	for name, q := range m.queues {
		for seq := range q.live {
			if a := (Ack{name, seq}); !sim.discarded[a] {
				all = append(all, a)
			}
		}
	}
	slices.SortFunc(all, func(a, b Ack) int {
		return strings.Compare(fmt.Sprintf("%s %9d", a.Queue, a.Seq), fmt.Sprintf("%s %9d", b.Queue, b.Seq))
	})
	return all
}

var simQueues = []string{"a", "a\x00", "a/b", strings.Repeat("z", maxName)}

func (sim *simulation) change(t *rapid.T, index int) Change {
	c := Change{Puts: []Put{put("n", strconv.Itoa(index))}, Patient: rapid.IntRange(0, 3).Draw(t, "patient") == 0}
	for range rapid.IntRange(0, 3).Draw(t, "puts") {
		p := put(rapid.SampledFrom([]string{"k", "k1", "\xff", "\x00"}).Draw(t, "key"),
			rapid.StringN(0, 5, 10).Draw(t, "value"))
		if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
			p.Value = nil
		}
		p.Latest = string(p.Key) == "k1" || string(p.Key) == "\xff"
		c.Puts = append(c.Puts, p)
	}
	for range rapid.IntRange(0, 3).Draw(t, "appends") {
		c.Appends = append(c.Appends, Append{
			Queue: rapid.SampledFrom(simQueues).Draw(t, "queue"),
			Data:  rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "data"),
		})
	}
	return c
}

// acks picks records to acknowledge: all are durable when they are read.
func (sim *simulation) acks(t *rapid.T) []Ack {
	live := sim.live(sim.now())
	if len(live) == 0 {
		return nil
	}
	return rapid.SliceOfN(rapid.SampledFrom(live), 0, 5).Draw(t, "acks")
}

func (sim *simulation) commit(t *rapid.T, ack bool) {
	index := len(sim.history)
	c := sim.change(t, index)
	if ack {
		sim.wait(t)
		c.Acks = sim.acks(t)
	}
	next := sim.now().clone()
	next.apply(c)
	sim.history = append(sim.history, next)
	sim.s.Commit(c, func(err error) { sim.results <- err })
	sim.started++
}

// wait waits until all changes are durable.
func (sim *simulation) wait(t *rapid.T) {
	for sim.durable < sim.started {
		sim.result(t, <-sim.results)
	}
}

func (sim *simulation) result(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
	sim.durable++
}

func (sim *simulation) restart(t *rapid.T) {
	if err := sim.s.Close(); err != nil {
		t.Fatal(err)
	}
	sim.wait(t)
	sim.open(t)
	// Close made the discards durable too.
	for a := range sim.discarded {
		delete(sim.now().queues[a.Queue].live, a.Seq)
	}
	clear(sim.discarded)
}

// powerCut continues with what the disk would hold. That must be the result of the first k changes,
// including all changes whose callback saw nil.
func (sim *simulation) powerCut(t *rapid.T) {
	for reported := true; reported; {
		select {
		case err := <-sim.results:
			sim.result(t, err)
		default:
			reported = false
		}
	}
	durable := sim.durable
	seed := rapid.Uint64().Draw(t, "seed")
	cut := sim.disk.PowerCut(rapid.SampledFrom([]int{0, 50, 100}).Draw(t, "unsynced"), rand.New(rand.NewPCG(seed, 0)))
	if err := sim.s.Close(); err != nil { // the old store ends after the cut and leaves no trace
		t.Fatal(err)
	}
	sim.wait(t)
	sim.reopenOn(t, cut, durable)
}

// reopenOn continues on a disk that must have at least a given number of changes.
func (sim *simulation) reopenOn(t *rapid.T, disk *Disk, durable int) {
	sim.disk = disk
	sim.open(t)

	k := 0
	err := sim.s.Load(func(key, value []byte) error {
		if string(key) == "n" {
			k, _ = strconv.Atoi(string(value))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if k < durable || k >= len(sim.history) {
		t.Fatalf("%d changes survived, %d of %d were reported durable", k, durable, len(sim.history)-1)
	}
	sim.history = sim.history[:k+1]
	sim.started, sim.durable = k, k
	sim.settleDiscards(t)
	sim.check(t)
}

// settleDiscards finds out which discards were durable before the cut. Any subset is allowed.
func (sim *simulation) settleDiscards(t *rapid.T) {
	for name, q := range sim.now().queues {
		there := map[uint64]bool{}
		for _, e := range sim.readAll(t, name) {
			there[e.Seq] = true
		}
		for seq := range q.live {
			if !there[seq] && sim.discarded[Ack{name, seq}] {
				delete(q.live, seq)
			}
		}
	}
	clear(sim.discarded)
}

func (sim *simulation) readAll(t *rapid.T, queue string) []Entry {
	entries, err := sim.s.Read(queue, 0, 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// check compares the store with the model, when nothing is in flight.
func (sim *simulation) check(t *rapid.T) {
	sim.wait(t)
	want := sim.now()
	got := map[string]string{}
	if err := sim.s.Load(func(k, v []byte) error { got[string(k)] = string(v); return nil }); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, want.state) {
		t.Fatalf("state %q, want %q", got, want.state)
	}
	infos := sim.s.Queues()
	if len(infos) != len(want.queues) {
		t.Fatalf("%d queues, want %d", len(infos), len(want.queues))
	}
	if info, known := sim.s.Queue("no such queue"); known || info != (QueueInfo{}) {
		t.Fatalf("a queue that never had a record: %+v", info)
	}
	for _, info := range infos {
		if one, known := sim.s.Queue(info.Name); !known || one != info {
			t.Fatalf("queue %+v is %+v alone", info, one)
		}
		q := want.queues[info.Name]
		live := maps.Clone(q.live)
		maps.DeleteFunc(live, func(seq uint64, _ string) bool { return sim.discarded[Ack{info.Name, seq}] })
		first, last := info.NextSeq, uint64(0)
		for _, e := range sim.readAll(t, info.Name) {
			if data, ok := live[e.Seq]; !ok || data != string(e.Data) || e.Seq <= last {
				t.Fatalf("queue %q: unexpected record %d %q after %d", info.Name, e.Seq, e.Data, last)
			}
			first, last = min(first, e.Seq), e.Seq
			delete(live, e.Seq)
		}
		if len(live) > 0 {
			t.Fatalf("queue %q: missing %v", info.Name, live)
		}
		wantLen := len(sim.readAll(t, info.Name))
		if info.NextSeq != q.next || info.Len != uint64(wantLen) || info.FirstSeq != first {
			t.Fatalf("queue %q: %+v, want %d records from %d, next %d", info.Name, info, wantLen, first, q.next)
		}
	}
}

// TestSimulation: whatever happens, the store equals the model, and after a power cut it equals the
// model after a prefix of the changes.
func TestSimulation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sim := newSimulation(t)
		defer func() { _ = sim.s.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(t, "n") {
					sim.commit(t, false)
				}
			},
			"deliver": func(t *rapid.T) { sim.commit(t, true) },
			"discard": func(t *rapid.T) {
				sim.wait(t)
				acks := sim.acks(t)
				sim.s.Discard(acks)
				for _, a := range acks {
					sim.discarded[a] = true
				}
			},
			"compare":   func(t *rapid.T) { sim.check(t) },
			"restart":   func(t *rapid.T) { sim.restart(t) },
			"power cut": func(t *rapid.T) { sim.powerCut(t) },
		})
		sim.check(t)
	})
}
