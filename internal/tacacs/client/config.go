package client

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"aaasess/internal/retry"
	"aaasess/internal/servers"
	"aaasess/internal/tacacs"
)

// The defaults of a [GroupConfig] and of a [Member].
const (
	DefaultPort        = 49
	DefaultTimeout     = 5 * time.Second
	DefaultMaxDelay    = time.Hour
	DefaultHoldDown    = 30 * time.Second
	DefaultMaxInFlight = 1024
	DefaultConnections = 4
)

// MaxConnections is the largest number of connections to a server.
const MaxConnections = 256

const (
	maxMaxInFlight = 1 << 16
	// maxTransmissions is the largest count in a Progress.
	maxTransmissions = 1<<16 - 1
)

// Config configures a Client; zero values mean the defaults.
type Config struct {
	// Dial opens a connection to a server. nil means TCP.
	Dial Dial
	// Changed is called when a server became dead, or is not dead any more: once for each change, and
	// in their order. It must return soon. It may use the Client, but must not change its groups. nil
	// is allowed.
	Changed func(servers.Change)
	// Logger receives messages for operators. nil discards them.
	Logger *slog.Logger
	// Now is the clock for deadlines; it must run at the speed of the system's. nil means time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.Dial == nil {
		c.Dial = OverTCP
	}
	if c.Changed == nil {
		c.Changed = func(servers.Change) {}
	}
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Identity identifies a server. Groups with the same Identity share the server, with its state. The
// same host with another port, key or name is another server (R43).
type Identity struct {
	// Name is for logs and statistics; "" means host and port.
	Name string
	// Host is an address, or a name that is resolved for each connection.
	Host string
	// Port is the server's TCP port; 0 means 49.
	Port uint16
	// Key obfuscates the packets (RFC 8907 section 4.5); it must not be empty.
	Key tacacs.Key
}

// Member is a server of a group.
type Member struct {
	Identity
	// Schedule is when a request is sent to the server. Timeout 0 means 5 s. Retransmit 0 means
	// none, because TCP repeats. BackoffRetry 0 means no back-off; with a back-off, MaxDelay 0 means
	// an hour.
	Schedule retry.Schedule
	// SingleConnection asks the server to keep connections for many requests (RFC 8907 section
	// 4.3).
	SingleConnection bool
	// Connections is how many connections to the server may be open at once: 1..256; 0 means 4. If
	// groups that share a server differ, the largest number holds.
	Connections int
	// WatchdogStart sends interims as WATCHDOG with START (0x0A, RFC 8907 section 7.1) instead of
	// WATCHDOG alone (0x08).
	WatchdogStart bool
}

// GroupConfig configures a Group; zero values mean the defaults.
type GroupConfig struct {
	// Name is the group's name in logs.
	Name string
	// Members are the servers of the group in the order in which they are tried: 1..64, each host
	// and port once.
	Members []Member
	// DeadCriteria define when a server counts as dead. Zero means the default rule. Tries is also
	// the number of different requests in a row that must get ERROR or FOLLOW; 0 means 3.
	DeadCriteria servers.DeadCriteria
	// HoldDown is how long a dead server is skipped before it is probed (R61). 0 means 30 s; a
	// negative number means that no server is ever dead for this group.
	HoldDown time.Duration
	// MaxInFlight is the Window: how many requests may wait for answers at once. 0 means 1024; the
	// maximum is 65536.
	MaxInFlight int
	// Source is the local address of connections; the zero Addr lets the system choose. It must
	// have the address family of all servers.
	Source netip.Addr
	// Heard is called from a goroutine of the client if a server of the group sends a valid answer
	// that no request waits for, or comes back for another group: the server is up, whatever the
	// group assumed. nil is allowed.
	Heard func()
}

// withDefaults sets the defaults and checks the rest.
func (c GroupConfig) withDefaults() (GroupConfig, error) {
	c.HoldDown = max(0, cmp.Or(c.HoldDown, DefaultHoldDown))
	c.MaxInFlight = cmp.Or(c.MaxInFlight, DefaultMaxInFlight)
	if c.Heard == nil {
		c.Heard = func() {}
	}
	c.Members = append([]Member(nil), c.Members...) // independent of later changes by the caller
	for i := range c.Members {
		c.Members[i] = c.Members[i].withDefaults()
	}
	return c, c.check()
}

func (m Member) withDefaults() Member {
	if a, err := netip.ParseAddr(m.Host); err == nil {
		m.Host = a.Unmap().String()
	}
	m.Port = cmp.Or(m.Port, DefaultPort)
	m.Name = cmp.Or(m.Name, m.Address())
	m.Connections = cmp.Or(m.Connections, DefaultConnections)
	m.Schedule.Timeout = cmp.Or(m.Schedule.Timeout, DefaultTimeout)
	if m.Schedule.BackoffRetry > 0 {
		m.Schedule.MaxDelay = cmp.Or(m.Schedule.MaxDelay, DefaultMaxDelay)
	}
	return m
}

// Address returns host and port of the server.
func (id *Identity) Address() string { return net.JoinHostPort(id.Host, strconv.Itoa(int(id.Port))) }

// check returns an error that names the invalid setting.
func (c GroupConfig) check() error {
	switch {
	case c.DeadCriteria.Time < 0 || c.DeadCriteria.Tries < 0:
		return fmt.Errorf("tacacs: group %q: dead criteria must not be negative: time %v, tries %d", c.Name, c.DeadCriteria.Time, c.DeadCriteria.Tries)
	case c.MaxInFlight < 1 || c.MaxInFlight > maxMaxInFlight:
		return fmt.Errorf("tacacs: group %q: max-in-flight is %d, want 1..%d", c.Name, c.MaxInFlight, maxMaxInFlight)
	case len(c.Members) < 1 || len(c.Members) > servers.MaxServers:
		return fmt.Errorf("tacacs: group %q: has %d servers, want 1..%d", c.Name, len(c.Members), servers.MaxServers)
	}
	seen := map[string]bool{}
	for i, m := range c.Members {
		at := m.Address()
		addr, err := netip.ParseAddr(m.Host)
		switch {
		case m.Host == "":
			return fmt.Errorf("tacacs: group %q: server %d: no address", c.Name, i+1)
		case m.Key == "":
			return fmt.Errorf("tacacs: group %q: server %s: no key", c.Name, m.Name)
		case m.Connections < 1 || m.Connections > MaxConnections:
			return fmt.Errorf("tacacs: group %q: server %s: connections is %d, want 1..%d", c.Name, m.Name, m.Connections, MaxConnections)
		case seen[at]:
			return fmt.Errorf("tacacs: group %q: server %s: address %v is configured twice", c.Name, m.Name, at)
		case err == nil && c.Source.IsValid() && c.Source.Unmap().Is4() != addr.Is4():
			return fmt.Errorf("tacacs: group %q: server %s: source %v and the server have different address families", c.Name, m.Name, c.Source)
		}
		if err := checkSchedule(m.Schedule); err != nil {
			return fmt.Errorf("tacacs: group %q: server %s: %w", c.Name, m.Name, err)
		}
		seen[at] = true
	}
	return nil
}

// checkSchedule checks a schedule whose defaults are set.
func checkSchedule(s retry.Schedule) error {
	switch {
	case s.Timeout < 0:
		return fmt.Errorf("timeout %v is negative", s.Timeout)
	case s.MaxDelay < 0:
		return fmt.Errorf("max-delay %v is negative", s.MaxDelay)
	case s.Retransmit < 0:
		return fmt.Errorf("retransmit %d is negative", s.Retransmit)
	case s.BackoffRetry < 0:
		return fmt.Errorf("backoff-retry %d is negative", s.BackoffRetry)
	case s.Retransmit >= maxTransmissions || s.BackoffRetry >= maxTransmissions || s.Transmissions() > maxTransmissions:
		return fmt.Errorf("1 + %d + %d transmissions exceed the limit of %d", s.Retransmit, s.BackoffRetry, maxTransmissions)
	}
	return nil
}
