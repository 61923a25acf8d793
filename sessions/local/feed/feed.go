package feed

import (
	"crypto/rand"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// Feed remembers the newest events. Use [New].
type Feed[E any] struct {
	life   string        // names this Feed among those of other lives of the daemon
	wanted chan struct{} // closed when there has been a reader
	begun  chan struct{} // closed by Start

	mu      sync.Mutex
	read    bool // there has been a reader
	ring    []entry[E]
	oldest  int    // place in ring
	n       int    // how many are in ring
	last    uint64 // number of the newest event
	waiting bool   // somebody waits for changed
	changed chan struct{}
}

type entry[E any] struct {
	number uint64
	event  E
}

// New returns a Feed that remembers the newest size events.
func New[E any](size int) *Feed[E] {
	return &Feed[E]{life: rand.Text()[:8], wanted: make(chan struct{}), begun: make(chan struct{}), ring: make([]entry[E], size), changed: make(chan struct{})}
}

// Wanted is closed when there has been a reader. Events before that need not be added.
func (f *Feed[E]) Wanted() <-chan struct{} { return f.wanted }

// Start says that all events from now on are added. It is called once, after Wanted.
func (f *Feed[E]) Start() { close(f.begun) }

// Started is closed by Start.
func (f *Feed[E]) Started() <-chan struct{} { return f.begun }

// Add adds an event. missing is how many events before it were lost on their way.
func (f *Feed[E]) Add(event E, missing uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last += missing + 1
	at := (f.oldest + f.n) % len(f.ring)
	f.ring[at] = entry[E]{f.last, event}
	if f.n < len(f.ring) {
		f.n++
	} else {
		f.oldest = (f.oldest + 1) % len(f.ring)
	}
	f.wake()
}

// Skip notes that events were lost on their way.
func (f *Feed[E]) Skip(missing uint64) {
	if missing == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last += missing
	f.wake()
}

func (f *Feed[E]) wake() {
	if f.waiting {
		close(f.changed)
		f.changed, f.waiting = make(chan struct{}), false
	}
}

// Position is where a reader is: the number of the event that it wants next.
type Position uint64

// Batch is what a reader gets.
type Batch[E any] struct {
	Missing uint64 // how many events before Events are missing
	Events  []E
	Numbers []uint64      // of Events
	Next    Position      // for the next read
	Changed chan struct{} // closed when there is more, if there is neither Missing nor Events
}

// Read returns the events from a position on, at most limit. It does not wait.
func (f *Feed[E]) Read(from Position, limit int) (b Batch[E]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := uint64(from)
	first := sort.Search(f.n, func(i int) bool { return f.at(i).number >= next })
	for i := first; i < f.n && len(b.Events) < limit; i++ {
		e := f.at(i)
		if e.number != next {
			if len(b.Events) > 0 {
				break // the next read tells what is missing here
			}
			b.Missing = e.number - next
		}
		b.Events, b.Numbers = append(b.Events, e.event), append(b.Numbers, e.number)
		next = e.number + 1
	}
	if len(b.Events) == 0 && f.last >= next {
		b.Missing, next = f.last+1-next, f.last+1
	}
	if b.Next = Position(next); b.Missing == 0 && len(b.Events) == 0 {
		b.Changed, f.waiting = f.changed, true
	}
	return b
}

func (f *Feed[E]) at(i int) *entry[E] { return &f.ring[(f.oldest+i)%len(f.ring)] }

// Begin returns the position of a new reader. after is the name of the last event that it has read, ""
// if it wants only what is new. ok is false if the name is of another life of the daemon, or of none:
// then it is not known how many events are missing.
func (f *Feed[E]) Begin(after string) (at Position, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.read {
		f.read = true
		close(f.wanted)
	}
	if after == "" {
		return Position(f.last + 1), true
	}
	life, text, _ := strings.Cut(after, "-")
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil || life != f.life || number > f.last {
		return Position(f.last + 1), false
	}
	return Position(number + 1), true
}

// Name returns the name of an event, for Begin.
func (f *Feed[E]) Name(number uint64) string { return fmt.Sprintf("%s-%d", f.life, number) }
