package outagetest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"

	"aaasess/internal/radius/radiusnet"
	"aaasess/sessions"
)

// subscribers make the records of a day: each has one session after the other. What became of each
// session is kept in two octets, so that the test takes little of the memory that it measures.
type subscribers struct {
	rng   *rand.Rand
	lines []line
	total int // records so far

	mu      sync.Mutex // guards what follows
	made    []uint8    // by session: number of its last record, from 1; the high bit: a stop
	arrived []uint8    // by session: number of the last record that arrived
	count   [4]int     // arrivals by sessions.EventType
	faults  []string
}

const stopped = 0x80

// line is the present session of a subscriber, if any.
type line struct {
	id     sessions.ID
	number uint8 // of its last record
	last   uint8 // of its stop
}

// newSubscribers makes so many. There is room for the sessions of so many records.
func newSubscribers(lines, records int) *subscribers {
	return &subscribers{
		rng:   rand.New(rand.NewPCG(1, 2)),
		lines: make([]line, lines),
		made:  make([]uint8, 1, records), arrived: make([]uint8, records),
	}
}

// interims is how many a session has: of ten sessions six none, and one of 200 many.
func (s *subscribers) interims() int {
	switch p := s.rng.IntN(1000); {
	case p < 600:
		return 0
	case p < 840:
		return 1
	case p < 945:
		return 2 + s.rng.IntN(3)
	case p < 995:
		return 5 + s.rng.IntN(6)
	default:
		return 40 + s.rng.IntN(61)
	}
}

// next makes a record of anybody's.
func (s *subscribers) next() (sessions.ID, sessions.EventType, uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.lines[s.rng.IntN(len(s.lines))]
	typ := interim
	if l.id == 0 {
		*l = line{id: sessions.ID(len(s.made)), last: uint8(s.interims() + 2)}
		s.made = append(s.made, 0)
		typ = start
	}
	l.number++
	id, n := l.id, l.number
	s.made[id] = n
	if n == l.last {
		s.made[id] |= stopped
		typ = stop
		*l = line{}
	}
	s.total++
	return id, typ, uint32(n)
}

// take is a server's work.
func (s *subscribers) take(request []byte, a radiusnet.Arrival) {
	id, err := strconv.ParseUint(a.SessionID, 16, 32)
	n := number(request)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || id == 0 || int(id) >= len(s.made) || n > uint32(s.made[id]&^stopped) {
		s.fault("session %q, record %d: never was", a.SessionID, n)
		return
	}
	before := uint32(s.arrived[id])
	switch {
	case n <= before:
		s.fault("session %q: record %d after %d", a.SessionID, n, before)
		return
	case before == 0 && n != 1:
		s.fault("session %q: record %d, but no start", a.SessionID, n)
	}
	s.arrived[id] = uint8(n)
	s.count[a.StatusType&3]++
}

// fault keeps a few. The caller holds the mutex.
func (s *subscribers) fault(format string, args ...any) {
	if len(s.faults) < 20 {
		s.faults = append(s.faults, fmt.Sprintf(format, args...))
	}
}

// need is how many of each type must arrive: all starts and stops, and the interims that are the last
// of their session.
func (s *subscribers) need() (need [4]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.made[1:] {
		need[start]++
		switch {
		case n&stopped != 0:
			need[stop]++
		case n > 1:
			need[interim]++
		}
	}
	return need
}

// check holds what arrived against what must.
func (s *subscribers) check() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, n := range s.made {
		if n &^= stopped; s.arrived[id] != n {
			s.fault("session %08X: record %d was the last to arrive, of %d", id, s.arrived[id], n)
		}
	}
	return s.faults
}
