package nasload

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// EndingNAS is a NAS that ends its sessions when it is asked (RFC 5176 section 3.1). It answers a
// Disconnect-Request with an ACK after a delay, and then sends the stop of the session.
type EndingNAS struct {
	NAS
	conn       *net.UDPConn
	accounting uint16 // port of 127.0.0.1 for its stops
	delay      time.Duration
	sending    sync.WaitGroup

	mu     sync.Mutex
	asked  map[int]bool // sessions, by number
	now    int          // requests that are not answered yet
	counts EndingCounts
}

// EndingCounts is what an EndingNAS has seen.
type EndingCounts struct {
	Requests int // Disconnect-Requests, with retransmissions
	Wrong    int // of them: not authentic, or for no session of the NAS
	Sessions int // that were ended
	Most     int // requests that waited for their answers at the same time
	Stops    int // that were answered
	LastACK  time.Time
	LastStop time.Time // answer to it
}

// ListenEnding opens the socket of such a NAS. Its sessions are those of m; accounting is the port of
// 127.0.0.1 for its stops.
func (m NAS) ListenEnding(accounting uint16, delay time.Duration) (*EndingNAS, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(m.Addr, 0)))
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(1 << 20) // the system may allow less
	return &EndingNAS{NAS: m, conn: conn, accounting: accounting, delay: delay, asked: map[int]bool{}}, nil
}

// Port returns the port for Disconnect-Requests.
func (e *EndingNAS) Port() uint16 { return e.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

// Counts returns what the NAS has seen so far.
func (e *EndingNAS) Counts() EndingCounts {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.counts
}

// Close closes the socket; Serve returns then.
func (e *EndingNAS) Close() error { return e.conn.Close() }

// Serve answers until the socket is closed and the last stop is answered or given up.
func (e *EndingNAS) Serve() {
	defer e.sending.Wait()
	request, scratch := make([]byte, 4096), []byte(nil)
	for {
		n, from, err := e.conn.ReadFromUDPAddrPort(request)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		var session int
		p, parseErr := radius.Parse(request[:max(n, 0)])
		ok := err == nil && parseErr == nil && p.Code() == radius.CodeDisconnectRequest
		if ok {
			if ok, scratch = p.Authentic(radius.Authenticator{}, SharedSecret, scratch); ok {
				session, ok = sessionNumber(radius.Attributes(p.Attributes()).Text(radius.AcctSessionID))
			}
		}
		e.mu.Lock()
		e.counts.Requests++
		if !ok {
			e.counts.Wrong++
			e.mu.Unlock()
			continue
		}
		e.now++
		e.counts.Most = max(e.counts.Most, e.now)
		e.mu.Unlock()
		ack := radius.AppendHeader(nil, radius.CodeDisconnectACK, p.Identifier())
		radius.Seal(ack, 0, p.Authenticator(), SharedSecret)
		e.sending.Add(1)
		time.AfterFunc(e.delay, func() {
			defer e.sending.Done()
			e.end(session, ack, from)
		})
	}
}

// end answers a request and, if it is the first one for its session, sends the stop.
func (e *EndingNAS) end(session int, ack []byte, from netip.AddrPort) {
	e.mu.Lock()
	e.now-- // before the ACK makes room for another request
	e.mu.Unlock()
	_, err := e.conn.WriteToUDPAddrPort(ack, from)
	e.mu.Lock()
	again := e.asked[session]
	e.asked[session] = true
	if !again && err == nil {
		e.counts.Sessions++
		e.counts.LastACK = time.Now()
	}
	e.mu.Unlock()
	if again || err != nil {
		return
	}
	stop := radius.AppendUint32(e.Attributes(sessions.Stop, session), radius.AcctSessionTime, 600)
	if e.ask(e.accounting, stop, time.Now()).Err != nil {
		return
	}
	e.mu.Lock()
	e.counts.Stops++
	e.counts.LastStop = time.Now()
	e.mu.Unlock()
}

// sessionNumber returns the number of the session with an Acct-Session-Id of [NAS.Attributes].
func sessionNumber(id string) (int, bool) {
	n, err := strconv.ParseUint(id, 16, 31)
	return int(n), err == nil && len(id) == 16
}

// StartAll starts the sessions 0 to n-1, some at a time, at an accounting port of 127.0.0.1.
func (m NAS) StartAll(port uint16, n int) error {
	next, failed := make(chan int), make(chan error, 1)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := range next {
				if err := m.ask(port, m.Attributes(sessions.Start, i), time.Now()).Err; err != nil {
					select {
					case failed <- err:
					default: // the first is enough
					}
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	close(failed)
	return <-failed
}

// RequestDisconnect asks a port of 127.0.0.1, as the server there, to end the session with an
// Acct-Session-Id. It retransmits like a NAS, and returns when the ACK has arrived.
func RequestDisconnect(port uint16, id string) error {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(Loopback(), port)))
	if err != nil {
		return err
	}
	defer conn.Close()
	request := radius.AppendAttribute(radius.AppendHeader(nil, radius.CodeDisconnectRequest, 1), radius.AcctSessionID, id)
	sent := radius.Seal(request, 0, radius.Authenticator{}, SharedSecret)
	answer := make([]byte, 4096)
	for range Tries {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		_ = conn.SetReadDeadline(time.Now().Add(Timeout))
		var n int
		if n, err = conn.Read(answer); err != nil {
			continue
		}
		p, err := radius.Parse(answer[:n])
		if err != nil {
			return err
		}
		if ok, _ := p.Authentic(sent, SharedSecret, nil); !ok || p.Code() != radius.CodeDisconnectACK {
			return errors.New("nasload: the answer is no ACK")
		}
		return nil
	}
	return err
}
