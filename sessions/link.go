package sessions

import (
	"encoding/binary"
	"sync"

	"aaasess/internal/radius"
)

// Traffic is what an interface has counted: the four counters of a [Usage], in their order. The
// direction is the user's: input is what the interface has received.
type Traffic [4]uint64

// Link is a network interface of this host that is a session's own, as an event reports it. Its
// number is [Event].IfIndex.
type Link struct {
	// Host identifies the boot of the host and the network namespace, because interface numbers have a
	// meaning only there. It is never 0.
	Host uint64
	// Traffic is what the interface has counted so far. That does not belong to the session.
	Traffic Traffic
}

// Sample is what an interface has counted at one moment.
type Sample struct {
	IfIndex uint32
	Traffic Traffic
}

// linkKey names an interface of this host.
type linkKey struct {
	host    uint64
	ifIndex uint32
}

// link is the interface of this host that is a session's own. All states of the session share it, so
// samples need no new state and no commit. A commit of the session for another reason stores the
// newest sample. After a restart the counters go on from there, because the kernel's are absolute.
type link struct {
	key linkKey
	id  ID // of the session; set when the link is registered

	mu      sync.Mutex
	used    Traffic // what the session has used
	counted Traffic // what the interface had counted then
	// shared says that another live session has named the same interface. Then nobody knows whose
	// traffic it counts, and used stays as it is.
	shared bool
	grew   Stamp  // the newest sample in which a counter had grown; 0 if there is none
	seen   uint64 // the newest refresh that has found it, or that had begun when the session got it
	seenAt Stamp  // when that was; 0 if no refresh of this run has found it
	lost   bool   // the interface has disappeared
	lostAt Stamp  // when; 0 if that is not known
}

// newLink returns the link that an event reports. The session's counters go on from what is known.
func newLink(ev *Event, used Traffic) *link {
	return &link{key: linkKey{ev.Link.Host, ev.IfIndex}, used: used, counted: ev.Link.Traffic}
}

// add takes what the interface has counted now. A counter that fell has been reset by its driver, and
// what it has counted since then counts. (The kernel does not use the number of an interface again
// before all numbers have been used, so it is the same interface.) l.mu must be held.
func (l *link) add(now Traffic, at Stamp) {
	if now == l.counted || l.shared || l.lost {
		return
	}
	for i := range now {
		since := now[i]
		if now[i] >= l.counted[i] {
			since -= l.counted[i]
		}
		l.used[i] += since
	}
	l.counted, l.grew = now, at
}

// traffic returns what the session has used, and whether that is known.
func (l *link) traffic() (Traffic, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used, !l.shared || l.used != Traffic{}
}

// counts reports whether the interface's counters are those of the session.
func (l *link) counts() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.shared
}

func (l *link) isLost() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// link returns the interface that is the session's own, or nil.
func (s *Session) link() *link { return s.rarely().link }

// HasLink reports whether the session has a network interface of this host.
func (s *Session) HasLink() bool { return s.link() != nil }

// Used returns what the session has used and which fields of it are known. Of each counter that both
// its NAS and its interface have counted, the larger value counts.
func (s *Session) Used() (Usage, UsageFields) {
	u, known := s.Usage, s.Counted
	if l := s.link(); l != nil {
		if traffic, ok := l.traffic(); ok {
			known |= WholeUsage &^ SessionTime
			for i, n := range u.counters() {
				*n = max(*n, traffic[i])
			}
		}
	}
	return u, known
}

// usedTraffic returns the counters of Used.
func (s *Session) usedTraffic() (t Traffic) {
	u, _ := s.Used()
	for i, n := range u.counters() {
		t[i] = *n
	}
	return t
}

// ActiveAt returns when user data last flowed: LastTraffic, or a later sample of its interface.
func (s *Session) ActiveAt() Stamp {
	l := s.link()
	if l == nil {
		return s.LastTraffic
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(s.LastTraffic, l.grew)
}

// takeLink gives the session the interface that an event reports.
func (s *Session) takeLink(ev *Event) {
	if ev.Link == nil || ev.IfIndex == 0 || s.State == Ended {
		return
	}
	if l := s.link(); l != nil && l.key == (linkKey{ev.Link.Host, ev.IfIndex}) && !l.isLost() {
		return
	}
	l := newLink(ev, s.usedTraffic())
	s.setRare(func(r *rare) { r.link = l })
}

// dropLink ends the use of the interface. What the session has used becomes part of its usage.
func (s *Session) dropLink() {
	if s.link() == nil {
		return
	}
	s.LastTraffic = s.ActiveAt()
	s.Usage, s.Counted = s.Used()
	s.setRare(func(r *rare) { r.link = nil })
}

// replaceUsage returns the attributes of a packet with these counters in place of its own. Acct-Session-Time
// stays as it is.
func replaceUsage(a radius.Attributes, u *Usage, known UsageFields) radius.Attributes {
	b := make([]byte, 0, len(a)+36)
	for t, v := range a.All() {
		switch t {
		case radius.AcctInputOctets, radius.AcctOutputOctets, radius.AcctInputPackets, radius.AcctOutputPackets,
			radius.AcctInputGigawords, radius.AcctOutputGigawords:
		default:
			b = radius.AppendAttribute(b, t, v)
		}
	}
	types := [...]struct{ low, high radius.Type }{
		{radius.AcctInputOctets, radius.AcctInputGigawords},
		{radius.AcctOutputOctets, radius.AcctOutputGigawords},
		{radius.AcctInputPackets, 0},
		{radius.AcctOutputPackets, 0},
	}
	for i, n := range u.counters() {
		if known>>i&1 == 0 {
			continue
		}
		b = radius.AppendUint32(b, types[i].low, uint32(*n))
		if high := uint32(*n >> 32); high != 0 && types[i].high != 0 {
			b = radius.AppendUint32(b, types[i].high, high)
		}
	}
	return radius.Attributes(b)
}

// recorded returns the attributes of an event as they are recorded: if the session has an interface of
// this host, an interim has its counters.
func (s *Session) recorded(typ EventType, a radius.Attributes) radius.Attributes {
	if s.link() == nil || typ != Interim {
		return a
	}
	u, known := s.Used()
	return replaceUsage(a, &u, known)
}

// appendLink appends what link reads.
func appendLink(b []byte, l *link) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	b = binary.BigEndian.AppendUint64(b, l.key.host)
	shared := byte(0)
	if l.shared {
		shared = 1
	}
	b = append(b, shared)
	for _, t := range [...]*Traffic{&l.used, &l.counted} {
		for _, n := range t {
			b = binary.AppendUvarint(b, n)
		}
	}
	return b
}

// link reads the interface of a session.
func (d *decoder) link(flags byte, s *Session) {
	if flags&moreLink == 0 {
		return
	}
	l := &link{key: linkKey{d.Uint64(), s.IfIndex()}}
	shared := d.Octet()
	l.shared = shared == 1
	for _, t := range [...]*Traffic{&l.used, &l.counted} {
		for i := range t {
			t[i] = d.Uvarint()
		}
	}
	d.Require(shared <= 1 && l.key.host != 0 && s.IfIndex() != 0)
	s.setRare(func(r *rare) { r.link = l })
}
