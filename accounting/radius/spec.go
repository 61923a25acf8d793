package radius

import (
	"log/slog"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/servers"
)

// Spec is the configuration of a server group, an [accounting.Spec]. Unlike in a
// [client.GroupConfig], zero means zero and not a default.
type Spec struct {
	Group        string // name of the group
	Description  string
	Servers      []client.Member // in the order in which they are tried; 1..64
	Algorithm    client.Algorithm
	BatchSize    int           // for LeastOutstanding, else 0
	Source       netip.Addr    // source address of requests; the zero Addr lets the system choose
	HoldDown     time.Duration // 0: no server is ever marked dead
	DeadCriteria servers.DeadCriteria
	Window       int // 1..65536
	DrainRate    float64
	AcctOnOff    *accounting.OnOff // its Accounting-On and -Off; nil: none
	MonitorGroup string            // the acct-on-off-group that it monitors, or ""
	NASSessionID radius.ID         // the attribute for the NAS's own Acct-Session-Id; zero: it is not sent
	UserID       radius.ID         // the attribute for the user's name without a realm; zero: it is not sent
	ResyncMark   radius.ID         // the attribute that marks records of a resync; zero: none
	// AddNASIdentifier: a record without NAS-Identifier gets one, with the NAS's address as text.
	AddNASIdentifier bool
	Client           *client.Client // sends to the servers
}

var _ accounting.Spec = (*Spec)(nil)

// Name returns "group NAME".
func (s *Spec) Name() accounting.MethodName { return accounting.Group(s.Group) }

// Equal reports whether other is the same group. The Description and the Client do not matter.
func (s *Spec) Equal(other accounting.Spec) bool {
	o, ok := other.(*Spec)
	if !ok {
		return false
	}
	a, b := *s, *o
	a.Description, a.Client, b.Description, b.Client = "", nil, "", nil
	return reflect.DeepEqual(a, b)
}

// Hosts returns the address and port of each server, with the source address: a server knows a NAS
// by that.
func (s *Spec) Hosts() []string {
	hosts := make([]string, len(s.Servers))
	for i, m := range s.Servers {
		hosts[i] = net.JoinHostPort(m.Host, strconv.Itoa(int(m.Port)))
		if s.Source.IsValid() {
			hosts[i] += " from " + s.Source.String()
		}
	}
	return hosts
}

// OnOff returns AcctOnOff.
func (s *Spec) OnOff() *accounting.OnOff { return s.AcctOnOff }

// Rounds for a group with back-off. One schedule of a server has enough transmissions to tell a
// record that the server ignores from one that was lost. With several servers, one may be down
// while another answers, which is no evidence against the record.
const (
	backoffRounds        = 1
	backoffRoundsSeveral = 2
)

// Delivery returns how records are delivered to the group.
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

// Open creates the group. The client has its own logger.
func (s *Spec) Open(answered func(), _ *slog.Logger) (*accounting.Opened, error) {
	g, err := New(s.Client, s.config(answered))
	if err != nil {
		return nil, err
	}
	g.adds.Store(s.additions())
	return &accounting.Opened{
		Method: g, Run: g.Run, Ready: g.Ready(), Announce: g.Announce, AnnounceTo: g.AnnounceTo, Abandon: g.Abandon,
		Reconfigure: func(spec accounting.Spec) (func(), error) { return s.reconfigure(g, spec) },
	}, nil
}

// reconfigure prepares a change from s to spec. A change of the servers, of the source address or
// of the Accounting-On and -Off needs a new group.
func (s *Spec) reconfigure(g *Group, spec accounting.Spec) (apply func(), err error) {
	to, ok := spec.(*Spec)
	if !ok || to.Client != s.Client || !reflect.DeepEqual(to.AcctOnOff, s.AcctOnOff) {
		return nil, nil
	}
	change, err := g.Reconfigure(to.config(nil))
	if change == nil || err != nil {
		return nil, err
	}
	return func() {
		change()
		g.adds.Store(to.additions())
	}, nil
}

func (s *Spec) additions() *additions {
	return &additions{nasSession: s.NASSessionID, userID: s.UserID, resyncMark: s.ResyncMark, nasIdentifier: s.AddNASIdentifier}
}

func (s *Spec) config(answered func()) client.GroupConfig {
	cfg := client.GroupConfig{
		Name: s.Group, Members: slices.Clone(s.Servers), Algorithm: s.Algorithm, BatchSize: s.BatchSize, HoldDown: zeroAsNone(s.HoldDown), Source: s.Source,
		DeadCriteria: s.DeadCriteria, MaxInFlight: s.Window, Heard: answered,
	}
	for i := range cfg.Members {
		schedule := &cfg.Members[i].Schedule
		schedule.Retransmit = zeroAsNone(schedule.Retransmit)
	}
	return cfg
}

// zeroAsNone converts zero for a GroupConfig, where zero means the default and -1 means none.
func zeroAsNone[T int | time.Duration](n T) T {
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

// StatusOf returns the status of a group, from its Spec and the method that the Spec opened. It
// returns false if they belong to another transport.
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
