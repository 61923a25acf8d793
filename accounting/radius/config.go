package radius

import (
	"fmt"
	"log/slog"
	"net/netip"
	"time"
)

// Port is where servers take accounting (RFC 2866 section 3).
const Port = 1813

const (
	defaultTimeout     = 5 * time.Second
	defaultRetransmit  = 3
	defaultHoldDown    = 30 * time.Second
	defaultMaxInFlight = 1024

	// maxServers is how many bits exchange.tried has.
	maxServers = 64
	// maxMaxInFlight keeps a server at 512 sockets.
	maxMaxInFlight = 1 << 16
)

// Secret is the secret that is shared with a server (RFC 2866 section 3), of any octets. It does
// not print itself: String, %v, %#v and slog give "<secret>".
type Secret string

// String does not tell the secret.
func (Secret) String() string { return "<secret>" }

// GoString does not tell the secret.
func (Secret) GoString() string { return "<secret>" }

// LogValue does not tell the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue("<secret>") }

// Server is one accounting server. The same host with another port is another server (R43).
type Server struct {
	// Name is for logs and statistics; "" means the address.
	Name string
	// Addr is where requests go, and the only place that answers are taken from.
	Addr netip.AddrPort
	// Secret is shared with the server; not empty.
	Secret Secret
}

// Config is how a Group is set up; zero values are the defaults.
type Config struct {
	// Name of the group, for logs.
	Name string
	// Servers in the order in which they are tried; 1..64, no address twice.
	Servers []Server
	// Timeout is how long an attempt waits for its answer. 0 means 5 s.
	Timeout time.Duration
	// Retransmit is how many attempts follow the first one to the same server, before the next
	// server is tried. 0 means 3; a negative number means none.
	Retransmit int
	// HoldDown is for how long a server that failed is skipped (R61). 0 means 30 s; a negative
	// number means that none is ever skipped.
	HoldDown time.Duration
	// MaxInFlight is the Window: how many records may wait for answers at once. Each 256 of them
	// are up to two sockets per server, opened when needed. 0 means 1024; at most 65536.
	MaxInFlight int
	// Source is the local address that requests leave from; the zero Addr lets the system choose.
	// It must be of the family of all servers.
	Source netip.Addr
	// Logger gets what an operator should know. nil means no log.
	Logger *slog.Logger
	// Now is the clock that Acct-Delay-Time and deadlines are read from; it must run as fast as the
	// system's. nil means time.Now.
	Now func() time.Time
}

// withDefaults fills in the defaults and checks the rest.
func (c Config) withDefaults() (Config, error) {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	c.Retransmit = max(0, orDefault(c.Retransmit, defaultRetransmit))
	c.HoldDown = max(0, orDefault(c.HoldDown, defaultHoldDown))
	c.MaxInFlight = orDefault(c.MaxInFlight, defaultMaxInFlight)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Servers = append([]Server(nil), c.Servers...) // they stay as they are, whatever the caller does
	return c, c.check()
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
	case c.Timeout < 0:
		return fmt.Errorf("radius: group %q: timeout %v is negative", c.Name, c.Timeout)
	case c.MaxInFlight < 1 || c.MaxInFlight > maxMaxInFlight:
		return fmt.Errorf("radius: group %q: %d in flight is not 1..%d", c.Name, c.MaxInFlight, maxMaxInFlight)
	case len(c.Servers) < 1 || len(c.Servers) > maxServers:
		return fmt.Errorf("radius: group %q: %d servers is not 1..%d", c.Name, len(c.Servers), maxServers)
	}
	seen := map[netip.AddrPort]bool{}
	for i := range c.Servers {
		s := &c.Servers[i]
		s.Addr = plain(s.Addr)
		if s.Name == "" {
			s.Name = s.Addr.String()
		}
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
		seen[s.Addr] = true
	}
	return nil
}

// plain gives an IPv4 address that is written as IPv6 its own form, so that addresses compare.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
