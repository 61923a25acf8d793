package radius

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
)

// Spec is a server group as the configuration has it: an [accounting.Spec]. Unlike in a [Config] zero is zero, not a
// default, and servers may have names.
type Spec struct {
	Group        string // its name
	Description  string
	Servers      []ServerSpec // in the order in which they are tried; 1..64
	Algorithm    Algorithm
	Source       netip.Addr    // what requests leave from; the zero Addr lets the system choose
	HoldDown     time.Duration // 0: none ever counts as dead
	DeadCriteria DeadCriteria
	Window       int // 1..65536
	DrainRate    float64
	AcctOnOff    *accounting.OnOff // what it announces; nil: nothing
	MonitorGroup string            // the acct-on-off-group whose controlling group says when it is blocked, or ""
	Lookup       Lookup            // of servers' names; nil is the system's
}

// ServerSpec is a server of a Spec.
type ServerSpec struct {
	Name     string
	Host     string // an IP address or a host name
	Port     uint16
	Secret   radius.Secret
	Schedule accounting.Schedule
}

// Lookup finds the addresses of a host name.
type Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

// systemLookup asks as the system is set up to ask: /etc/hosts, DNS.
func systemLookup(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

var _ accounting.Spec = (*Spec)(nil)

// Name is "group NAME".
func (s *Spec) Name() accounting.MethodName { return accounting.Group(s.Group) }

// Equal reports whether other is the same group. Neither the Description nor the Lookup matters.
func (s *Spec) Equal(other accounting.Spec) bool {
	o, ok := other.(*Spec)
	if !ok {
		return false
	}
	a, b := *s, *o
	a.Description, a.Lookup, b.Description, b.Lookup = "", nil, "", nil
	return reflect.DeepEqual(a, b)
}

// OnOff is AcctOnOff.
func (s *Spec) OnOff() *accounting.OnOff { return s.AcctOnOff }

// Rounds for a group with back-off: the schedule of a server has transmissions enough to tell a record
// that it does not want from one that was lost. But of several servers one may be away and another may
// answer, which does not speak against the record.
const (
	backoffRounds        = 1
	backoffRoundsSeveral = 2
)

// Delivery is how records are delivered to the group.
func (s *Spec) Delivery() accounting.MethodConfig {
	c := accounting.MethodConfig{DrainRate: s.DrainRate}
	if slices.ContainsFunc(s.Servers, func(server ServerSpec) bool { return server.Schedule.BackoffRetry > 0 }) {
		c.Rounds = backoffRounds
		if len(s.Servers) > 1 {
			c.Rounds = backoffRoundsSeveral
		}
	}
	return c
}

// method is what a Spec opens: a [Group], or one whose servers have names.
type method interface {
	accounting.Method
	Run(ctx context.Context) error
	Announce(rec *accounting.Record, done func(server string, err error))
	Abandon()
	Stats() Stats
}

// Open makes the group. Names are looked up when it runs.
func (s *Spec) Open(heard func(), log *slog.Logger) (*accounting.Opened, error) {
	var m method
	if addrs := s.literals(); slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !a.IsValid() }) {
		m = newNamedGroup(s, lookupTimes{}, heard, log)
	} else {
		g, err := s.group(addrs, 0, heard, log)
		if err != nil {
			return nil, err
		}
		m = g
	}
	return &accounting.Opened{Method: m, Run: m.Run, Announce: m.Announce, Abandon: m.Abandon}, nil
}

// literals is the addresses of the servers; not valid where a server has a name.
func (s *Spec) literals() []netip.Addr {
	addrs := make([]netip.Addr, len(s.Servers))
	for i, server := range s.Servers {
		addrs[i], _ = netip.ParseAddr(server.Host)
	}
	return addrs
}

// group makes a Group of those servers whose address is known. generation and heard are its Config's.
func (s *Spec) group(addrs []netip.Addr, generation uint32, heard func(), log *slog.Logger) (*Group, error) {
	cfg := s.config(addrs)
	cfg.Generation, cfg.Heard, cfg.Logger = generation, heard, log
	return New(cfg)
}

func (s *Spec) config(addrs []netip.Addr) Config {
	cfg := Config{
		Name: s.Group, Algorithm: s.Algorithm, HoldDown: orNone(s.HoldDown), Source: s.Source,
		DeadCriteria: s.DeadCriteria, MaxInFlight: s.Window,
	}
	for i, server := range s.Servers {
		if addrs[i].IsValid() {
			schedule := server.Schedule
			schedule.Retransmit = orNone(schedule.Retransmit)
			cfg.Servers = append(cfg.Servers, Server{
				Name: server.Name, Addr: netip.AddrPortFrom(addrs[i], server.Port), Secret: server.Secret, Schedule: schedule,
			})
		}
	}
	return cfg
}

// orNone translates zero to a Config, where it is a default.
func orNone[T int | time.Duration](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

// GroupStatus is a server group with its statistics.
type GroupStatus struct {
	Spec  *Spec
	Stats Stats
}

// StatusOf is how a group is, from its Spec and the method that this has opened; false: they are of another transport.
func StatusOf(spec accounting.Spec, m accounting.Method) (GroupStatus, bool) {
	s, ok := spec.(*Spec)
	if !ok {
		return GroupStatus{}, false
	}
	opened, ok := m.(method)
	if !ok {
		return GroupStatus{}, false
	}
	return GroupStatus{s, opened.Stats()}, true
}

// Server is the statistics of a server by its name; false: its address is not known yet.
func (g GroupStatus) Server(name string) (ServerStats, bool) {
	for _, s := range g.Stats.Servers {
		if s.Name == name {
			return s, true
		}
	}
	return ServerStats{}, false
}
