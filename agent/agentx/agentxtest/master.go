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

// patience is how long a Master waits for an answer. A subagent should need far less than the second
// that snmpd gives it; more would only hide that it hangs.
const patience = 5 * time.Second

// ErrGone is returned when the connection ends before an answer.
var ErrGone = errors.New("agentxtest: the subagent is gone")

// Master is the master agent's end of one connection.
type Master struct {
	conn      net.Conn
	answer    func(agentx.Header, agentx.Payload) *agentx.Response
	out       chan []byte
	responses chan message
	gone      chan struct{} // closed when nothing more can be read
	closed    chan struct{} // closed by Close
	closeOnce sync.Once

	mu        sync.Mutex
	flags     pdu.Flags // the byte order of the subagent's Open, as snmpd mirrors it
	sessionID uint32
	packetID  uint32
	roots     []mib.OID
}

type message struct {
	header   agentx.Header
	response *agentx.Response
}

// NewMaster plays the master's side of a connection, on which it gives the session id. The
// function answer decides about each PDU that is not a Response: nil means that it is not answered.
// A nil function means [Agree].
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

// Agree answers everything with noError, but a Close not at all.
func Agree(_ agentx.Header, p agentx.Payload) *agentx.Response {
	if p.Type() == pdu.TypeClose {
		return nil
	}
	return &agentx.Response{}
}

// Refuse gives an answer function that refuses PDUs of one type and agrees to the others.
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
				m.conn.Close() // read sees it, and what is still to be sent is dropped here
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
		m.note(h, p)
		if resp := m.answer(h, p); resp != nil {
			h.SessionID = m.SessionID()
			m.SendRaw(agentx.AppendPDU(nil, h, resp))
		}
	}
}

// note keeps what the master must know of its subagent.
func (m *Master) note(h agentx.Header, p agentx.Payload) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch p := p.(type) {
	case *agentx.Open:
		m.flags = h.Flags & pdu.FlagNetworkByteOrder
	case *agentx.Register:
		m.roots = append(m.roots, mib.OID(p.Subtree))
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

// SessionID is the id of the session.
func (m *Master) SessionID() uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sessionID
}

// Roots are the subtrees that the subagent has asked for so far.
func (m *Master) Roots() []mib.OID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]mib.OID(nil), m.roots...)
}

// Gone is closed when the subagent has closed the connection, or the Master has.
func (m *Master) Gone() <-chan struct{} { return m.gone }

// Close ends the connection without a word, as snmpd does when it is told to stop.
func (m *Master) Close() error {
	m.closeOnce.Do(func() { close(m.closed) })
	return m.conn.Close()
}

// SendRaw sends octets that need not be a PDU. On a connection that is gone it does nothing.
func (m *Master) SendRaw(b []byte) {
	select {
	case m.out <- b:
	case <-m.gone:
	case <-m.closed:
	}
}

// Header makes the header of a request of this session, with a packet id of its own, which is also
// its transaction id.
func (m *Master) Header() agentx.Header {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.packetID++
	return agentx.Header{Flags: m.flags, SessionID: m.sessionID, TransactionID: m.packetID, PacketID: m.packetID}
}

// Send sends a PDU.
func (m *Master) Send(h agentx.Header, p agentx.Payload) { m.SendRaw(agentx.AppendPDU(nil, h, p)) }

// Receive waits for the next Response of the subagent.
func (m *Master) Receive() (agentx.Header, *agentx.Response, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case r := <-m.responses:
		return r.header, r.response, nil
	case <-m.gone:
	case <-timer.C:
		return agentx.Header{}, nil, errors.New("agentxtest: no answer")
	}
	select { // it may have answered before it went
	case r := <-m.responses:
		return r.header, r.response, nil
	default:
		return agentx.Header{}, nil, ErrGone
	}
}

// Exchange sends a PDU and waits for its Response. An answer to something else is an error.
func (m *Master) Exchange(h agentx.Header, p agentx.Payload) (*agentx.Response, error) {
	m.Send(h, p)
	rh, r, err := m.Receive()
	if err != nil {
		return nil, err
	}
	if rh.SessionID != h.SessionID || rh.TransactionID != h.TransactionID || rh.PacketID != h.PacketID {
		return nil, fmt.Errorf("agentxtest: sent %+v, answered was %+v", h, rh)
	}
	return r, nil
}
