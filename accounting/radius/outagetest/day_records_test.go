package outagetest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"

	"aaasess/internal/radius/radiusnet"
	"aaasess/sessions"
)

// subscribers generate the records of a day. Each subscriber has one session after the other. The
// state of each session takes two octets, so that the test uses little of the memory that it
// measures.
type subscribers struct {
	rng   *rand.Rand
	lines []line
	total int // records so far

	mu      sync.Mutex // guards the following fields
	last    []uint8    // by session: number of its last record, from 1; the high bit: a stop
	arrived []uint8    // by session: number of the last record that arrived
	count   [4]int     // arrivals by sessions.EventType
	faults  []string
}

const stopped = 0x80

// line is the present session of a subscriber, if any.
type line struct {
	id     sessions.ID
	number uint8 // number of its last record
	last   uint8 // number of its stop
}

// newSubscribers returns that many subscribers, with storage for the sessions of that many records.
func newSubscribers(lines, records int) *subscribers {
	return &subscribers{
		rng:   rand.New(rand.NewPCG(1, 2)),
		lines: make([]line, lines),
		last:  make([]uint8, 1, records), arrived: make([]uint8, records),
	}
}

// interims returns how many interims a session has: six of ten sessions have none, and one of 200
// has many.
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

// next returns the next record of a random subscriber.
func (s *subscribers) next() (sessions.ID, sessions.EventType, uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.lines[s.rng.IntN(len(s.lines))]
	typ := interim
	if l.id == 0 {
		*l = line{id: sessions.ID(len(s.last)), last: uint8(s.interims() + 2)}
		s.last = append(s.last, 0)
		typ = start
	}
	l.number++
	id, n := l.id, l.number
	s.last[id] = n
	if n == l.last {
		s.last[id] |= stopped
		typ = stop
		*l = line{}
	}
	s.total++
	return id, typ, uint32(n)
}

// receive handles a request at a server.
func (s *subscribers) receive(request []byte, a radiusnet.Arrival) {
	id, err := strconv.ParseUint(a.SessionID, 16, 32)
	n := number(request)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || id == 0 || int(id) >= len(s.last) || n > uint32(s.last[id]&^stopped) {
		s.fault("session %q, record %d: was never sent", a.SessionID, n)
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

// fault keeps the first 20 faults. The caller holds the mutex.
func (s *subscribers) fault(format string, args ...any) {
	if len(s.faults) < 20 {
		s.faults = append(s.faults, fmt.Sprintf(format, args...))
	}
}

// required returns how many records of each type must arrive: all starts and stops, and interims
// that are the last record of their session.
func (s *subscribers) required() (need [4]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.last[1:] {
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

// check compares what arrived with what must arrive.
func (s *subscribers) check() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, n := range s.last {
		if n &^= stopped; s.arrived[id] != n {
			s.fault("session %08X: record %d was the last to arrive, of %d", id, s.arrived[id], n)
		}
	}
	return s.faults
}
