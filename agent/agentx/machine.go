package agentx

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"

	"aaasess/mib"
)

// registerPriority is the default priority of RFC 2741 section 6.2.3.
const registerPriority = 127

// machine is one session of the subagent: a PDU in, the answer out. It has no socket, no clock and
// no lock. It belongs to the goroutine that owns the connection. After an error only close and end
// may be called.
type machine struct {
	tree   *mib.Tree
	reader *mib.Reader
	open   Open
	order  byteOrder // of the PDUs that we start; an answer has the order of its request

	sessionID   uint32
	opened      bool // sessionID is valid
	unconfirmed int  // Registers without an answer
	lastPacket  uint32
	awaiting    []request
	outcomes    []outcome   // not yet processed by the loop
	capsRefused error       // of an AddAgentCaps; not yet processed by the loop
	setFailed   error       // of a SET; not yet processed by the loop
	setRefused  *refusedSet // by a TestSet; not yet processed by the loop
	sets        transactions
	by          mib.Requester // requester of SETs

	// Memory that is reused for every PDU, so that read requests allocate nothing.
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
	notify   uint64 // id of the notification, for a Notify
	at       time.Time
}

// outcome is the master's answer to a Notify; err is nil if it accepted the notification.
type outcome struct {
	notify uint64
	err    error
}

func newMachine(tree *mib.Tree, open Open, order byteOrder) *machine {
	return &machine{tree: tree, reader: tree.NewReader(), open: open, order: order}
}

// established reports whether all subtrees are registered.
func (m *machine) established() bool { return m.opened && m.unconfirmed == 0 }

// ask appends a PDU of ours and records that it awaits an answer.
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

// start appends the Open that starts the session.
func (m *machine) start(out []byte, now time.Time) []byte { return m.ask(out, &m.open, now) }

func (m *machine) ping(out []byte, now time.Time) []byte { return m.ask(out, &Ping{}, now) }

// notify appends a Notify. Its outcome will have this id.
func (m *machine) notify(out []byte, id uint64, vbs []mib.Varbind, now time.Time) []byte {
	out = m.ask(out, &Notify{Varbinds: vbs}, now)
	m.awaiting[len(m.awaiting)-1].notify = id
	return out
}

// close appends a Close if the session is open.
func (m *machine) close(out []byte, reason pdu.Reason) []byte {
	if !m.opened {
		return out
	}
	m.lastPacket++
	return AppendPDU(out, Header{Flags: m.flags(), SessionID: m.sessionID, PacketID: m.lastPacket}, &Close{Reason: reason})
}

// end ends the session after the connection was lost. Committed SETs are final and tested ones are
// dropped: a new connection is a new session, so no master can refer to them.
func (m *machine) end() { m.sets.cleanupAll() }

// oldest returns when we sent the unanswered PDU that has waited longest.
func (m *machine) oldest() (at time.Time, waiting bool) {
	if len(m.awaiting) == 0 {
		return time.Time{}, false
	}
	return m.awaiting[0].at, true
}

// giveUpCaps forgets the AddAgentCaps that the master has not answered since a time, and reports
// whether there were any. Unlike other PDUs, they are not worth a new session: it would be no
// better, and the objects are served without a row in sysORTable.
func (m *machine) giveUpCaps(since time.Time) bool {
	before := len(m.awaiting)
	m.awaiting = slices.DeleteFunc(m.awaiting, func(r request) bool {
		return r.kind == pdu.TypeAddAgentCaps && !r.at.After(since)
	})
	return len(m.awaiting) < before
}

// handle processes one PDU of the master (b is the whole PDU with its header) and appends the
// answer, if there is one. An error ends the session: it wraps ErrMalformed or ErrProtocol, or is a
// *RefusedError or a *ClosedError.
func (m *machine) handle(h Header, b, out []byte, now time.Time) ([]byte, error) {
	p := m.payload(h.Type)
	if p == nil {
		return out, fmt.Errorf("%w: unknown PDU %s", ErrMalformed, typeName(h.Type))
	}
	if err := parsePayload(&h, b, p, &m.cur); err != nil {
		return out, err
	}
	switch h.Type {
	case pdu.TypeGet, pdu.TypeGetNext, pdu.TypeGetBulk, pdu.TypeTestSet, pdu.TypeCommitSet, pdu.TypeUndoSet, pdu.TypePing:
		// RFC 2741 section 7.2.2: in this order.
		if !m.opened || h.SessionID != m.sessionID {
			m.keepRefused(&h, p, pdu.ErrorNotOpen, 0)
			return appendStatus(out, &h, pdu.ErrorNotOpen, 0), nil
		}
		if h.Flags&pdu.FlagNonDefaultContext != 0 {
			m.keepRefused(&h, p, pdu.ErrorUnsupportedContext, 0)
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

// payload returns the memory for parsing a PDU of type t; read requests reuse it.
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

func (m *machine) answer(h *Header, p Payload, out []byte) []byte {
	switch p := p.(type) {
	case *Get:
		return m.appendGet(out, h)
	case *GetNext:
		return m.appendNext(out, h)
	case *GetBulk:
		return m.appendBulk(out, h)
	case *TestSet:
		code, index := m.test(h, p)
		m.takeFailure(h.TransactionID)
		return appendStatus(out, h, code, index)
	case *CommitSet:
		code, index := m.sets.commit(h.TransactionID)
		m.takeFailure(h.TransactionID)
		return appendStatus(out, h, code, index)
	case *UndoSet:
		code, index := m.sets.undo(h.TransactionID)
		m.takeFailure(h.TransactionID)
		return appendStatus(out, h, code, index)
	}
	return appendStatus(out, h, pdu.ErrorNone, 0) // Ping
}

// takeFailure keeps why a SET failed for the loop, which logs it. The answer has
// room for a number only.
func (m *machine) takeFailure(transaction uint32) {
	if t := m.sets.find(transaction); t != nil && t.failure != nil {
		m.setFailed = errors.Join(m.setFailed, t.failure)
		t.failure = nil
	}
}

// answered processes the master's Response to a PDU of ours. A Response that matches no request is
// dropped (RFC 2741 section 7.2.2).
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
	switch req.kind {
	case pdu.TypeNotify: // concerns its sender, not the session
		m.outcomes = append(m.outcomes, outcome{req.notify, refused})
		return out, nil
	case pdu.TypeAddAgentCaps: // the objects are served without a row in sysORTable
		m.capsRefused = cmp.Or(m.capsRefused, refused)
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
	default:
		return out, nil
	}
	if m.established() {
		out = m.addAgentCaps(out, now)
	}
	return out, nil
}

// addAgentCaps appends an AddAgentCaps for each module with an identity. It follows the last
// Register, so a subagent whose registration is refused does not appear in sysORTable.
func (m *machine) addAgentCaps(out []byte, now time.Time) []byte {
	for _, id := range m.tree.Identities() {
		out = m.ask(out, &AddAgentCaps{ID: value.OID(id.ID), Descr: id.Descr}, now)
	}
	return out
}
