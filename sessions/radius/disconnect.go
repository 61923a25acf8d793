package radius

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
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
	clients  currentClients
	peers    peerTable
	counters disconnectCounters
	sockets  []*disconnectSocket
	send     sendFunc
}

// sendFunc sends a datagram, from an address of this host or, if that is invalid, from what the system
// chooses. It gives an errNotLocal if the address is not this host's.
type sendFunc func(b []byte, from netip.Addr, to netip.AddrPort) error

// NewDisconnector opens the sockets of a Disconnector, for IPv4 and, where there is IPv6, for that. Answers
// are heard while Run runs.
func NewDisconnector(cfg DisconnectConfig) (*Disconnector, error) {
	d, err := newDisconnector(cfg, nil)
	if err != nil {
		return nil, err
	}
	if err := d.open(); err != nil {
		return nil, err
	}
	d.send = d.sendFromSocket
	return d, nil
}

func newDisconnector(cfg DisconnectConfig, send sendFunc) (*Disconnector, error) {
	cfg.Timeout = cmp.Or(max(0, cfg.Timeout), DefaultDisconnectTimeout)
	cfg.Retransmissions = cmp.Or(cfg.Retransmissions, DefaultDisconnectRetransmissions)
	d := &Disconnector{cfg: cfg, log: cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)), send: send}
	d.peers.init()
	if err := d.SetClients(cfg.Clients); err != nil {
		return nil, err
	}
	d.cfg.Clients = nil
	return d, nil
}

// SetClients replaces the clients, all or, with an error, none.
func (d *Disconnector) SetClients(list []Client) error {
	return d.clients.replace(list)
}

// Close closes the sockets of a Disconnector that will not run.
func (d *Disconnector) Close() error {
	var errs []error
	for _, s := range d.sockets {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(errs...)
}

// Run hears answers until ctx ends, and closes the sockets. The error is nil when ctx was the
// reason to end.
func (d *Disconnector) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = d.Close() })
	defer stop()
	ended := make(chan error, len(d.sockets))
	for _, s := range d.sockets {
		go func() { ended <- s.read(ctx) }()
	}
	var errs []error
	for range d.sockets {
		if err := <-ended; err != nil && ctx.Err() == nil {
			errs = append(errs, fmt.Errorf("radius: disconnect socket: %w", err))
			_ = d.Close() // ends the other
		}
	}
	if len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// Disconnect asks the NAS of a session to end it and waits for the answer, at most as long as
// all transmissions take, or until ctx ends. A NAS that refuses the request, or is silent, is asked again
// with what it may know the session by, see ladder; how far that has come is kept in the attempt.
func (d *Disconnector) Disconnect(ctx context.Context, a *sessions.Attempt) sessions.Outcome {
	s := a.Session
	c := d.clients.Load().find(s.NAS.Addr)
	if c == nil {
		return sessions.Outcome{Err: fmt.Errorf("%w: %v", ErrNoClient, s.NAS.Addr)}
	}
	l, _ := a.Memory.(ladder)
	for l = l.fit(c.profile, s); ; {
		was := l.at
		out := d.ask(ctx, c, l.profile(c.profile), s)
		if ctx.Err() != nil && out.Answer == sessions.NoAnswer {
			return out // which tells nothing of the NAS
		}
		next, final, again := l.step(out)
		a.Memory = next
		if !again || ctx.Err() != nil {
			return final
		}
		l = next
		d.log.Info("NAS is asked again, with other attributes", "client", c.Name, "nas", s.NAS.String(),
			"session", s.ID.String(), "user", s.User, "outcome", out.String(), "was", was.String(), "now", l.String())
	}
}
