// Package nas is an access server that exists in name only: it reports sessions by RADIUS
// accounting (RFC 2866), lets their counters grow, and ends those that a Disconnect-Request
// (RFC 5176) names. It is behind "aaasess simulate", for a first look and for trials; real NASes
// are what the tests run against.
package nas

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3576"
)

// Config is what the NAS does.
type Config struct {
	Server     string        // accounting server, host:port
	Secret     string        // shared with the server, both ways
	Disconnect string        // where Disconnect-Requests are taken, host:port
	Sessions   int           // how many sessions there are, 1..10000
	Interim    time.Duration // between interim updates of a session
	Out        io.Writer     // gets a line for each thing that happens
}

// retryAfter and retries are how a request is retransmitted.
const (
	retryAfter = 3 * time.Second
	retries    = 5
)

// session is one session. The NAS's lock guards it.
type session struct {
	id      string
	user    string
	ip      net.IP
	port    int
	began   time.Time
	octets  uint32
	ended   bool
	waiting chan struct{} // holds a token while a request of the session is under way: they keep their order
}

// NAS is the simulated access server.
type NAS struct {
	cfg      Config
	dae      net.PacketConn
	mu       sync.Mutex
	sessions []*session
	stops    sync.WaitGroup
}

// New opens the port for Disconnect-Requests.
func New(cfg Config) (*NAS, error) {
	if cfg.Sessions < 1 || cfg.Sessions > 10000 {
		return nil, fmt.Errorf("nas: %d sessions: 1 to 10000 are possible", cfg.Sessions)
	}
	dae, err := net.ListenPacket("udp", cfg.Disconnect)
	if err != nil {
		return nil, fmt.Errorf("nas: %w", err)
	}
	n := &NAS{cfg: cfg, dae: dae}
	begin := time.Now()
	for i := range cfg.Sessions {
		n.sessions = append(n.sessions, &session{
			id: fmt.Sprintf("%08X%08X", uint32(begin.Unix()), i+1), user: fmt.Sprintf("user%d", i+1),
			ip: net.IPv4(10, 1, byte(i/250), byte(i%250+1)).To4(), port: 20001 + i, began: begin,
			waiting: make(chan struct{}, 1),
		})
	}
	return n, nil
}

// Run reports the sessions' starts, then interims until ctx is done or all have ended, then the
// stops of those that are left.
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
	for n.live() > 0 {
		select {
		case <-ctx.Done():
			for _, s := range n.sessions {
				if n.end(s) {
					n.stop(s, rfc2866.AcctTerminateCause_Value_UserRequest)
				}
			}
		case <-tick.C:
			for _, s := range n.sessions {
				if n.use(s) {
					_ = n.report(s, rfc2866.AcctStatusType_Value_InterimUpdate, 0)
				}
			}
		}
	}
	n.stops.Wait()
	return nil
}

func (n *NAS) live() (live int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.sessions {
		if !s.ended {
			live++
		}
	}
	return live
}

// use lets user data flow.
func (n *NAS) use(s *session) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.octets += 4711
	return !s.ended
}

// end reports whether the session was live until now; then Run waits for its stop.
func (n *NAS) end(s *session) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.ended {
		return false
	}
	s.ended = true
	n.stops.Add(1)
	return true
}

// stop reports the end of a session that end has ended.
func (n *NAS) stop(s *session, cause rfc2866.AcctTerminateCause) {
	go func() {
		defer n.stops.Done()
		_ = n.report(s, rfc2866.AcctStatusType_Value_Stop, cause)
	}()
}

// report sends an Accounting-Request until it is answered.
func (n *NAS) report(s *session, status rfc2866.AcctStatusType, cause rfc2866.AcctTerminateCause) error {
	s.waiting <- struct{}{}
	defer func() { <-s.waiting }()
	happened := time.Now()
	for range retries {
		p := n.request(s, status, cause, happened)
		ctx, cancel := context.WithTimeout(context.Background(), retryAfter)
		_, err := (&layeh.Client{}).Exchange(ctx, p, n.cfg.Server)
		cancel()
		if err == nil {
			fmt.Fprintf(n.cfg.Out, "%-14s %s %s %s, answered\n", status, s.id, s.user, s.ip)
			return nil
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			time.Sleep(retryAfter) // a refused port answers at once
		}
	}
	fmt.Fprintf(n.cfg.Out, "%-14s %s %s: no answer from %s\n", status, s.id, s.user, n.cfg.Server)
	return fmt.Errorf("nas: no answer from %s", n.cfg.Server)
}

func (n *NAS) request(s *session, status rfc2866.AcctStatusType, cause rfc2866.AcctTerminateCause, happened time.Time) *layeh.Packet {
	n.mu.Lock()
	octets := s.octets
	n.mu.Unlock()
	p := layeh.New(layeh.CodeAccountingRequest, []byte(n.cfg.Secret))
	err := errors.Join(
		rfc2866.AcctStatusType_Set(p, status),
		rfc2865.UserName_SetString(p, s.user),
		rfc2865.NASIdentifier_SetString(p, "simulated-nas"),
		rfc2865.NASPort_Set(p, rfc2865.NASPort(s.port)),
		rfc2865.NASPortType_Set(p, rfc2865.NASPortType_Value_Virtual),
		rfc2865.ServiceType_Set(p, rfc2865.ServiceType_Value_FramedUser),
		rfc2865.FramedProtocol_Set(p, rfc2865.FramedProtocol_Value_PPP),
		rfc2865.FramedIPAddress_Set(p, s.ip),
		rfc2865.CallingStationID_SetString(p, fmt.Sprintf("02-00-00-00-%02X-%02X", s.ip[2], s.ip[3])),
		rfc2866.AcctSessionID_SetString(p, s.id),
		rfc2866.AcctAuthentic_Set(p, rfc2866.AcctAuthentic_Value_RADIUS),
		rfc2869.EventTimestamp_Set(p, happened),
		rfc2866.AcctDelayTime_Set(p, rfc2866.AcctDelayTime(time.Since(happened)/time.Second)),
	)
	if status != rfc2866.AcctStatusType_Value_Start {
		err = errors.Join(err,
			rfc2866.AcctSessionTime_Set(p, rfc2866.AcctSessionTime(happened.Sub(s.began)/time.Second)),
			rfc2866.AcctInputOctets_Set(p, rfc2866.AcctInputOctets(octets)),
			rfc2866.AcctOutputOctets_Set(p, rfc2866.AcctOutputOctets(octets*3)))
	}
	if cause != 0 {
		err = errors.Join(err, rfc2866.AcctTerminateCause_Set(p, cause))
	}
	if err != nil {
		panic(err) // only for values that are too long
	}
	return p
}

// serveDisconnect answers Disconnect-Requests until the port is closed.
func (n *NAS) serveDisconnect() {
	b := make([]byte, layeh.MaxPacketLength)
	for {
		size, from, err := n.dae.ReadFrom(b)
		if err != nil {
			return
		}
		if !layeh.IsAuthenticRequest(b[:size], []byte(n.cfg.Secret)) {
			continue // RFC 5176 section 6.1: silently
		}
		p, err := layeh.Parse(b[:size], []byte(n.cfg.Secret))
		if err != nil || p.Code != layeh.CodeDisconnectRequest {
			continue
		}
		answer := n.disconnect(p)
		if wire, err := answer.Encode(); err == nil {
			_, _ = n.dae.WriteTo(wire, from)
		}
	}
}

func (n *NAS) disconnect(p *layeh.Packet) *layeh.Packet {
	id := rfc2866.AcctSessionID_GetString(p)
	for _, s := range n.sessions {
		if s.id == id && n.end(s) {
			fmt.Fprintf(n.cfg.Out, "%-14s %s %s: ACK\n", "Disconnect", s.id, s.user)
			n.stop(s, rfc2866.AcctTerminateCause_Value_AdminReset)
			return p.Response(layeh.CodeDisconnectACK)
		}
	}
	fmt.Fprintf(n.cfg.Out, "%-14s %s: NAK, no such session\n", "Disconnect", id)
	nak := p.Response(layeh.CodeDisconnectNAK)
	_ = rfc3576.ErrorCause_Set(nak, rfc3576.ErrorCause_Value_SessionContextNotFound)
	return nak
}
