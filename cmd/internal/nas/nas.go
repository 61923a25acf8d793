// Package nas is a simulated access server. It reports sessions by RADIUS accounting (RFC 2866)
// with growing counters, and ends the session that a Disconnect-Request (RFC 5176) names. "aaasess
// simulate" runs it, for a first look and for trials. The daemon's tests use real ones.
package nas

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"aaasess/internal/radius"

	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc3576"
)

// Config has the settings of a [NAS].
type Config struct {
	Server     string        // accounting server, host:port
	Secret     radius.Secret // shared with the server, for both directions
	Disconnect string        // address that receives Disconnect-Requests, host:port
	Sessions   int           // number of sessions, 1..10000
	Interim    time.Duration // time between interims of a session
	Out        io.Writer     // gets a line for each event
}

// A request is sent up to retries times, retryAfter apart.
const (
	retryAfter = 3 * time.Second
	retries    = 5
)

// session is one simulated session. NAS.mu guards it.
type session struct {
	id       string
	user     string
	ip       net.IP
	port     int
	began    time.Time
	octets   uint32
	ended    bool
	inFlight chan struct{} // holds a token while a request is in flight: requests keep their order
}

// NAS is the simulated access server.
type NAS struct {
	cfg      Config
	dae      net.PacketConn
	mu       sync.Mutex
	sessions []*session
	stops    sync.WaitGroup
	allEnded chan struct{} // closed when no session is live
}

// New returns a NAS with an open port for Disconnect-Requests.
func New(cfg Config) (*NAS, error) {
	if cfg.Sessions < 1 || cfg.Sessions > 10000 {
		return nil, fmt.Errorf("nas: %d sessions: the number must be from 1 to 10000", cfg.Sessions)
	}
	dae, err := net.ListenPacket("udp", cfg.Disconnect)
	if err != nil {
		return nil, listenError(cfg.Disconnect, err)
	}
	n := &NAS{cfg: cfg, dae: dae, allEnded: make(chan struct{})}
	begin := time.Now()
	for i := range cfg.Sessions {
		n.sessions = append(n.sessions, &session{
			id: fmt.Sprintf("%08X%08X", uint32(begin.Unix()), i+1), user: fmt.Sprintf("user%d", i+1),
			ip: net.IPv4(10, 1, byte(i/250), byte(i%250+1)).To4(), port: 20001 + i, began: begin,
			inFlight: make(chan struct{}, 1),
		})
	}
	return n, nil
}

// listenError says in plain words why a port cannot be opened.
func listenError(address string, err error) error {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		err = errno
	} else if op := (*net.OpError)(nil); errors.As(err, &op) {
		err = op.Err
	}
	return fmt.Errorf("nas: cannot listen on %s: %w", address, err)
}

// Run reports the starts of the sessions. Then it reports interims until ctx is done or all
// sessions have ended, and then the stops of the others.
func (n *NAS) Run(ctx context.Context) error {
	defer n.dae.Close()
	go n.serveDisconnect()
	for _, s := range n.sessions {
		if err := n.report(s, rfc2866.AcctStatusType_Value_Start, 0); err != nil {
			return err
		}
	}
	tick := time.NewTicker(n.cfg.Interim)
	defer tick.Stop()
	for n.liveSessions() > 0 {
		select {
		case <-n.allEnded:
		case <-ctx.Done():
			for _, s := range n.sessions {
				if n.markEnded(s) {
					n.reportStop(s, rfc2866.AcctTerminateCause_Value_UserRequest)
				}
			}
		case <-tick.C:
			for _, s := range n.sessions {
				if n.addTraffic(s) {
					_ = n.report(s, rfc2866.AcctStatusType_Value_InterimUpdate, 0)
				}
			}
		}
	}
	n.stops.Wait()
	return nil
}

func (n *NAS) liveSessions() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.countLive()
}

// countLive returns how many sessions are live. The caller holds the lock.
func (n *NAS) countLive() (live int) {
	for _, s := range n.sessions {
		if !s.ended {
			live++
		}
	}
	return live
}

// addTraffic lets user data flow, and reports whether the session is live.
func (n *NAS) addTraffic(s *session) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.octets += 4711
	return !s.ended
}

// markEnded marks a session as ended, and reports whether it was live. If it was, Run waits for its
// stop.
func (n *NAS) markEnded(s *session) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.ended {
		return false
	}
	s.ended = true
	n.stops.Add(1)
	if n.countLive() == 0 {
		close(n.allEnded)
	}
	return true
}

// reportStop reports the stop of a session that markEnded has marked.
func (n *NAS) reportStop(s *session, cause rfc2866.AcctTerminateCause) {
	go func() {
		defer n.stops.Done()
		_ = n.report(s, rfc2866.AcctStatusType_Value_Stop, cause)
	}()
}

// report sends an Accounting-Request until it is answered or retries are used up.
func (n *NAS) report(s *session, status rfc2866.AcctStatusType, cause rfc2866.AcctTerminateCause) error {
	s.inFlight <- struct{}{}
	defer func() { <-s.inFlight }()
	happened := time.Now()
	for identifier := range byte(retries) {
		request, auth := n.request(s, identifier, status, cause, happened)
		err := n.exchange(request, auth)
		if err == nil {
			fmt.Fprintf(n.cfg.Out, "%-14s %s %s %s, answered\n", status, s.id, s.user, s.ip)
			return nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			time.Sleep(retryAfter) // a closed port is reported at once
		}
	}
	fmt.Fprintf(n.cfg.Out, "%-14s %s %s: no answer from %s\n", status, s.id, s.user, n.cfg.Server)
	return fmt.Errorf("nas: no answer from %s", n.cfg.Server)
}

// exchange sends a request and waits for its answer. The error is [os.ErrDeadlineExceeded] if none
// arrives.
func (n *NAS) exchange(request []byte, auth radius.Authenticator) error {
	conn, err := net.Dial("udp", n.cfg.Server)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(retryAfter)); err != nil {
		return err
	}
	if _, err := conn.Write(request); err != nil {
		return err
	}
	b := make([]byte, radius.MaxPacket)
	for {
		size, err := conn.Read(b)
		if err != nil {
			return err
		}
		p, err := radius.Parse(b[:size])
		if err != nil || p.Code() != radius.CodeAccountingResponse || p.Identifier() != request[1] {
			continue
		}
		if ok, _ := p.Authentic(auth, n.cfg.Secret, nil); ok {
			return nil
		}
	}
}

// request returns an Accounting-Request (RFC 2866 section 4.1) and its authenticator.
func (n *NAS) request(s *session, identifier byte, status rfc2866.AcctStatusType, cause rfc2866.AcctTerminateCause, happened time.Time) ([]byte, radius.Authenticator) {
	n.mu.Lock()
	octets := s.octets
	n.mu.Unlock()
	b := radius.AppendHeader(nil, radius.CodeAccountingRequest, identifier)
	b = radius.AppendUint32(b, radius.AcctStatusType, uint32(status))
	b = radius.AppendAttribute(b, radius.UserName, s.user)
	b = radius.AppendAttribute(b, radius.NASIdentifier, "simulated-nas")
	b = radius.AppendUint32(b, radius.NASPort, uint32(s.port))
	b = radius.AppendUint32(b, radius.NASPortType, uint32(rfc2865.NASPortType_Value_Virtual))
	b = radius.AppendUint32(b, radius.ServiceType, uint32(rfc2865.ServiceType_Value_FramedUser))
	b = radius.AppendUint32(b, radius.FramedProtocol, uint32(rfc2865.FramedProtocol_Value_PPP))
	b = radius.AppendAttribute(b, radius.FramedIPAddress, string(s.ip))
	b = radius.AppendAttribute(b, radius.CallingStationID, fmt.Sprintf("02-00-00-00-%02X-%02X", s.ip[2], s.ip[3]))
	b = radius.AppendAttribute(b, radius.AcctSessionID, s.id)
	b = radius.AppendUint32(b, radius.AcctAuthentic, uint32(rfc2866.AcctAuthentic_Value_RADIUS))
	b = radius.AppendUint32(b, radius.EventTimestamp, uint32(happened.Unix()))
	b = radius.AppendUint32(b, radius.AcctDelayTime, uint32(time.Since(happened)/time.Second))
	if status != rfc2866.AcctStatusType_Value_Start {
		b = radius.AppendUint32(b, radius.AcctSessionTime, uint32(happened.Sub(s.began)/time.Second))
		b = radius.AppendUint32(b, radius.AcctInputOctets, octets)
		b = radius.AppendUint32(b, radius.AcctOutputOctets, octets*3)
	}
	if cause != 0 {
		b = radius.AppendUint32(b, radius.AcctTerminateCause, uint32(cause))
	}
	return b, radius.Seal(b, 0, radius.Authenticator{}, n.cfg.Secret)
}

// serveDisconnect answers Disconnect-Requests until the port is closed.
func (n *NAS) serveDisconnect() {
	b := make([]byte, radius.MaxPacket)
	for {
		size, from, err := n.dae.ReadFrom(b)
		if err != nil {
			return
		}
		p, err := radius.Parse(b[:size])
		if err != nil || p.Code() != radius.CodeDisconnectRequest {
			continue
		}
		if ok, _ := p.Authentic(radius.Authenticator{}, n.cfg.Secret, nil); !ok {
			continue // RFC 5176 section 6.1: discarded silently
		}
		_, _ = n.dae.WriteTo(n.disconnect(p), from)
	}
}

// disconnect ends the session that a Disconnect-Request names, and returns the answer (RFC 5176
// section 3).
func (n *NAS) disconnect(p radius.Packet) []byte {
	code, cause := radius.CodeDisconnectNAK, rfc3576.ErrorCause_Value_SessionContextNotFound
	id := radius.Attributes(p.Attributes()).Text(radius.AcctSessionID)
	for _, s := range n.sessions {
		if s.id == id && n.markEnded(s) {
			fmt.Fprintf(n.cfg.Out, "%-14s %s %s: ACK\n", "Disconnect", s.id, s.user)
			n.reportStop(s, rfc2866.AcctTerminateCause_Value_AdminReset)
			code = radius.CodeDisconnectACK
		}
	}
	answer := radius.AppendHeader(nil, code, p.Identifier())
	if code == radius.CodeDisconnectNAK {
		fmt.Fprintf(n.cfg.Out, "%-14s %s: NAK, no such session\n", "Disconnect", id)
		answer = radius.AppendUint32(answer, radius.Type(rfc3576.ErrorCause_Type), uint32(cause))
	}
	radius.Seal(answer, 0, p.Authenticator(), n.cfg.Secret)
	return answer
}
