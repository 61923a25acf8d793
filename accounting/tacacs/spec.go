package tacacs

import (
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/internal/servers"
	tacclient "aaasess/internal/tacacs/client"
)

// Spec is the configuration of a group of TACACS+ servers, an [accounting.Spec]. Unlike in a
// [tacclient.GroupConfig], a HoldDown of zero means zero and not a default.
type Spec struct {
	Group        string // name of the group
	Description  string
	Servers      []tacclient.Member // in the order in which they are tried; 1..64
	Source       netip.Addr         // source address of connections; the zero Addr lets the system choose
	HoldDown     time.Duration      // 0: no server is ever marked dead
	DeadCriteria servers.DeadCriteria
	Window       int // 1..65536
	DrainRate    float64
	AcctOnOff    *accounting.OnOff // its system records; nil: none
	Arguments    Arguments         // how records become arguments
	Client       *tacclient.Client // sends to the servers
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
	for i := range s.Servers {
		hosts[i] = s.Servers[i].Address()
		if s.Source.IsValid() {
			hosts[i] += " from " + s.Source.String()
		}
	}
	return hosts
}

// OnOff returns AcctOnOff.
func (s *Spec) OnOff() *accounting.OnOff { return s.AcctOnOff }

// rounds is in how many schedules a record must have had no response before it is set aside. ERROR
// ends a schedule at once, even with a back-off, so more schedules are needed than by default: their
// waits of 1 s to 60 s add up to two minutes, the time that a server has to recover from what made it
// answer ERROR to one record.
const rounds = 8

// Delivery returns how records are delivered to the group.
func (s *Spec) Delivery() accounting.MethodConfig {
	return accounting.MethodConfig{Rounds: rounds, DrainRate: s.DrainRate}
}

// Open creates the group. The client has its own logger.
func (s *Spec) Open(answered func(), _ *slog.Logger) (*accounting.Opened, error) {
	g, err := New(s.Client, s.config(answered), &s.Arguments)
	if err != nil {
		return nil, err
	}
	return &accounting.Opened{
		Method: g, Run: g.Run, Ready: g.Ready(), Announce: g.Announce, AnnounceTo: g.AnnounceTo, Abandon: g.Abandon,
		Reconfigure: func(spec accounting.Spec) (func(), error) { return s.reconfigure(g, spec) },
	}, nil
}

// reconfigure prepares a change from s to spec. A change of the servers, of the source address or
// of the system records needs a new group.
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
		g.arguments.Store(&to.Arguments)
	}, nil
}

func (s *Spec) config(answered func()) tacclient.GroupConfig {
	holdDown := s.HoldDown
	if holdDown == 0 {
		holdDown = -1 // in a GroupConfig, zero means the default
	}
	return tacclient.GroupConfig{
		Name: s.Group, Members: slices.Clone(s.Servers), HoldDown: holdDown, Source: s.Source, DeadCriteria: s.DeadCriteria, MaxInFlight: s.Window, Heard: answered,
	}
}

// GroupStatus is a group with its statistics.
type GroupStatus struct {
	Spec  *Spec
	Stats tacclient.Stats
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
