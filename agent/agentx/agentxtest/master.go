package agentxtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/posteo/go-agentx/pdu"

	"aaasess/agent/agentx"
	"aaasess/mib"
)

// answerTimeout is how long a Master waits for an answer. A subagent should need much less than
// snmpd's timeout of one second; a longer wait would only hide that it hangs.
const answerTimeout = 5 * time.Second

// ErrGone is returned if the connection ends before the answer.
var ErrGone = errors.New("agentxtest: the subagent is gone")

// Master is the master agent's side of one connection.
type Master struct {
	conn      net.Conn
	answer    func(agentx.Header, agentx.Payload) *agentx.Response
	out       chan []byte
	responses chan message
	gone      chan struct{} // closed when nothing more can be read
	closed    chan struct{} // closed by Close
	closeOnce sync.Once

	mu        sync.Mutex
	flags     pdu.Flags // byte order of the subagent's Open, which snmpd uses too
	sessionID uint32
	packetID  uint32
	roots     []mib.OID
	modules   []mib.Identity
}

type message struct {
	header   agentx.Header
	response *agentx.Response
}

// NewMaster runs the master's side of a connection and assigns the session id. answer decides about
// each PDU that is not a Response: nil means no answer. If answer is nil, [Agree] is used.
func NewMaster(conn net.Conn, sessionID uint32, answer func(agentx.Header, agentx.Payload) *agentx.Response) *Master {
	if answer == nil {
		answer = Agree
	}
	m := &Master{
		conn: conn, answer: answer, sessionID: sessionID,
		out: make(chan []byte, 1024), responses: make(chan message, 1024), gone: make(chan struct{}),
		closed: make(chan struct{}),
	}
	go m.write()
	go m.read()
	return m
}

// Agree answers everything with noError, except a Close, which gets no answer.
func Agree(_ agentx.Header, p agentx.Payload) *agentx.Response {
	if p.Type() == pdu.TypeClose {
		return nil
	}
	return &agentx.Response{}
}

// Refuse returns an answer function that refuses PDUs of one type and accepts the others.
func Refuse(t pdu.Type, code pdu.Error) func(agentx.Header, agentx.Payload) *agentx.Response {
	return func(h agentx.Header, p agentx.Payload) *agentx.Response {
		if p.Type() == t {
			return &agentx.Response{Error: code}
		}
		return Agree(h, p)
	}
}

func (m *Master) write() {
	for {
		select {
		case b := <-m.out:
			if _, err := m.conn.Write(b); err != nil {
				m.conn.Close() // read sees it, and remaining output is dropped here
			}
		case <-m.gone:
			return
		}
	}
}

func (m *Master) read() {
	defer close(m.gone)
	defer m.conn.Close()
	r := bufio.NewReaderSize(m.conn, 1<<16)
	for {
		h, p, err := readPDU(r)
		if err != nil {
			return
		}
		if resp, ok := p.(*agentx.Response); ok {
			select {
			case m.responses <- message{h, resp}:
			case <-m.closed:
				return
			}
			continue
		}
		m.record(h, p)
		if resp := m.answer(h, p); resp != nil {
			h.SessionID = m.SessionID()
			m.SendRaw(agentx.AppendPDU(nil, h, resp))
		}
	}
}

// record stores what the master must know about its subagent.
func (m *Master) record(h agentx.Header, p agentx.Payload) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch p := p.(type) {
	case *agentx.Open:
		m.flags = h.Flags & pdu.FlagNetworkByteOrder
	case *agentx.Register:
		m.roots = append(m.roots, mib.OID(p.Subtree))
	case *agentx.AddAgentCaps:
		m.modules = append(m.modules, mib.Identity{ID: mib.OID(p.ID), Descr: p.Descr})
	}
}

func readPDU(r io.Reader) (agentx.Header, agentx.Payload, error) {
	b := make([]byte, agentx.HeaderSize)
	if _, err := io.ReadFull(r, b); err != nil {
		return agentx.Header{}, nil, err
	}
	h, err := agentx.ParseHeader(b)
	if err != nil {
		return h, nil, err
	}
	b = append(b, make([]byte, h.PayloadLength)...)
	if _, err := io.ReadFull(r, b[agentx.HeaderSize:]); err != nil {
		return h, nil, err
	}
	return agentx.ParsePDU(b)
}

func (m *Master) SessionID() uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sessionID
}

// Roots returns the subtrees that the subagent has registered so far.
func (m *Master) Roots() []mib.OID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]mib.OID(nil), m.roots...)
}

// Modules returns what the subagent has added to sysORTable so far.
func (m *Master) Modules() []mib.Identity {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]mib.Identity(nil), m.modules...)
}

// Gone is closed when either side has closed the connection.
func (m *Master) Gone() <-chan struct{} { return m.gone }

// Close closes the connection without a Close PDU, as snmpd does when it stops.
func (m *Master) Close() error {
	m.closeOnce.Do(func() { close(m.closed) })
	return m.conn.Close()
}

// SendRaw sends any octets. If the connection is closed it does nothing.
func (m *Master) SendRaw(b []byte) {
	select {
	case m.out <- b:
	case <-m.gone:
	case <-m.closed:
	}
}

// Header returns the header for a request of this session, with a new packet id, which is also its
// transaction id.
func (m *Master) Header() agentx.Header {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.packetID++
	return agentx.Header{Flags: m.flags, SessionID: m.sessionID, TransactionID: m.packetID, PacketID: m.packetID}
}

func (m *Master) Send(h agentx.Header, p agentx.Payload) { m.SendRaw(agentx.AppendPDU(nil, h, p)) }

// Receive waits for the next Response of the subagent.
func (m *Master) Receive() (agentx.Header, *agentx.Response, error) {
	timer := time.NewTimer(answerTimeout)
	defer timer.Stop()
	select {
	case r := <-m.responses:
		return r.header, r.response, nil
	case <-m.gone:
	case <-timer.C:
		return agentx.Header{}, nil, errors.New("agentxtest: no answer")
	}
	select { // it may have answered before it closed
	case r := <-m.responses:
		return r.header, r.response, nil
	default:
		return agentx.Header{}, nil, ErrGone
	}
}

// Exchange sends a PDU and waits for its Response. A Response to another PDU is an error.
func (m *Master) Exchange(h agentx.Header, p agentx.Payload) (*agentx.Response, error) {
	m.Send(h, p)
	rh, r, err := m.Receive()
	if err != nil {
		return nil, err
	}
	if rh.SessionID != h.SessionID || rh.TransactionID != h.TransactionID || rh.PacketID != h.PacketID {
		return nil, fmt.Errorf("agentxtest: request header %+v, response header %+v", h, rh)
	}
	return r, nil
}
