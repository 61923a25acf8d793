package agentx

import (
	"sync/atomic"
	"time"

	"github.com/posteo/go-agentx/pdu"
)

// Stats is what a Subagent has seen since New.
type Stats struct {
	Connected      bool      // all subtrees are registered with the master
	Since          time.Time // of the present connection or of its loss; zero before the first connection
	SessionID      uint32    // that the master gave, the last one if not connected
	Connects       uint64    // how often all subtrees were registered; reconnects are one less
	Malformed      uint64    // connections ended because of octets that are not a PDU
	NotifyDropped  uint64    // notifications refused because the queue was full
	NotifySent     uint64    // notifications that the master took
	LastError      error     // why the last connection or attempt ended, nil if none has
	Received       [pdu.TypeResponse + 1]uint64
	ReceivedOther  uint64 // of a type that RFC 2741 does not define
	ReceivedOctets uint64 // headers included
}

// counters is the part of Stats that counts on the hot path.
type counters struct {
	received      [pdu.TypeResponse + 1]atomic.Uint64 // by h.type
	receivedOther atomic.Uint64
	octets        atomic.Uint64
	malformed     atomic.Uint64
	notifyDropped atomic.Uint64
	notifySent    atomic.Uint64
}

func (c *counters) count(t pdu.Type) {
	if int(t) < len(c.received) {
		c.received[t].Add(1)
		return
	}
	c.receivedOther.Add(1)
}

// Stats gives a copy of the statistics.
func (s *Subagent) Stats() Stats {
	s.mu.Lock()
	st := s.stats
	s.mu.Unlock()
	for t := range st.Received {
		st.Received[t] = s.counters.received[t].Load()
	}
	st.ReceivedOther = s.counters.receivedOther.Load()
	st.ReceivedOctets = s.counters.octets.Load()
	st.Malformed = s.counters.malformed.Load()
	st.NotifyDropped = s.counters.notifyDropped.Load()
	st.NotifySent = s.counters.notifySent.Load()
	return st
}
