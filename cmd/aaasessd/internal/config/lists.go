package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aaasess/accounting"
	"aaasess/accounting/policy"
	"aaasess/internal/radius"
)

// typePath returns the path of the lists of a type below accounting, and below an entry of apply:
// "network", "commands.15".
func typePath(t policy.Type) string { return strings.ReplaceAll(t.String(), "/", ".") }

func listPath(t policy.Type, name string) string { return "accounting." + typePath(t) + "." + name }

// lists returns the lists of all types by name. Those that have fewer keys than the lists of
// sessions get the defaults of the others.
func (d *policyChecker) lists() map[policy.Type]map[string]rawList {
	raw := &d.raw.Accounting
	all := map[policy.Type]map[string]rawList{policy.Network: raw.Network, policy.Exec: raw.Exec, policy.Connection: raw.Connection}
	add := func(t policy.Type, name string, record accounting.RecordType, broadcast bool, methods []accounting.MethodName) {
		if all[t] == nil {
			all[t] = map[string]rawList{}
		}
		all[t][name] = rawList{Record: record, Broadcast: broadcast, BroadcastInterims: true, Methods: methods}
	}
	for name, l := range raw.Resource {
		add(policy.Resource, name, d.callRecord(listPath(policy.Resource, name)+".record", l.Record), l.Broadcast, l.Methods)
	}
	for level, named := range raw.Commands {
		n, _ := strconv.Atoi(level) // its pattern was checked
		for name, l := range named {
			add(policy.Commands(n), name, l.Record, l.Broadcast, l.Methods)
		}
	}
	for name, l := range raw.VRRS {
		add(policy.VRRS, name, l.Record, l.Broadcast, l.Methods)
	}
	return all
}

// callRecord returns the record type of a list of calls. S1's example defines both types for the
// default list: start-stop contains stop-failure.
func (d *policyChecker) callRecord(path string, types []accounting.RecordType) accounting.RecordType {
	unique, both := d.Unique(), accounting.None
	for i, t := range types {
		at := fmt.Sprintf("%s[%d]", path, i)
		if d.Faulty(at) {
			return accounting.StartStop // so that its methods have no faults because of this one
		}
		unique.Check(at, t.String(), "in")
		if t == accounting.None && len(types) > 1 {
			d.Fault(at, "none is not allowed beside another record type")
		}
		if both != accounting.StartStop && t != accounting.None {
			both = t
		}
	}
	return both
}

// applies returns the names of lists in an entry of apply.
func (r *rawApply) applies() map[policy.Type]nameText {
	all := map[policy.Type]nameText{
		policy.Network: r.Network, policy.Exec: r.Exec, policy.Connection: r.Connection, policy.Resource: r.Resource, policy.VRRS: r.VRRS,
	}
	for level, name := range r.Commands {
		n, _ := strconv.Atoi(level) // its pattern was checked
		all[policy.Commands(n)] = name
	}
	return all
}

// callIDs checks that no group puts another text in the place of the id that links the records of a
// call, if there are lists of calls.
func (d *policyChecker) callIDs(lists []policy.List) {
	isOfCalls := func(l policy.List) bool { return l.Type == policy.Resource && l.Record != accounting.None }
	if !slices.ContainsFunc(lists, isOfCalls) {
		return
	}
	for i := range d.raw.RADIUS.Groups {
		g, path := &d.c.Groups[i], fmt.Sprintf("radius.groups[%d]", i)
		for key, id := range map[string]radius.ID{".nas-session-id": g.NASSessionID, ".user-id": g.UserID} {
			if id == (radius.ID{Type: radius.AcctMultiSessionID}) {
				d.Fault(path+key, "Acct-Multi-Session-Id links the records of a call, see accounting.resource in line %d", d.Line("accounting.resource"))
			}
		}
	}
}

// acknowledging adds the groups whose answers make a broadcast accepted.
func (d *policyChecker) acknowledging() {
	broadcasts := map[accounting.MethodName]bool{}
	add := func(m *policy.Methods) {
		for _, name := range m.Methods {
			broadcasts[name] = broadcasts[name] || m.Broadcast
		}
	}
	for i := range d.c.Policy.Lists {
		add(&d.c.Policy.Lists[i].Methods)
	}
	for i := range d.c.Policy.DNIS {
		add(&d.c.Policy.DNIS[i].Methods)
	}
	for _, g := range d.serverGroups() {
		name := accounting.Group(g.name)
		if g.keys.ackBroadcast && !broadcasts[name] {
			d.AddWarning(g.path+".acknowledge-broadcast", "has no effect, because no broadcast list names the group")
		} else if g.keys.ackBroadcast {
			d.c.Policy.Acknowledging = append(d.c.Policy.Acknowledging, name)
		}
	}
}
