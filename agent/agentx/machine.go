package agentx

import (
	"fmt"
	"time"

	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"

	"aaasess/mib"
)

// registerPriority is what RFC 2741 section 6.2.3 gives to those who do not care.
const registerPriority = 127

// machine is one session as the subagent sees it: a PDU in, the answer out. It has no socket, no
// clock and no lock; the goroutine that owns the connection owns it. After an error it is spent:
// only close and end may still be called.
type machine struct {
	tree   *mib.Tree
	reader *mib.Reader
	open   Open
	order  byteOrder // of the PDUs that we start; an answer has the order of its request

	sessionID   uint32
	opened      bool // sessionID counts
	unconfirmed int  // Registers without an answer yet
	lastPacket  uint32
	awaiting    []request
	outcomes    []outcome // for the session to take
	sets        transactions
	by          mib.Requester // of SETs

	// Memory that is used again from PDU to PDU, so that reading costs no garbage.
	cur  cursor
	get  Get
	next GetNext
	bulk GetBulk
	vb   mib.Varbind
}

// request is a PDU of ours that the master has not answered yet.
type request struct {
	kind     pdu.Type
	packetID uint32
	notify   uint64 // which notification, for a Notify
	at       time.Time
}

// outcome is the master's answer to a Notify, nil if it took it.
type outcome struct {
	notify uint64
	err    error
}

func newMachine(tree *mib.Tree, open Open, order byteOrder) *machine {
	return &machine{tree: tree, reader: tree.NewReader(), open: open, order: order}
}

// established reports whether all subtrees are registered.
func (m *machine) established() bool { return m.opened && m.unconfirmed == 0 }

// ask appends a PDU of ours and remembers that it wants an answer.
func (m *machine) ask(out []byte, p Payload, now time.Time) []byte {
	m.lastPacket++
	m.awaiting = append(m.awaiting, request{kind: p.Type(), packetID: m.lastPacket, at: now})
	return AppendPDU(out, Header{Flags: m.flags(), SessionID: m.sessionID, PacketID: m.lastPacket}, p)
}

func (m *machine) flags() pdu.Flags {
	if m.order == bigEndian {
		return pdu.FlagNetworkByteOrder
	}
	return 0
}

// start appends the Open that begins the session.
func (m *machine) start(out []byte, now time.Time) []byte { return m.ask(out, &m.open, now) }

// ping appends a Ping.
func (m *machine) ping(out []byte, now time.Time) []byte { return m.ask(out, &Ping{}, now) }

// notify appends a Notify, whose outcome will carry id.
func (m *machine) notify(out []byte, id uint64, vbs []mib.Varbind, now time.Time) []byte {
	out = m.ask(out, &Notify{Varbinds: vbs}, now)
	m.awaiting[len(m.awaiting)-1].notify = id
	return out
}

// close appends a Close, if there is a session to close.
func (m *machine) close(out []byte, reason pdu.Reason) []byte {
	if !m.opened {
		return out
	}
	m.lastPacket++
	return AppendPDU(out, Header{Flags: m.flags(), SessionID: m.sessionID, PacketID: m.lastPacket}, &Close{Reason: reason})
}

// end tells the machine that the connection is gone. What was committed is final, what was only
// tested is dropped: no master can come back to either, for a new connection is a new session.
func (m *machine) end() { m.sets.cleanupAll() }

// oldest is when we sent the PDU that has waited longest for its answer.
func (m *machine) oldest() (at time.Time, waiting bool) {
	if len(m.awaiting) == 0 {
		return time.Time{}, false
	}
	return m.awaiting[0].at, true
}

// handle takes one PDU of the master (b is all of it, header included) and appends the answer, if
// it has one. An error ends the session: it wraps ErrMalformed or ErrProtocol, or is a
// *RefusedError or a *ClosedError.
func (m *machine) handle(h Header, b, out []byte, now time.Time) ([]byte, error) {
	p := m.payload(h.Type)
	if p == nil {
		return out, fmt.Errorf("%w: %s is not known", ErrMalformed, typeName(h.Type))
	}
	if err := parsePayload(&h, b, p, &m.cur); err != nil {
		return out, err
	}
	switch h.Type {
	case pdu.TypeGet, pdu.TypeGetNext, pdu.TypeGetBulk, pdu.TypeTestSet, pdu.TypeCommitSet, pdu.TypeUndoSet, pdu.TypePing:
		// RFC 2741 section 7.2.2: in this order.
		if !m.opened || h.SessionID != m.sessionID {
			return appendStatus(out, &h, pdu.ErrorNotOpen, 0), nil
		}
		if h.Flags&pdu.FlagNonDefaultContext != 0 {
			return appendStatus(out, &h, pdu.ErrorUnsupportedContext, 0), nil
		}
		return m.answer(&h, p, out), nil
	case pdu.TypeCleanupSet:
		if m.opened && h.SessionID == m.sessionID {
			m.sets.cleanup(h.TransactionID)
		}
		return out, nil
	case pdu.TypeResponse:
		return m.answered(&h, p.(*Response), out, now)
	case pdu.TypeClose:
		return out, &ClosedError{Reason: p.(*Close).Reason}
	}
	return out, fmt.Errorf("%w: %s", ErrProtocol, typeName(h.Type))
}

// payload is where a PDU of a type is parsed to: for reading always the same memory.
func (m *machine) payload(t pdu.Type) Payload {
	switch t {
	case pdu.TypeGet:
		return &m.get
	case pdu.TypeGetNext:
		return &m.next
	case pdu.TypeGetBulk:
		return &m.bulk
	}
	return newPayload(t)
}

// answer appends the Response to a request that may be served.
func (m *machine) answer(h *Header, p Payload, out []byte) []byte {
	switch p := p.(type) {
	case *Get:
		return m.appendGet(out, h)
	case *GetNext:
		return m.appendNext(out, h)
	case *GetBulk:
		return m.appendBulk(out, h)
	case *TestSet:
		code, index := m.sets.test(m.tree, m.by, h, p.Varbinds)
		return appendStatus(out, h, code, index)
	case *CommitSet:
		code, index := m.sets.commit(h.TransactionID)
		return appendStatus(out, h, code, index)
	case *UndoSet:
		code, index := m.sets.undo(h.TransactionID)
		return appendStatus(out, h, code, index)
	}
	return appendStatus(out, h, pdu.ErrorNone, 0) // Ping
}

// answered takes the master's Response to a PDU of ours. One that answers nothing is dropped
// (RFC 2741 section 7.2.2).
func (m *machine) answered(h *Header, r *Response, out []byte, now time.Time) ([]byte, error) {
	i := 0
	for ; i < len(m.awaiting) && m.awaiting[i].packetID != h.PacketID; i++ {
	}
	if i == len(m.awaiting) {
		return out, nil
	}
	req := m.awaiting[i]
	m.awaiting = append(m.awaiting[:i], m.awaiting[i+1:]...)
	var refused error
	if r.Error != pdu.ErrorNone {
		refused = &RefusedError{Type: req.kind, Code: r.Error, Index: int(r.Index)}
	}
	if req.kind == pdu.TypeNotify { // concerns its sender, not the session
		m.outcomes = append(m.outcomes, outcome{req.notify, refused})
		return out, nil
	}
	if refused != nil {
		return out, refused
	}
	switch req.kind {
	case pdu.TypeOpen:
		m.sessionID, m.opened = h.SessionID, true
		for _, root := range m.tree.Roots() {
			out = m.ask(out, &Register{Priority: registerPriority, Subtree: value.OID(root)}, now)
			m.unconfirmed++
		}
	case pdu.TypeRegister:
		m.unconfirmed--
	}
	return out, nil
}
