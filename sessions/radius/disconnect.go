package radius

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/sessions"
)

// Defaults of a DisconnectConfig.
const (
	DefaultDisconnectTimeout         = 3 * time.Second
	DefaultDisconnectRetransmissions = 2
)

// ErrNoClient is the Err of an Outcome when the address of the session's NAS is no client's (any more).
var ErrNoClient = errors.New("radius: the NAS is no client")

// DisconnectConfig is how a Disconnector is set up.
type DisconnectConfig struct {
	// Clients that sessions may be ended at; see SetClients.
	Clients []Client
	// Timeout is how long each transmission waits for an answer; DefaultDisconnectTimeout if it is 0.
	Timeout time.Duration
	// Retransmissions is how often the identical packet is sent again; DefaultDisconnectRetransmissions
	// if it is 0, none if it is negative.
	Retransmissions int
	// Log is where to log; nil for nowhere.
	Log *slog.Logger
}

// Disconnector ends sessions with Disconnect-Requests; it is a [sessions.Disconnector]. Its methods
// may be called from any goroutine.
type Disconnector struct {
	cfg      DisconnectConfig // Clients apart, as it is in use
	log      *slog.Logger
	clients  atomic.Pointer[clientSet]
	reload   sync.Mutex // one SetClients at a time
	peers    peerTable
	counters disconnectCounters
	conn     *net.UDPConn
	send     func(b []byte, to netip.AddrPort) error // conn's
}

// NewDisconnector opens the socket of a Disconnector, for IPv6 and IPv4. Answers are heard while
// Run runs.
func NewDisconnector(cfg DisconnectConfig) (*Disconnector, error) {
	conn, err := net.ListenUDP("udp", nil)
	if err != nil {
		return nil, fmt.Errorf("radius: disconnect socket: %w", err)
	}
	_ = control(conn, func(fd int) error {
		setBuffers(fd) // many NASes may answer at once
		return nil
	})
	d, err := newDisconnector(cfg, func(b []byte, to netip.AddrPort) error {
		_, err := conn.WriteToUDPAddrPort(b, to)
		return err
	})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	d.conn = conn
	return d, nil
}

func newDisconnector(cfg DisconnectConfig, send func([]byte, netip.AddrPort) error) (*Disconnector, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultDisconnectTimeout
	}
	if cfg.Retransmissions == 0 {
		cfg.Retransmissions = DefaultDisconnectRetransmissions
	}
	d := &Disconnector{cfg: cfg, log: loggerOr(cfg.Log), send: send}
	d.peers.init()
	if err := d.SetClients(cfg.Clients); err != nil {
		return nil, err
	}
	d.cfg.Clients = nil
	return d, nil
}

// SetClients replaces the clients, all or, with an error, none.
func (d *Disconnector) SetClients(list []Client) error {
	d.reload.Lock()
	defer d.reload.Unlock()
	set, err := newClientSet(list, d.clients.Load())
	if err != nil {
		return err
	}
	d.clients.Store(set)
	return nil
}

// Close closes the socket of a Disconnector that will not run.
func (d *Disconnector) Close() error { return d.conn.Close() }

// Run hears answers until ctx ends, and closes the socket. The error is nil when ctx was the
// reason to end.
func (d *Disconnector) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = d.conn.Close() })
	defer stop()
	b := make([]byte, maxPacket+1)
	for {
		n, from, err := d.conn.ReadFromUDPAddrPort(b)
		switch {
		case err == nil:
			d.receive(b[:n], from, time.Now())
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("radius: disconnect socket: %w", err)
		default:
			d.log.Error("receiving failed", "address", d.conn.LocalAddr(), "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(temporary):
			}
		}
	}
}

// Disconnect asks the NAS of a session to end it and waits for the answer, at most as long as
// all transmissions take, or until ctx ends. A NAS that does not know an attribute of the default
// profile (NAK 401) is asked once more, with Acct-Session-Id and User-Name alone.
func (d *Disconnector) Disconnect(ctx context.Context, s *sessions.Session) sessions.Outcome {
	c := d.clients.Load().find(s.NAS.Addr)
	if c == nil {
		return sessions.Outcome{Err: fmt.Errorf("%w: %v", ErrNoClient, s.NAS.Addr)}
	}
	out := d.ask(ctx, c, c.profile, s)
	if out.Answer == sessions.NAK && out.ErrorCause == sessions.UnsupportedAttribute && !c.ownProfile {
		d.log.Info("NAS does not know an attribute, trying fewer", "client", c.Name, "nas", s.NAS.String(), "session", s.ID)
		out = d.ask(ctx, c, minimalProfile, s)
	}
	return out
}

// ask is one Disconnect-Request with its retransmissions.
func (d *Disconnector) ask(ctx context.Context, c *client, p profile, s *sessions.Session) sessions.Outcome {
	to := netip.AddrPortFrom(s.NAS.Addr, c.DisconnectPort)
	if c.DisconnectAddr.IsValid() {
		to = netip.AddrPortFrom(c.DisconnectAddr.Unmap(), c.DisconnectPort)
	}
	f := &flight{client: c, answer: make(chan sessions.Outcome, 1)}
	identifier, err := d.peers.acquire(ctx, to)
	if err != nil {
		return sessions.Outcome{Err: fmt.Errorf("radius: waiting for an identifier: %w", err)}
	}
	defer d.peers.release(to, identifier)

	b, err := p.disconnectRequest(identifier, s, time.Now(), c.Secret)
	if err != nil {
		return sessions.Outcome{Err: err}
	}
	f.request = authenticator(b[4:headerLen])
	d.peers.fly(to, identifier, f)

	timer := time.NewTimer(d.cfg.Timeout)
	defer timer.Stop()
	for sent := 0; ; sent++ {
		switch err := d.send(b, to); {
		case sent > 0: // even if it failed: the first one may yet be answered
			d.counters.retransmissions.Add(1)
		case err != nil:
			return sessions.Outcome{Err: fmt.Errorf("radius: disconnect: %w", err)}
		default:
			d.counters.requests.Add(1)
		}
		select {
		case out := <-f.answer:
			if out.Answer == sessions.ACK {
				d.counters.acks.Add(1)
			} else {
				d.counters.naks.Add(1)
			}
			return out
		case <-ctx.Done():
			d.counters.unanswered.Add(1)
			return sessions.Outcome{}
		case <-timer.C:
			if sent >= d.cfg.Retransmissions {
				d.counters.unanswered.Add(1)
				return sessions.Outcome{}
			}
			timer.Reset(d.cfg.Timeout)
		}
	}
}

// receive takes a datagram that came to our socket.
func (d *Disconnector) receive(b []byte, from netip.AddrPort, now time.Time) {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	p, err := parsePacket(b)
	if err != nil || p.code() != codeDisconnectACK && p.code() != codeDisconnectNAK {
		d.counters.malformed.Add(1)
		return
	}
	f := d.peers.find(from, p.identifier())
	if f == nil {
		d.counters.unexpected.Add(1) // of another source, too late, or the second one
		return
	}
	if ok, _ := p.authentic(f.request, f.client.Secret, nil); !ok {
		d.counters.badAuthenticators.Add(1)
		if f.client.stats.logged.due(badAuthenticators, from.Addr(), errAuthenticator, now).alone {
			d.log.Warn("answer to disconnect dropped", "client", f.client.Name, "from", from, "error", errAuthenticator)
		}
		return
	}
	out := sessions.Outcome{Answer: sessions.ACK}
	if p.code() == codeDisconnectNAK {
		out = sessions.Outcome{Answer: sessions.NAK, ErrorCause: errorCause(p.attributes())}
	}
	select {
	case f.answer <- out:
	default:
		d.counters.unexpected.Add(1) // a retransmission was answered too
	}
}

// disconnectCounters is the live form of DisconnectStats.
type disconnectCounters struct {
	requests, retransmissions, acks, naks, unanswered, malformed, badAuthenticators, unexpected atomic.Uint64
}

// DisconnectStats is what a Disconnector has counted since it was made.
type DisconnectStats struct {
	Requests          uint64 // Disconnect-Requests, retransmissions apart
	Retransmissions   uint64
	ACKs              uint64
	NAKs              uint64
	Unanswered        uint64 // given up: no answer in time, or the caller's context ended
	Malformed         uint64 // datagrams that are not ACK or NAK
	BadAuthenticators uint64 // wrong Response Authenticator or Message-Authenticator
	Unexpected        uint64 // an answer that nobody waits for
}

// Stats is a copy of the statistics.
func (d *Disconnector) Stats() DisconnectStats {
	c := &d.counters
	return DisconnectStats{
		Requests:          c.requests.Load(),
		Retransmissions:   c.retransmissions.Load(),
		ACKs:              c.acks.Load(),
		NAKs:              c.naks.Load(),
		Unanswered:        c.unanswered.Load(),
		Malformed:         c.malformed.Load(),
		BadAuthenticators: c.badAuthenticators.Load(),
		Unexpected:        c.unexpected.Load(),
	}
}
