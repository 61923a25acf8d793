package radius

import (
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"aaasess/accounting"

	"aaasess/internal/radius"
)

// Port is where servers take accounting (RFC 2866 section 3).
const Port = 1813

const (
	defaultTimeout     = 5 * time.Second
	defaultRetransmit  = 3
	defaultMaxDelay    = time.Hour
	defaultHoldDown    = 30 * time.Second
	defaultMaxInFlight = 1024

	// maxServers is how many bits exchange.tried has.
	maxServers = 64
	// maxMaxInFlight keeps a server at 512 sockets.
	maxMaxInFlight = 1 << 16
	// maxTransmissions is what accounting.Progress can count.
	maxTransmissions = 1<<16 - 1
)

// Server is one accounting server. The same host with another port is another server (R43).
type Server struct {
	// Name is for logs and statistics; "" means the address.
	Name string
	// Addr is where requests go, and the only place that answers are taken from.
	Addr netip.AddrPort
	// Secret is shared with the server; not empty.
	Secret radius.Secret
	// Schedule is when a record is sent to it. Timeout 0 means 5 s. Retransmit 0 means 3; a negative
	// number means none. BackoffRetry 0 means no back-off; with one, MaxDelay 0 means an hour.
	Schedule accounting.Schedule
}

// Config is how a Group is set up; zero values are the defaults.
type Config struct {
	// Name of the group, for logs.
	Name string
	// Servers of the group; 1..64, no address twice.
	Servers []Server
	// Algorithm is in which order they are tried. The default is Direct.
	Algorithm Algorithm
	// DeadCriteria is when a server counts as dead. Zero is the default rule.
	DeadCriteria DeadCriteria
	// HoldDown is for how long a dead server is skipped before it is probed (R61). 0 means 30 s; a
	// negative number means that none ever counts as dead.
	HoldDown time.Duration
	// MaxInFlight is the Window: how many records may wait for answers at once. Each 256 of them
	// are up to two sockets per server, opened when needed. 0 means 1024; at most 65536.
	MaxInFlight int
	// Source is the local address that requests leave from; the zero Addr lets the system choose.
	// It must be of the family of all servers.
	Source netip.Addr
	// Listen opens a socket: network is "udp4" or "udp6"; of laddr, which may be the zero AddrPort, the
	// port is 0. nil means the system's UDP.
	Listen func(network string, laddr netip.AddrPort) (Socket, error)
	// Generation tells this set of servers from others that the same records went to: a Progress of
	// another generation is the beginning.
	Generation uint32
	// Heard is called, by a goroutine of the group, when a server answers rightly what nobody waits for
	// any more: a record that was given back with a [accounting.Later] or [accounting.ErrNoResponse]. The
	// server is there, whatever else seems so. nil means that nobody wants to know.
	Heard func()
	// Logger gets what an operator should know. nil means no log.
	Logger *slog.Logger
	// Now is the clock that Acct-Delay-Time and deadlines are read from; it must run as fast as the
	// system's. nil means time.Now.
	Now func() time.Time
}

// withDefaults fills in the defaults and checks the rest.
func (c Config) withDefaults() (Config, error) {
	c.HoldDown = max(0, orDefault(c.HoldDown, defaultHoldDown))
	c.MaxInFlight = orDefault(c.MaxInFlight, defaultMaxInFlight)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Heard == nil {
		c.Heard = func() {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Listen == nil {
		c.Listen = listenUDP
	}
	c.Servers = append([]Server(nil), c.Servers...) // they stay as they are, whatever the caller does
	for i := range c.Servers {
		c.Servers[i] = c.Servers[i].withDefaults()
	}
	return c, c.check()
}

func (s Server) withDefaults() Server {
	s.Addr = plain(s.Addr)
	if s.Name == "" {
		s.Name = s.Addr.String()
	}
	s.Schedule.Timeout = orDefault(s.Schedule.Timeout, defaultTimeout)
	s.Schedule.Retransmit = max(0, orDefault(s.Schedule.Retransmit, defaultRetransmit))
	if s.Schedule.BackoffRetry > 0 {
		s.Schedule.MaxDelay = orDefault(s.Schedule.MaxDelay, defaultMaxDelay)
	}
	return s
}

func orDefault[T int | time.Duration](n, def T) T {
	if n == 0 {
		return def
	}
	return n
}

// check names the setting that cannot be.
func (c Config) check() error {
	switch {
	case int(c.Algorithm) >= len(algorithmNames):
		return fmt.Errorf("radius: group %q: there is no %v", c.Name, c.Algorithm)
	case c.DeadCriteria.Time < 0 || c.DeadCriteria.Tries < 0:
		return fmt.Errorf("radius: group %q: dead criteria %v and %d tries: one is negative", c.Name, c.DeadCriteria.Time, c.DeadCriteria.Tries)
	case c.MaxInFlight < 1 || c.MaxInFlight > maxMaxInFlight:
		return fmt.Errorf("radius: group %q: %d in flight is not 1..%d", c.Name, c.MaxInFlight, maxMaxInFlight)
	case len(c.Servers) < 1 || len(c.Servers) > maxServers:
		return fmt.Errorf("radius: group %q: %d servers is not 1..%d", c.Name, len(c.Servers), maxServers)
	}
	seen := map[netip.AddrPort]bool{}
	for i, s := range c.Servers {
		switch {
		case !s.Addr.IsValid() || s.Addr.Port() == 0:
			return fmt.Errorf("radius: group %q: server %d: no address or port", c.Name, i+1)
		case s.Secret == "":
			return fmt.Errorf("radius: group %q: server %s: no secret", c.Name, s.Name)
		case seen[s.Addr]:
			return fmt.Errorf("radius: group %q: server %s: address %v is there twice", c.Name, s.Name, s.Addr)
		case c.Source.IsValid() && c.Source.Unmap().Is4() != s.Addr.Addr().Is4():
			return fmt.Errorf("radius: group %q: server %s: source %v is of another family", c.Name, s.Name, c.Source)
		}
		if err := checkSchedule(s.Schedule); err != nil {
			return fmt.Errorf("radius: group %q: server %s: %w", c.Name, s.Name, err)
		}
		seen[s.Addr] = true
	}
	return nil
}

// checkSchedule names what cannot be of a schedule with its defaults.
func checkSchedule(s accounting.Schedule) error {
	switch {
	case s.Timeout < 0:
		return fmt.Errorf("timeout %v is negative", s.Timeout)
	case s.MaxDelay < 0:
		return fmt.Errorf("max-delay %v is negative", s.MaxDelay)
	case s.BackoffRetry < 0:
		return fmt.Errorf("backoff-retry %d is negative", s.BackoffRetry)
	case s.Retransmit >= maxTransmissions || s.BackoffRetry >= maxTransmissions || s.Transmissions() > maxTransmissions:
		return fmt.Errorf("1 + %d + %d transmissions are more than %d", s.Retransmit, s.BackoffRetry, maxTransmissions)
	}
	return nil
}

// plain gives an IPv4 address that is written as IPv6 its own form, so that addresses compare.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
