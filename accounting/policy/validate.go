package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aaasess/accounting"
)

// maxName is the most octets of a name: with the type, the name of a list must fit into 255.
const maxName = 100

// validate returns every fault, one per line.
func (p *Policy) validate() error {
	var all []error
	add := func(where string, faults []error) {
		for _, err := range faults {
			all = append(all, fmt.Errorf("%w: %s: %w", ErrPolicy, where, err))
		}
	}
	add("update", p.Update.faults())
	lists := map[string]bool{}
	for i := range p.Lists {
		l := &p.Lists[i]
		name := listName(l.Type, l.Name)
		add(name, l.faults(lists[name]))
		add(name, p.commandFaults(l))
		add(name, p.Update.periodFaults(&l.Methods))
		lists[name] = true
	}
	clients := map[string]bool{}
	for _, c := range p.Clients {
		clients[c.Name] = true
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		add(fmt.Sprintf("rule %d", i+1), r.faults(lists[listName(r.Type, r.List)], clients))
	}
	numbers := map[string]bool{}
	for i := range p.DNIS {
		n := &p.DNIS[i]
		add("DNIS number "+n.Number, n.faults(numbers[n.Number]))
		add("DNIS number "+n.Number, p.Update.periodFaults(&n.Methods))
		numbers[n.Number] = true
	}
	return errors.Join(all...)
}

func (t Type) faults() []error {
	if !t.isKnown() {
		return []error{errors.New("unknown accounting type")}
	}
	return nil
}

func (l *List) faults(twice bool) []error {
	faults := l.Type.faults()
	if l.DelayStart != 0 && l.Type != Network {
		faults = append(faults, errors.New("only starts of network sessions wait for an address"))
	}
	if l.Name == "" || len(l.Name) > maxName || strings.HasPrefix(l.Name, dnisPrefix) {
		faults = append(faults, fmt.Errorf("the name of a list must have 1 to %d octets and not begin with %q", maxName, dnisPrefix))
	}
	if twice {
		faults = append(faults, errors.New("the list is defined twice"))
	}
	if !l.Type.isOfUsers() && (l.Periodic != 0 || l.InterimsToFirst) {
		faults = append(faults, fmt.Errorf("a %s list has no interims", l.Type))
	}
	return append(faults, l.Methods.faults(l.Type)...)
}

// commandFaults returns a fault for each group of RADIUS servers in a list of commands.
func (p *Policy) commandFaults(l *List) (faults []error) {
	for _, name := range l.Methods.Methods {
		if l.Type.IsCommands() && name.Group() != "" && !slices.Contains(p.TACACS, name) {
			faults = append(faults, fmt.Errorf("method %q: %w", string(name), ErrCommandsToRADIUS))
		}
	}
	return faults
}

func (n *Number) faults(twice bool) (faults []error) {
	if n.Number == "" || len(n.Number) > maxName-len(dnisPrefix) {
		faults = append(faults, fmt.Errorf("a number must have 1 to %d octets", maxName-len(dnisPrefix)))
	}
	if twice {
		faults = append(faults, errors.New("the number is in the map twice"))
	}
	return append(faults, n.Methods.faults(Network)...)
}

func (m *Methods) faults(t Type) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	switch {
	case t.isKnown() && !slices.Contains(t.Records(), m.Record):
		fault("record type %s is not allowed for %s", m.Record, t)
	case m.Record != accounting.None && len(m.Methods) == 0:
		fault("a %s list needs a method", m.Record)
	}
	if len(m.Methods) > 255 {
		fault("%d methods, at most 255", len(m.Methods))
	}
	if m.Broadcast && len(m.Methods) > MaxBroadcast {
		fault("a broadcast to %d methods: records can be sent to at most %d at the same time", len(m.Methods), MaxBroadcast)
	}
	if m.InterimsToFirst && (!m.Broadcast || m.Record != accounting.StartStop) {
		fault("only a start-stop broadcast can leave interims to its first method")
	}
	switch {
	case m.DelayStart == 0:
	case m.DelayStart < 0 || m.DelayStart > MaxDelayStart:
		fault("the delay %v of starts is not between 0s and %v", m.DelayStart, MaxDelayStart)
	case m.Record != accounting.StartStop || m.InterimsToFirst:
		fault("only starts of a start-stop list whose interims go to all methods wait for an address")
	}
	for i, name := range m.Methods {
		if err := name.Check(); err != nil {
			faults = append(faults, err)
		} else if slices.Contains(m.Methods[:i], name) {
			fault("method %q is listed twice", string(name))
		}
	}
	return faults
}

func (u *Update) faults() (faults []error) {
	if u.Minimum < 0 || u.Minimum > MaxPeriod {
		return []error{fmt.Errorf("the minimum %v is not between 0s and %v", u.Minimum, MaxPeriod)}
	}
	if u.Periodic != 0 {
		faults = u.rangeFaults("interims", u.Periodic)
	}
	if u.ServicePeriodic != 0 && u.ServicePeriodic != NoInterims {
		faults = append(faults, u.rangeFaults("interims of services", u.ServicePeriodic)...)
	}
	return faults
}

// periodFaults returns the faults in the period of a list.
func (u *Update) periodFaults(m *Methods) []error {
	switch {
	case m.Periodic == 0 || m.Periodic == NoInterims:
		return nil
	case m.Record != accounting.StartStop:
		return []error{fmt.Errorf("a %s list has no interims", m.Record)}
	}
	return u.rangeFaults("interims", m.Periodic)
}

func (u *Update) rangeFaults(what string, period time.Duration) []error {
	if period < u.minimum() || period > MaxPeriod {
		return []error{fmt.Errorf("%s each %v: the period is not between %v and %v", what, period, u.minimum(), MaxPeriod)}
	}
	return nil
}

func (r *Rule) faults(hasList bool, clients map[string]bool) []error {
	faults := r.Type.faults()
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !hasList {
		fault("there is no list %s", listName(r.Type, r.List))
	}
	if len(r.Clients)+len(r.Ports)+len(r.PortIDs)+len(r.Protocols) == 0 {
		fault("it has no condition: the list %s is the one that applies everywhere", Default)
	}
	for _, name := range r.Clients {
		if !clients[name] {
			fault("no client is called %s", name)
		}
	}
	for _, ports := range r.Ports {
		if ports.First > ports.Last {
			fault("NAS-Port %s: the first port is after the last", ports)
		}
	}
	if slices.Contains(r.PortIDs, "") {
		fault("an empty pattern for NAS-Port-Id matches nothing")
	}
	return faults
}
