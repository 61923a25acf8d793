package agentx

import (
	"sync/atomic"
	"time"

	"github.com/posteo/go-agentx/pdu"
)

// Stats are the statistics of a Subagent since New.
type Stats struct {
	Connected      bool      // all subtrees are registered with the master
	Since          time.Time // of the current connection or of its loss; of New before the first connection
	Reason         Reason    // why there is no connection; empty if there is one
	SessionID      uint32    // set by the master; if not connected, the last one
	Connects       uint64    // how often all subtrees were registered: reconnects plus one
	Malformed      uint64    // connections ended by octets that are not a PDU
	NotifyDropped  uint64    // notifications rejected because the queue was full
	NotifySent     uint64    // notifications that the master accepted
	LastError      error     // why the last connection or attempt ended; nil if none has ended
	Received       [pdu.TypeResponse + 1]uint64
	ReceivedOther  uint64 // of a type that RFC 2741 does not define
	ReceivedOctets uint64 // including headers
}

// counters is the part of Stats that is updated for every PDU.
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

// Stats returns a copy of the statistics.
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
