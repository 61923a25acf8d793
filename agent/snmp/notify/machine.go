package notify

import (
	"fmt"
	"slices"
	"time"

	"aaasess/agent/snmp/wire"
)

const (
	// maxUnderWay is how many informs of one target may wait for responses.
	maxUnderWay = 16
	// maxRepeats is how often an attempt is repeated at once because the receiver reported its
	// engine id or its clock. A receiver that reports more often is inconsistent, and must wait for
	// the timeout.
	maxRepeats = 2
)

// machine has the informs in flight to one target, and the state of their receiver. It has no
// socket, no goroutine and no timer: its input is time and datagrams, its output is datagrams, and the
// outcomes of notifications that somebody waits for. It belongs to one goroutine.
//
//	        add                 next: message sent             response
//	queue ------> due, try 1 -----------------------> sent ---------------> acknowledged, refused
//	               ^   ^                              |  |
//	               |   '--- report: engine, clock ----'  | timeout
//	               '---------- tries left ---------------+--------------> timed out
//
// An attempt that cannot be sent, because the engine is being discovered or its clock read, times
// out like one that was sent.
type machine struct {
	receiver *receiver
	encoder  *encoder
	remote   *remote      // nil for v2c
	newID    func() int32 // 0..2^31-1, unpredictable: a v2c response has no other proof

	pending []*inform // at most maxUnderWay, the oldest first
	probe   probe
	last    *inform // the inform whose message next returned last; nil if it was the probe

	counts     counts
	err        error // last problem since the owner looked
	unanswered bool  // an attempt got no response since the owner looked

	// Memory for receive.
	msg    wire.Message
	params wire.SecurityParameters
	scoped wire.ScopedPDU
	pdu    wire.PDU
}

// inform is a notification in flight.
type inform struct {
	note      *notification
	requestID int32   // the same in all its messages
	msgIDs    []int32 // v3: one for each message
	tries     int     // attempts so far
	repeats   int     // immediate repetitions in this attempt
	sent      bool    // the message of this attempt was sent
	everSent  bool    // a message of any attempt was sent
	first     bool    // the last message was the first one
	started   time.Time
	deadline  time.Time // of this attempt
	hint      string    // an answer that did not settle it, for the error text
}

// probe is the discovery of an engine id (RFC 3414 section 4).
type probe struct {
	sent     bool      // a discovery is in progress
	msgID    int32     // the same in all its messages
	deadline time.Time // when it is sent again
}

// matches reports whether the probe has this msgID.
func (p *probe) matches(msgID int32) bool { return p.sent && p.msgID == msgID }

// counts are the statistics of notifications and datagrams.
type counts struct {
	sent, retransmitted, acknowledged, timedOut, refused, ignored uint64
}

func newMachine(r *receiver, own []byte, maxSize int32, newID func() int32) (*machine, error) {
	m := &machine{
		receiver: r, encoder: &encoder{maxSize: maxSize, context: own}, newID: newID,
	}
	if r.Version != wire.Version3 {
		return m, nil
	}
	var err error
	m.remote, err = newRemote(r, own)
	return m, err
}

// hasRoom reports whether add may be called.
func (m *machine) hasRoom() bool { return len(m.pending) < maxUnderWay }

// add puts an inform in flight. There must be room.
func (m *machine) add(note *notification, now time.Time) {
	in := &inform{note: note, tries: 1, started: now, deadline: now.Add(m.receiver.Timeout)}
	for {
		in.requestID = m.newID()
		if m.byRequestID(in.requestID) == nil {
			break
		}
	}
	m.pending = append(m.pending, in)
}

// next handles timeouts and returns a message to send now, or nil. The caller repeats it until it
// returns nil.
func (m *machine) next(now time.Time) []byte {
	m.expire(now)
	if m.remote != nil && m.remote.id == nil {
		return m.discover(now)
	}
	for _, in := range slices.Clone(m.pending) {
		switch {
		case in.sent && m.remote != nil && !m.remote.synchronised():
			return nil // one inform is enough to learn the clock
		case in.sent:
		case m.tooLarge(in):
			m.reject(in, ErrTooLarge, now)
		default:
			return m.transmit(in, now)
		}
	}
	return nil
}

// deadline returns when expire has something to do; zero means never.
func (m *machine) deadline() time.Time {
	var at time.Time
	for _, in := range m.pending {
		if at.IsZero() || in.deadline.Before(at) {
			at = in.deadline
		}
	}
	return at
}

// wakeAt returns when next has something to do without an event; zero means never.
func (m *machine) wakeAt() time.Time {
	at := m.deadline()
	if at.IsZero() || m.remote == nil || m.remote.id != nil || at.Before(m.probe.deadline) {
		return at
	}
	return m.probe.deadline
}

// undoSend reports that the last message of next could not be sent. Its attempt waits for the next
// socket, or for its timeout.
func (m *machine) undoSend() {
	switch in := m.last; {
	case in == nil:
		m.probe.deadline = time.Time{}
	case in.first:
		in.sent, in.everSent = false, false
		m.counts.sent--
	default:
		in.sent = false
		m.counts.retransmitted--
	}
}

// reject gives up an inform that cannot be sent at all.
func (m *machine) reject(in *inform, err error, now time.Time) {
	m.remove(in)
	m.counts.refused++
	m.err = err
	in.note.end(err, now)
}

// expire ends the attempts whose time is over.
func (m *machine) expire(now time.Time) {
	for _, in := range slices.Clone(m.pending) {
		if now.Before(in.deadline) {
			continue
		}
		m.unanswered = true
		if in.tries > m.receiver.Retries {
			m.timeOut(in, now)
			continue
		}
		in.tries++
		in.repeats, in.sent, in.deadline = 0, false, now.Add(m.receiver.Timeout)
	}
	if len(m.pending) == 0 {
		m.probe = probe{}
	}
}

func (m *machine) timeOut(in *inform, now time.Time) {
	m.remove(in)
	m.counts.timedOut++
	m.err = fmt.Errorf("%w in %d attempts", ErrNoResponse, in.tries)
	if in.hint != "" {
		m.err = fmt.Errorf("%w; %s", m.err, in.hint)
	}
	in.note.end(m.err, now)
	if m.remote != nil && m.remote.lastAuthentic.Before(in.started) {
		// The receiver may be another engine by now, or may have lost its boots. By RFC 3414
		// section 3.2 step 7b we would then reject its messages forever. Forgetting is safe: only
		// an answer to a message of ours is accepted, so old messages cannot be replayed.
		m.remote.forget()
	}
}

// discover returns the message that makes the receiver report its engine id.
func (m *machine) discover(now time.Time) []byte {
	if len(m.pending) == 0 || now.Before(m.probe.deadline) {
		return nil
	}
	if !m.probe.sent {
		m.probe.sent, m.probe.msgID = true, m.newMsgID()
	}
	m.probe.deadline = now.Add(m.receiver.Timeout)
	m.last = nil
	a := authority{level: wire.NoAuthNoPriv}
	return m.encoder.usm(wire.GetRequest, &a, m.probe.msgID, m.newID(), nil)
}

func (m *machine) transmit(in *inform, now time.Time) []byte {
	in.first = !in.everSent
	if in.first {
		m.counts.sent++
	} else {
		m.counts.retransmitted++
	}
	m.last = in
	in.sent, in.everSent, in.deadline = true, true, now.Add(m.receiver.Timeout)
	if m.remote == nil {
		return m.encoder.community(wire.InformRequest, m.receiver.Community, in.requestID, in.note.varbinds)
	}
	msgID := m.newMsgID()
	in.msgIDs = append(in.msgIDs, msgID)
	boots, seconds := m.remote.clock(now)
	a := authority{
		engineID: m.remote.id, boots: boots, time: seconds,
		user: m.receiver.User.Name, level: m.receiver.User.Level(), keys: m.remote.keys,
	}
	return m.encoder.usm(wire.InformRequest, &a, msgID, in.requestID, in.note.varbinds)
}

// tooLarge reports whether the message exceeds the receiver's announced maximum size.
func (m *machine) tooLarge(in *inform) bool {
	return m.receiver.size(len(in.note.varbinds), len(m.encoder.context)) > int(m.limit())
}

// repeat sends the message of an attempt again at once, with a new engine id or clock.
func (m *machine) repeat(in *inform) {
	if in.sent && in.repeats < maxRepeats {
		in.repeats++
		in.sent = false
	}
}

func (m *machine) remove(in *inform) {
	m.pending = slices.DeleteFunc(m.pending, func(other *inform) bool { return other == in })
}

func (m *machine) byRequestID(id int32) *inform {
	for _, in := range m.pending {
		if in.requestID == id {
			return in
		}
	}
	return nil
}

func (m *machine) byMsgID(id int32) *inform {
	for _, in := range m.pending {
		if slices.Contains(in.msgIDs, id) {
			return in
		}
	}
	return nil
}

// newMsgID returns a msgID that no unanswered message has.
func (m *machine) newMsgID() int32 {
	for {
		id := m.newID()
		if m.byMsgID(id) == nil && !m.probe.matches(id) {
			return id
		}
	}
}

// limit returns the maximum size of a message in octets.
func (m *machine) limit() int32 {
	if m.remote == nil || m.remote.maxSize == 0 {
		return m.encoder.maxSize
	}
	return min(m.encoder.maxSize, m.remote.maxSize)
}
