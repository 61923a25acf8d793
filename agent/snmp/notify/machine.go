package notify

import (
	"fmt"
	"slices"
	"time"

	"aaasess/agent/snmp/wire"
)

const (
	// maxUnderWay is how many informs wait for the responses of one target.
	maxUnderWay = 16
	// maxAgain is how often an attempt begins anew at once because the receiver reported its engine
	// or its clock. More than that is a receiver that does not know itself, and waits for its timeout.
	maxAgain = 2
)

// machine is the informs under way to one target, and what their receiver is known to be: no socket,
// no goroutine, no timer. Time and octets go in, octets come out. It belongs to one goroutine.
//
//	        add                 next: message sent             response
//	queue ------> due, try 1 -----------------------> sent ---------------> acknowledged, refused
//	               ^   ^                              |  |
//	               |   '--- report: engine, clock ----'  | timeout
//	               '---------- tries left ---------------+--------------> timed out
//
// An attempt that cannot be sent, because the engine is being discovered or its clock read, times out
// like one that was.
type machine struct {
	receiver *receiver
	encoder  *encoder
	remote   *remote      // nil: v2c
	newID    func() int32 // 0..2^31-1, not to be guessed: a v2c response has no other proof

	pending []*inform // at most maxUnderWay, the oldest first
	probe   probe
	last    *inform // whose message next gave last; nil: it was the probe

	counts counts
	err    error // what went wrong since the owner looked
	lost   bool  // an attempt stayed without response since the owner looked

	// Memory for receive.
	msg    wire.Message
	params wire.SecurityParameters
	scoped wire.ScopedPDU
	pdu    wire.PDU
}

// inform is a notification under way.
type inform struct {
	note      *notification
	requestID int32   // of all its messages
	msgIDs    []int32 // v3: of each of its messages
	tries     int     // attempts begun
	again     int     // messages that this attempt had to repeat at once
	sent      bool    // this attempt's message is out
	ever      bool    // some attempt's message is, or was
	first     bool    // the last message was the first
	begun     time.Time
	deadline  time.Time // of this attempt
	reported  string    // what came that does not settle it
}

// probe is the discovery of an engine (RFC 3414 section 4).
type probe struct {
	sent     bool      // else there is none
	msgID    int32     // of all its messages
	deadline time.Time // when it is sent again
}

// is reports whether a probe has this msgID.
func (p *probe) is(msgID int32) bool { return p.sent && p.msgID == msgID }

// counts is what has become of notifications and datagrams.
type counts struct {
	sent, retransmitted, acknowledged, timedOut, refused, ignored uint64
}

// newMachine makes a machine for a receiver of informs.
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

// add takes an inform under way. There must be room.
func (m *machine) add(note *notification, now time.Time) {
	in := &inform{note: note, tries: 1, begun: now, deadline: now.Add(m.receiver.Timeout)}
	for {
		in.requestID = m.newID()
		if m.byRequestID(in.requestID) == nil {
			break
		}
	}
	m.pending = append(m.pending, in)
}

// next ends what has timed out, and gives a message to send now, nil if there is none. It is called
// until there is none.
func (m *machine) next(now time.Time) []byte {
	m.expire(now)
	if m.remote != nil && m.remote.id == nil {
		return m.discover(now)
	}
	for _, in := range slices.Clone(m.pending) {
		switch {
		case in.sent && m.remote != nil && !m.remote.synchronised():
			return nil // one inform is enough to be told the clock
		case in.sent:
		case m.tooLarge(in):
			m.refuse(in, ErrTooLarge)
		default:
			return m.transmit(in, now)
		}
	}
	return nil
}

// deadline is when expire has something to do; zero: never.
func (m *machine) deadline() time.Time {
	var at time.Time
	for _, in := range m.pending {
		if at.IsZero() || in.deadline.Before(at) {
			at = in.deadline
		}
	}
	return at
}

// wakeAt is when next has something to do if nothing else happens; zero: never.
func (m *machine) wakeAt() time.Time {
	at := m.deadline()
	if at.IsZero() || m.remote == nil || m.remote.id != nil || at.Before(m.probe.deadline) {
		return at
	}
	return m.probe.deadline
}

// unsent tells that the message that next gave last could not be sent. Its attempt waits for the next
// socket, or for its timeout.
func (m *machine) unsent() {
	switch in := m.last; {
	case in == nil:
		m.probe.deadline = time.Time{}
	case in.first:
		in.sent, in.ever = false, false
		m.counts.sent--
	default:
		in.sent = false
		m.counts.retransmitted--
	}
}

// refuse gives up on an inform that cannot be sent at all.
func (m *machine) refuse(in *inform, err error) {
	m.remove(in)
	m.counts.refused++
	m.err = err
}

// expire ends the attempts whose time is over.
func (m *machine) expire(now time.Time) {
	for _, in := range slices.Clone(m.pending) {
		if now.Before(in.deadline) {
			continue
		}
		m.lost = true
		if in.tries > m.receiver.Retries {
			m.timeOut(in)
			continue
		}
		in.tries++
		in.again, in.sent, in.deadline = 0, false, now.Add(m.receiver.Timeout)
	}
	if len(m.pending) == 0 {
		m.probe = probe{}
	}
}

// timeOut gives up on an inform.
func (m *machine) timeOut(in *inform) {
	m.remove(in)
	m.counts.timedOut++
	m.err = fmt.Errorf("%w in %d attempts", ErrNoResponse, in.tries)
	if in.reported != "" {
		m.err = fmt.Errorf("%w; %s", m.err, in.reported)
	}
	if m.remote != nil && m.remote.heard.Before(in.begun) {
		// It may be another engine by now, or one that lost its boots: RFC 3414 section 3.2 step 7b
		// would keep the two apart for good. As only an answer to a message of ours is believed, no
		// old one can be played in.
		m.remote.forget()
	}
}

// discover gives the message that has the receiver report its engine id.
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

// transmit gives the message of an inform.
func (m *machine) transmit(in *inform, now time.Time) []byte {
	in.first = !in.ever
	if in.first {
		m.counts.sent++
	} else {
		m.counts.retransmitted++
	}
	m.last = in
	in.sent, in.ever, in.deadline = true, true, now.Add(m.receiver.Timeout)
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

// tooLarge reports whether the receiver said that it does not take messages as large as this.
func (m *machine) tooLarge(in *inform) bool {
	return m.receiver.size(len(in.note.varbinds), len(m.encoder.context)) > int(m.limit())
}

// repeat has the message of an attempt sent again at once, with a new engine id or clock.
func (m *machine) repeat(in *inform) {
	if in.sent && in.again < maxAgain {
		in.again++
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

// newMsgID gives a msgID that no message without answer has.
func (m *machine) newMsgID() int32 {
	for {
		id := m.newID()
		if m.byMsgID(id) == nil && !m.probe.is(id) {
			return id
		}
	}
}

// limit is how many octets a message may have.
func (m *machine) limit() int32 {
	if m.remote == nil || m.remote.maxSize == 0 {
		return m.encoder.maxSize
	}
	return min(m.encoder.maxSize, m.remote.maxSize)
}
