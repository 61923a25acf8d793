package client

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// The defaults of a [GroupConfig] and of the schedule of a [Member].
const (
	DefaultTimeout     = 5 * time.Second
	DefaultRetransmit  = 3
	DefaultMaxDelay    = time.Hour
	DefaultHoldDown    = 30 * time.Second
	DefaultMaxInFlight = 1024
	DefaultBatchSize   = 25
)

const (
	// maxMaxInFlight limits a server to 512 sockets for each group.
	maxMaxInFlight = 1 << 16
	// maxTransmissions is the largest count in a Progress.
	maxTransmissions = 1<<16 - 1
)

// defaultNASIdentifier is the NAS-Identifier of active tests if none is configured.
const defaultNASIdentifier = "aaasess"

// Config configures a Client; zero values mean the defaults.
type Config struct {
	// Dial opens a connection to a server. nil means UDP.
	Dial Dial
	// Lookup resolves a host. nil means the system's resolver: /etc/hosts, DNS.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// LookupTimes is when names are resolved.
	LookupTimes LookupTimes
	// NASIdentifier is the NAS-Identifier in the requests of active tests, until
	// [Client.SetNASIdentifier]. "" means "aaasess".
	NASIdentifier string
	// Changed is called when a server became dead, or is not dead any more: once for each change, and
	// in their order. It must return soon. It may use the Client, but must not change its groups. nil
	// is allowed.
	Changed func(servers.Change)
	// Logger receives messages for operators. nil discards them.
	Logger *slog.Logger
	// Now is the clock for deadlines; it must run at the speed of the system's. nil means time.Now.
	Now func() time.Time
}

// LookupTimes is when names are resolved; zero values mean the defaults.
type LookupTimes struct {
	Limit    time.Duration // time limit of one resolution; 0 means 5 s
	Min, Max time.Duration // the wait doubles from Min to Max until a name is known; 0: 1 s, 60 s
	Every    time.Duration // interval after success, because servers may move; 0 means 5 min
}

func (t LookupTimes) withDefaults() LookupTimes {
	return LookupTimes{
		Limit: cmp.Or(t.Limit, 5*time.Second), Min: cmp.Or(t.Min, time.Second), Max: cmp.Or(t.Max, time.Minute),
		Every: cmp.Or(t.Every, 5*time.Minute),
	}
}

func (c Config) withDefaults() Config {
	if c.Dial == nil {
		c.Dial = OverUDP(nil)
	}
	if c.Lookup == nil {
		c.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if c.Changed == nil {
		c.Changed = func(servers.Change) {}
	}
	c.NASIdentifier = cmp.Or(c.NASIdentifier, defaultNASIdentifier)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Now == nil {
		c.Now = time.Now
	}
	c.LookupTimes = c.LookupTimes.withDefaults()
	return c
}

// Identity identifies a server, and has the settings that it has in all groups. Groups whose
// Identity has the same Name, Host, Port and Secret share the server, with its state. The same
// host with another port, secret or name is another server (R43). The other fields may change while it
// runs: the newest group, or the latest change by [Group.Reconfigure], decides.
type Identity struct {
	// Name is for logs and statistics; "" means host and port.
	Name string
	// Host is an address, or a name that is resolved.
	Host string
	// Port is the destination of Accounting-Requests, and the only source port of their answers. 0
	// means none: the server is for authentication only, and AuthPort identifies it.
	Port uint16
	// AuthPort is the same for Access-Requests. 0 means none.
	AuthPort uint16
	// Secret is shared with the server; it must not be empty.
	Secret radius.Secret
	// Signing says which answers to Access-Requests need a Message-Authenticator.
	Signing radius.Signing
	// Aliases are further addresses from which the server answers, with the same port.
	Aliases Aliases
	// Test is its active test.
	Test Test
}

// key is what identifies a server.
type key struct {
	name, host     string
	port, authPort uint16
	secret         radius.Secret
}

func (id *Identity) key() key {
	k := key{name: id.Name, host: id.Host, port: id.Port, secret: id.Secret}
	if id.Port == 0 {
		k.authPort = id.AuthPort
	}
	return k
}

// portFor returns the port for a purpose; 0 means none.
func (id *Identity) portFor(p Purpose) uint16 {
	if p == Authentication {
		return id.AuthPort
	}
	return id.Port
}

// Member is a server of a group.
type Member struct {
	Identity
	// Schedule is when a request is sent to the server. Timeout 0 means 5 s. Retransmit 0 means 3;
	// a negative number means none. BackoffRetry 0 means no back-off; with a back-off, MaxDelay 0
	// means an hour. Groups for authentication have no back-off: they ignore BackoffRetry.
	Schedule retry.Schedule
}

// GroupConfig configures a Group; zero values mean the defaults.
type GroupConfig struct {
	// Name is the group's name in logs.
	Name string
	// Purpose is what the group sends. All members must have a port for it.
	Purpose Purpose
	// Members are the servers of the group: 1..64, each address once.
	Members []Member
	// Algorithm is the order in which they are tried. The default is Direct.
	Algorithm Algorithm
	// BatchSize is how many requests one after the other LeastOutstanding assigns to a server. 0
	// means 25, as in Cisco IOS.
	BatchSize int
	// DeadCriteria define when a server counts as dead. Zero means the default rule.
	DeadCriteria servers.DeadCriteria
	// HoldDown is how long a dead server is skipped before it is probed (R61). 0 means 30 s; a
	// negative number means that no server is ever dead for this group.
	HoldDown time.Duration
	// MaxInFlight is the Window: how many requests may wait for answers at once. Each 256 of them
	// need up to two sockets for each server, opened when needed. 0 means 1024; the maximum is
	// 65536.
	MaxInFlight int
	// Source is the local address that requests leave from; the zero Addr lets the system choose.
	// It must have the address family of all servers.
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
	c.BatchSize = cmp.Or(c.BatchSize, DefaultBatchSize)
	if c.Heard == nil {
		c.Heard = func() {}
	}
	c.Members = append([]Member(nil), c.Members...) // independent of later changes by the caller
	for i := range c.Members {
		c.Members[i] = c.Members[i].withDefaults(c.Purpose)
	}
	return c, c.check()
}

func (m Member) withDefaults(p Purpose) Member {
	if a, err := netip.ParseAddr(m.Host); err == nil {
		m.Host = a.Unmap().String()
	}
	m.Name = cmp.Or(m.Name, net.JoinHostPort(m.Host, strconv.Itoa(int(cmp.Or(m.Port, m.AuthPort)))))
	m.Test.IdleTime = cmp.Or(m.Test.IdleTime, DefaultIdleTime)
	m.Schedule.Timeout = cmp.Or(m.Schedule.Timeout, DefaultTimeout)
	m.Schedule.Retransmit = max(0, cmp.Or(m.Schedule.Retransmit, DefaultRetransmit))
	if p == Authentication {
		m.Schedule.BackoffRetry = 0
	}
	if m.Schedule.BackoffRetry > 0 {
		m.Schedule.MaxDelay = cmp.Or(m.Schedule.MaxDelay, DefaultMaxDelay)
	}
	return m
}

// check returns an error that names the invalid setting.
func (c GroupConfig) check() error {
	switch {
	case c.Purpose >= purposes:
		return fmt.Errorf("radius: group %q: unknown %v", c.Name, c.Purpose)
	case int(c.Algorithm) >= len(algorithmNames):
		return fmt.Errorf("radius: group %q: unknown %v", c.Name, c.Algorithm)
	case c.DeadCriteria.Time < 0 || c.DeadCriteria.Tries < 0:
		return fmt.Errorf("radius: group %q: dead criteria must not be negative: time %v, tries %d", c.Name, c.DeadCriteria.Time, c.DeadCriteria.Tries)
	case c.MaxInFlight < 1 || c.MaxInFlight > maxMaxInFlight:
		return fmt.Errorf("radius: group %q: max-in-flight is %d, want 1..%d", c.Name, c.MaxInFlight, maxMaxInFlight)
	case c.BatchSize < 1:
		return fmt.Errorf("radius: group %q: batch-size is %d, want 1 or more", c.Name, c.BatchSize)
	case len(c.Members) < 1 || len(c.Members) > servers.MaxServers:
		return fmt.Errorf("radius: group %q: has %d servers, want 1..%d", c.Name, len(c.Members), servers.MaxServers)
	}
	seen := map[string]bool{}
	for i, m := range c.Members {
		port := m.portFor(c.Purpose)
		at := net.JoinHostPort(m.Host, fmt.Sprint(port))
		addr, err := netip.ParseAddr(m.Host)
		switch {
		case m.Host == "" || port == 0:
			return fmt.Errorf("radius: group %q: server %d: no address or port for %v", c.Name, i+1, c.Purpose)
		case m.Test.IdleTime < 0:
			return fmt.Errorf("radius: group %q: server %s: idle-time %v is negative", c.Name, m.Name, m.Test.IdleTime)
		case m.Secret == "":
			return fmt.Errorf("radius: group %q: server %s: no secret", c.Name, m.Name)
		case seen[at]:
			return fmt.Errorf("radius: group %q: server %s: address %v is configured twice", c.Name, m.Name, at)
		case err == nil && c.Source.IsValid() && c.Source.Unmap().Is4() != addr.Is4():
			return fmt.Errorf("radius: group %q: server %s: source %v and the server have different address families", c.Name, m.Name, c.Source)
		}
		if err := checkSchedule(m.Schedule); err != nil {
			return fmt.Errorf("radius: group %q: server %s: %w", c.Name, m.Name, err)
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
	case s.BackoffRetry < 0:
		return fmt.Errorf("backoff-retry %d is negative", s.BackoffRetry)
	case s.Retransmit >= maxTransmissions || s.BackoffRetry >= maxTransmissions || s.Transmissions() > maxTransmissions:
		return fmt.Errorf("1 + %d + %d transmissions exceed the limit of %d", s.Retransmit, s.BackoffRetry, maxTransmissions)
	}
	return nil
}
