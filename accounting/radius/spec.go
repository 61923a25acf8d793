package radius

import (
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius/client"
)

// Spec is a server group as the configuration has it: an [accounting.Spec]. Unlike in a [client.GroupConfig] zero is zero,
// not a default.
type Spec struct {
	Group        string // its name
	Description  string
	Servers      []client.Member // in the order in which they are tried; 1..64
	Algorithm    client.Algorithm
	Source       netip.Addr    // what requests leave from; the zero Addr lets the system choose
	HoldDown     time.Duration // 0: none ever counts as dead
	DeadCriteria client.DeadCriteria
	Window       int // 1..65536
	DrainRate    float64
	AcctOnOff    *accounting.OnOff // what it announces; nil: nothing
	MonitorGroup string            // the acct-on-off-group whose controlling group says when it is blocked, or ""
	Client       *client.Client    // has the servers
}

var _ accounting.Spec = (*Spec)(nil)

// Name is "group NAME".
func (s *Spec) Name() accounting.MethodName { return accounting.Group(s.Group) }

// Equal reports whether other is the same group. Neither the Description nor the Client matters.
func (s *Spec) Equal(other accounting.Spec) bool {
	o, ok := other.(*Spec)
	if !ok {
		return false
	}
	a, b := *s, *o
	a.Description, a.Client, b.Description, b.Client = "", nil, "", nil
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
	if slices.ContainsFunc(s.Servers, func(server client.Member) bool { return server.Schedule.BackoffRetry > 0 }) {
		c.Rounds = backoffRounds
		if len(s.Servers) > 1 {
			c.Rounds = backoffRoundsSeveral
		}
	}
	return c
}

// Open makes the group. Its client has the log.
func (s *Spec) Open(heard func(), _ *slog.Logger) (*accounting.Opened, error) {
	g, err := New(s.Client, s.config(heard))
	if err != nil {
		return nil, err
	}
	return &accounting.Opened{Method: g, Run: g.Run, Ready: g.Ready(), Announce: g.Announce, Abandon: g.Abandon}, nil
}

func (s *Spec) config(heard func()) client.GroupConfig {
	cfg := client.GroupConfig{
		Name: s.Group, Members: slices.Clone(s.Servers), Algorithm: s.Algorithm, HoldDown: orNone(s.HoldDown), Source: s.Source,
		DeadCriteria: s.DeadCriteria, MaxInFlight: s.Window, Heard: heard,
	}
	for i := range cfg.Members {
		schedule := &cfg.Members[i].Schedule
		schedule.Retransmit = orNone(schedule.Retransmit)
	}
	return cfg
}

// orNone translates zero to a GroupConfig, where it is a default.
func orNone[T int | time.Duration](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

// GroupStatus is a server group with its statistics.
type GroupStatus struct {
	Spec  *Spec
	Stats client.Stats
}

// StatusOf is how a group is, from its Spec and the method that this has opened; false: they are of another transport.
func StatusOf(spec accounting.Spec, m accounting.Method) (GroupStatus, bool) {
	s, ok := spec.(*Spec)
	if !ok {
		return GroupStatus{}, false
	}
	opened, ok := m.(*Group)
	if !ok {
		return GroupStatus{}, false
	}
	return GroupStatus{s, opened.Stats()}, true
}
