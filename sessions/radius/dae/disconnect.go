package dae

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/termination"
)

// Defaults of a Config.
const (
	DefaultTimeout         = 3 * time.Second
	DefaultRetransmissions = 2
)

// ErrNoClient is the Err of an Outcome if no configured client has the address of the session's
// NAS.
var ErrNoClient = errors.New("dae: no configured client has the address of the NAS")

// Config configures a Disconnector.
type Config struct {
	// Clients whose sessions may be ended; SetClients replaces them.
	Clients []nasradius.Client
	// Timeout is how long each transmission waits for an answer. If it is 0,
	// DefaultTimeout is used.
	Timeout time.Duration
	// Retransmissions is how often the identical packet is sent again. If it is 0,
	// DefaultRetransmissions is used; a negative value means none.
	Retransmissions int
	// Log receives warnings and errors; nil discards them.
	Log *slog.Logger
}

// Disconnector ends sessions with Disconnect-Requests; it implements [termination.Disconnector]. Its
// methods may be called from any goroutine.
type Disconnector struct {
	cfg      Config // without Clients, with defaults set
	log      *slog.Logger
	clients  nasradius.ClientTable[*client]
	peers    peerTable
	counters counters
	view     viewCache
	send     sendFunc
	ready    chan struct{}
	opened   chan struct{} // closed when there are sockets

	socketsMu sync.Mutex // guards the following; taken under no other lock
	sockets   []*socket
	closed    bool
}

// sendFunc sends a datagram. from is the local source address; if it is not valid, the system
// chooses one. The error wraps errNotLocal if this host does not have that address.
type sendFunc func(b []byte, from netip.Addr, to netip.AddrPort) error

// New returns a Disconnector. As soon as it has clients, it opens its sockets: one for
// IPv4 and, if the host has IPv6, one for IPv6. They are bound to all addresses, so a daemon without
// clients has none. Answers are received only while Run runs.
func New(cfg Config) (*Disconnector, error) {
	return newDisconnector(cfg, nil)
}

// newDisconnector returns a Disconnector that sends with a function, without sockets. nil means that
// it opens sockets.
func newDisconnector(cfg Config, send sendFunc) (*Disconnector, error) {
	cfg.Timeout = cmp.Or(max(0, cfg.Timeout), DefaultTimeout)
	cfg.Retransmissions = cmp.Or(cfg.Retransmissions, DefaultRetransmissions)
	d := &Disconnector{cfg: cfg, log: cmp.Or(cfg.Log, slog.New(slog.DiscardHandler)), send: send, ready: make(chan struct{}), opened: make(chan struct{})}
	if send == nil {
		d.send = d.sendFromSocket
	} else {
		close(d.opened)
	}
	d.peers.init()
	if err := d.SetClients(cfg.Clients); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.cfg.Clients = nil
	return d, nil
}

// SetClients replaces all clients. On error it changes nothing.
func (d *Disconnector) SetClients(list []nasradius.Client) error {
	if len(list) > 0 {
		if err := d.open(); err != nil {
			return err
		}
	}
	return d.clients.Replace(list, newClient)
}

// ClientName returns the configured name of the client with a source address; "" if no client has
// the address, or if it has no name.
func (d *Disconnector) ClientName(addr netip.Addr) string {
	c := d.clients.Find(addr)
	if c == nil || c.Name == c.Prefix.String() {
		return ""
	}
	return c.Name
}

// Close closes the sockets of a Disconnector whose Run is never called. Only the first call does
// anything.
func (d *Disconnector) Close() error {
	d.socketsMu.Lock()
	defer d.socketsMu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	var errs []error
	for _, s := range d.sockets {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(errs...)
}

// String names the Disconnector for a log.
func (d *Disconnector) String() string { return "radius disconnect sockets" }

// Ready is closed when Run receives answers, or will as soon as there are clients.
func (d *Disconnector) Ready() <-chan struct{} { return d.ready }

// Run receives answers until ctx ends, then closes the sockets. It returns nil if it ended because
// ctx did. Call it once.
func (d *Disconnector) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = d.Close() })
	defer stop()
	close(d.ready)
	select {
	case <-d.opened:
	case <-ctx.Done():
		return d.Close() // so that no client opens sockets from now on
	}
	sockets := d.openSockets()
	ended := make(chan error, len(sockets))
	for _, s := range sockets {
		go func() { ended <- s.read(ctx) }()
	}
	var errs []error
	for range sockets {
		if err := <-ended; err != nil && ctx.Err() == nil {
			errs = append(errs, err)
			_ = d.Close() // makes the other reader return
		}
	}
	if len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// Disconnect asks the NAS of a session to end it and waits for the answer. It returns at the latest
// when all transmissions have timed out or ctx ends. If the NAS refuses the request or does not
// answer, Disconnect sends one with other attributes, see ladder. The attempt keeps the ladder's
// progress.
func (d *Disconnector) Disconnect(ctx context.Context, a *termination.Attempt) termination.Outcome {
	s := a.Session
	c := d.clients.Find(s.NAS.Addr)
	if c == nil {
		return termination.Outcome{Err: fmt.Errorf("%w: %v", ErrNoClient, s.NAS.Addr)}
	}
	before, _ := a.Memory.(memory)
	if before.client == nil || !c.asksLike(before.client) {
		before.ladder = ladder{} // what it knows is of other requests
	}
	got, l := d.converse(ctx, c, s, disconnect, before.ladder)
	a.Memory = memory{l, c}
	return got.Outcome
}

// memory is the Memory of an attempt.
type memory struct {
	ladder
	client *client // as it was in that attempt
}

// converse sends a message to a NAS, with other attributes again if the NAS refuses it or does not
// answer. It returns the last answer and the progress of l.
func (d *Disconnector) converse(ctx context.Context, c *client, s *sessions.Session, m message, l ladder) (response, ladder) {
	if err := c.canEnd(); err != nil {
		return noResponse(termination.Outcome{Err: err}), l
	}
	var refused response // the last NAK
	for l = l.prepare(c.profile, s); ; {
		was := l.current
		got := d.ask(ctx, c, l.profile(c.profile), s, m)
		out := got.Outcome
		if m.isForwarded && out.Answer == termination.NoAnswer && refused.Answer == termination.NAK {
			return refused, l // hostapd is silent if Message-Authenticator is missing
		}
		if ctx.Err() != nil && out.Answer == termination.NoAnswer {
			return got, l // this outcome says nothing about the NAS
		}
		if out.Answer == termination.NAK {
			refused = got
			refused.Inconclusive = out.ErrorCause == radius.SessionContextNotFound // if more is to be asked
		}
		next, final, again := l.step(out)
		if !again || ctx.Err() != nil {
			d.checkProfile(c, was, l.profile(c.profile), s, final)
			got.Outcome = final
			return d.unlessRenamed(ctx, c, next, s, m, got), next
		}
		l = next
		d.log.Info("disconnect: sending another request with other attributes", "client", c.Name, "nas", s.NAS.String(),
			"session", s.ID.String(), "user", s.User(), "outcome", got.String(), "was", was.String(), "now", l.String())
	}
}

// unlessRenamed returns the answer to a message. If the NAS does not have the session, but the user
// has been granted another name than the NAS reports, it asks once more by that name: since a login
// during the session hostapd has known the user only by the User-Name of that Access-Accept (RFC 2865
// section 5.1). Only an ACK changes the answer.
func (d *Disconnector) unlessRenamed(ctx context.Context, c *client, l ladder, s *sessions.Session, m message, final response) response {
	granted, _ := s.Granted().Get(radius.UserName)
	lost := final.ErrorCause == radius.SessionContextNotFound && !final.Inconclusive
	if !lost || granted == "" || granted == s.Attrs.Text(radius.UserName) || ctx.Err() != nil {
		return final
	}
	renamed := *s
	renamed.Attrs = radius.Attributes(radius.AppendAttribute(nil, radius.UserName, granted)) + s.Attrs
	d.log.Info("disconnect: sending another request with the granted name", "client", c.Name, "nas", s.NAS.String(),
		"session", s.ID.String(), "user", granted, "outcome", final.String())
	if got := d.ask(ctx, c, l.profile(c.profile), &renamed, m); got.Answer == termination.ACK {
		return got
	}
	return final
}
