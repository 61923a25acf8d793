package config

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/local"
	"aaasess/accounting/policy"
	"aaasess/internal/radius"
	"aaasess/internal/servers"
)

// policyChecker checks the keys of accounting policy and makes the Policy of c.
type policyChecker struct {
	checker
	c        *Config
	raw      *rawConfig
	sections []*section
	// addAll adds the group of all servers of a protocol to c, by its name.
	addAll map[string]func()
	groups map[string]bool // names of the groups of c
}

// policy sets the accounting policy of c. If one of its lists names a group of all servers or the
// method local, it adds these to c.
func (d checker) policy(c *Config, raw *rawConfig, sections []*section, addAll map[string]func()) {
	p := policyChecker{d, c, raw, sections, addAll, map[string]bool{}}
	for _, g := range p.serverGroups() {
		p.groups[g.name] = true
	}
	lists := p.lists()
	applied := map[string]bool{} // paths of lists
	for i := range raw.Accounting.Apply {
		p.apply(i, lists, applied)
	}
	for _, t := range slices.Sorted(maps.Keys(lists)) {
		for _, name := range slices.Sorted(maps.Keys(lists[t])) {
			path := listPath(t, name)
			c.Policy.Lists = append(c.Policy.Lists, policy.List{Type: t, Name: name, Methods: p.methods(t, path, lists[t][name])})
			if name != policy.Default && !applied[path] {
				d.AddWarning(path, "applies nowhere: no entry of accounting.apply names it")
			}
		}
	}
	p.dnisMap()
	p.callIDs(c.Policy.Lists)
	p.acknowledging()
	p.system()
	p.hostConfig()
	for i := range c.TACACSGroups {
		c.Policy.TACACS = append(c.Policy.TACACS, c.TACACSGroups[i].Name())
	}
	c.Policy.SuppressNullUsername = raw.Accounting.SuppressNullUsername
	c.Policy.AuthenticationFailures = raw.Accounting.SendStopRecord.AuthenticationFailure
	c.Policy.AuthenticationSuccesses = raw.Accounting.SendStopRecord.AuthenticationSuccessRemoteServer
	c.VisibleKeys = raw.Accounting.VisibleKeys
	p.nested()
	p.update()
}

// methods checks a list of a type, or an entry of the DNIS map. t is 0 for system accounting.
func (d *policyChecker) methods(t policy.Type, path string, r rawList) policy.Methods {
	switch {
	case !d.Given(path+".record") || d.Faulty(path+".record"): // reported already
	case r.Record == accounting.None && len(r.Methods) > 0:
		d.Fault(path+".methods", "are not allowed with record: none")
	case r.Record != accounting.None && len(r.Methods) == 0:
		d.Fault(path+".methods", "at least one is needed with record: %s", r.Record)
	}
	if r.Broadcast && len(r.Methods) > policy.MaxBroadcast {
		d.Fault(path+".methods", "has %d entries: a broadcast sends a record to at most %d at the same time", len(r.Methods), policy.MaxBroadcast)
	}
	if !r.BroadcastInterims && !d.Faulty(path+".record") && (!r.Broadcast || r.Record != accounting.StartStop) {
		d.Fault(path+".broadcast-interims", "false has no effect without record: start-stop and broadcast: true")
	}
	unique := d.Unique()
	for i, m := range r.Methods {
		path := fmt.Sprintf("%s.methods[%d]", path, i)
		unique.Check(path, string(m), "in")
		if d.method(path, m) && t.IsCommands() && m.Group() != "" && !d.group(m).section.commands {
			d.Fault(path, "%v", policy.ErrCommandsToRADIUS)
		}
	}
	if r.Broadcast {
		d.sharedServers(path, r.Methods)
	}
	return policy.Methods{
		Record: r.Record, Broadcast: r.Broadcast, InterimsToFirst: !r.BroadcastInterims, Methods: r.Methods, Periodic: d.periodic(path, &r),
		DelayStart: d.delayStart(t, path, &r),
	}
}

// periodic checks the period of a list's interims.
func (d *policyChecker) periodic(path string, r *rawList) time.Duration {
	path += ".periodic"
	period, _ := period(string(r.Periodic)) // the engine has reported an error
	if period > 0 && r.Record != accounting.StartStop {
		d.Fault(path, "is only allowed with record: start-stop")
		return period
	}
	d.atLeastMinimum(path, period)
	return period
}

// atLeastMinimum checks a period of interims against the shortest.
func (d *policyChecker) atLeastMinimum(path string, period time.Duration) {
	if minimum := d.raw.Accounting.Update.Minimum; period > 0 && period < minimum && !d.Faulty(path) {
		d.Fault(path, "%v is less than accounting.update.minimum, %v", period, minimum)
	}
}

// delayStart checks how long starts of a list of type t wait for an address.
func (d *policyChecker) delayStart(t policy.Type, path string, r *rawList) time.Duration {
	hasRecord := !d.Faulty(path + ".record")
	path += ".delay-start"
	switch {
	case r.DelayStart == nil || d.Faulty(path): // not there, or reported already
		return 0
	case t != policy.Network:
		d.Fault(path, "is only allowed for network sessions")
	case r.Record != accounting.StartStop && hasRecord:
		d.Fault(path, "is only allowed with record: start-stop")
	case !r.BroadcastInterims:
		d.Fault(path, "is not allowed with broadcast-interims: false, because the address comes with an interim")
	}
	return *r.DelayStart
}

// update sets what concerns the interims of all lists.
func (d *policyChecker) update() {
	raw, u := &d.raw.Accounting.Update, &d.c.Policy.Update
	u.Minimum, u.WithoutNewInfo = raw.Minimum, !raw.NewInfo
	if raw.Periodic != nil {
		u.Periodic = *raw.Periodic
	}
	d.atLeastMinimum("accounting.update.periodic", u.Periodic)
	u.ServicePeriodic, _ = period(string(raw.ServicePeriodic)) // the engine has reported an error
	d.atLeastMinimum("accounting.update.service-periodic", u.ServicePeriodic)
}

// method checks that a method is there, or adds it. It reports whether it is in c then.
func (d *policyChecker) method(path string, m accounting.MethodName) bool {
	group := m.Group()
	switch {
	case m == accounting.Local:
		d.c.Local = &local.Spec{File: string(d.raw.Accounting.Local.File)}
		return true
	case d.groups[group]:
		return true
	}
	for _, s := range d.sections {
		if s.all != group {
			continue
		}
		if n := len(s.public()); n == 0 || n > servers.MaxServers {
			which := ""
			if n < len(s.servers) {
				which = " that are not private"
			}
			d.Fault(path, "there are %d %s servers%s, a group has 1 to %d", n, s.protocol, which, servers.MaxServers)
			return false
		}
		d.groups[group] = true
		d.addAll[group]()
		return true
	}
	if group != "" {
		d.Fault(path, "no group is called %s", group)
	}
	return false
}

// sharedServers warns of groups in a broadcast that have a server in common.
func (d *policyChecker) sharedServers(path string, methods []accounting.MethodName) {
	type server struct{ section, name string }
	groupOf := map[server]string{}
	for i, m := range methods {
		g := d.group(m)
		if g == nil || slices.Contains(methods[:i], m) {
			continue
		}
		for _, name := range g.servers {
			if other, shared := groupOf[server{g.section.key, name}]; shared {
				d.AddWarning(fmt.Sprintf("%s.methods[%d]", path, i), "server %s is in group %s too, and may get each record of this broadcast twice", name, other)
				break
			}
		}
		for _, name := range g.servers {
			groupOf[server{g.section.key, name}] = m.Group()
		}
	}
}

// apply adds the rules of an entry, one for each accounting type. applied gets the paths of their
// lists.
func (d *policyChecker) apply(i int, lists map[policy.Type]map[string]rawList, applied map[string]bool) {
	r, path := &d.raw.Accounting.Apply[i], fmt.Sprintf("accounting.apply[%d]", i)
	incomplete := d.isIncomplete(path)
	rule := d.conditions(path, r)
	if len(r.Clients)+len(r.NASPort)+len(r.NASPortID)+len(r.FramedProtocol) == 0 && !incomplete {
		d.Fault(path, "has no condition; the list default is the one that applies everywhere")
	}
	names := r.applies()
	none := true
	for _, t := range slices.Sorted(maps.Keys(names)) {
		name, at := string(names[t]), path+"."+typePath(t)
		if !d.Given(at) {
			continue
		}
		none = false
		if _, ok := lists[t][name]; !ok && name != "" {
			d.Fault(at, "accounting.%s has no list %s", typePath(t), name)
		}
		applied[listPath(t, name)] = true
		rule.Type, rule.List = t, name
		d.c.Policy.Rules = append(d.c.Policy.Rules, rule)
	}
	if none && !incomplete {
		d.Fault(path, "names no list: one of network, exec, connection, resource, commands, vrrs is needed")
	}
	if len(r.Clients) > 0 && d.c.Policy.Clients == nil {
		for _, c := range d.c.Listener.Clients {
			d.c.Policy.Clients = append(d.c.Policy.Clients, policy.Client{Name: c.Name, Prefix: c.Prefix})
		}
	}
}

// isIncomplete reports whether a fault of an entry hides which conditions or lists it should have: an
// unknown key, a condition that is not a list, or commands that are no levels.
func (d *policyChecker) isIncomplete(path string) bool {
	return d.Faulty(path) || slices.ContainsFunc([]string{"clients", "nas-port", "nas-port-id", "framed-protocol", "commands"},
		func(key string) bool { return d.Faulty(path + "." + key) })
}

// conditions returns a rule with the conditions of an entry.
func (d *policyChecker) conditions(path string, r *rawApply) (rule policy.Rule) {
	for i, name := range r.Clients {
		if name != "" && !slices.ContainsFunc(d.raw.RADIUS.Clients, func(c rawClient) bool { return c.Name == name }) {
			d.Fault(fmt.Sprintf("%s.clients[%d]", path, i), "no client is called %s", name)
		}
		rule.Clients = append(rule.Clients, string(name))
	}
	for _, text := range r.NASPort {
		if p, err := ports(string(text)); err == nil { // else it was reported
			rule.Ports = append(rule.Ports, p)
		}
	}
	for i, pattern := range r.NASPortID {
		if pattern == "" {
			d.Fault(fmt.Sprintf("%s.nas-port-id[%d]", path, i), "is empty")
		}
		rule.PortIDs = append(rule.PortIDs, pattern)
	}
	for i, name := range r.FramedProtocol {
		if n, ok := d.value(fmt.Sprintf("%s.framed-protocol[%d]", path, i), "Framed-Protocol", name, "PPP", d.c.Dictionary); ok {
			rule.Protocols = append(rule.Protocols, n)
		}
	}
	return rule
}

// value returns the value of an attribute by its name, or else reports a fault. Without a dictionary
// it does neither.
func (d checker) value(path, attribute, name, example string, names *radius.Dictionary) (n uint32, ok bool) {
	if names == nil {
		return 0, false // its fault was reported
	}
	_, octets, err := names.Parse(attribute, name)
	if err != nil || len(octets) != 4 {
		d.Fault(path, "%q is not the name of a %s, such as %s", name, attribute, example)
		return 0, false
	}
	return binary.BigEndian.Uint32([]byte(octets)), true
}

// dnisMap adds the DNIS map. A map that is not enabled is checked all the same.
func (d *policyChecker) dnisMap() {
	raw := &d.raw.Accounting.DNISMap
	for _, number := range slices.Sorted(maps.Keys(raw.Numbers)) {
		methods := d.methods(policy.Network, "accounting.dnis-map.numbers."+number, raw.Numbers[number])
		if raw.Enable {
			d.c.Policy.DNIS = append(d.c.Policy.DNIS, policy.Number{Number: number, Methods: methods})
		}
	}
	if len(raw.Numbers) > 0 && !raw.Enable {
		d.AddWarning("accounting.dnis-map.numbers", "has no effect, because accounting.dnis-map.enable is false")
	}
}

// nested sets whether network sessions are nested in exec sessions. Both need a list for that.
func (d *policyChecker) nested() {
	raw := &d.raw.Accounting
	if d.c.Nested = raw.Nested; raw.Nested && (len(raw.Exec) == 0 || len(raw.Network) == 0 && !raw.DNISMap.Enable) {
		d.AddWarning("accounting.nested", "has no effect without lists for exec and for network sessions")
	}
}

// system has the methods of the system list send Accounting-On and -Off, unless a group has keys of
// its own for that. Of several methods without broadcast, the first does so for all of them.
func (d *policyChecker) system() {
	const path = "accounting.system.default"
	raw := &d.raw.Accounting.System
	d.c.SuppressSystem = raw.Redundancy.Suppress
	if raw.Default == nil {
		return
	}
	m := d.methods(0, path, rawList{Record: raw.Default.Record, Broadcast: raw.Default.Broadcast, BroadcastInterims: true, Methods: raw.Default.Methods})
	inOrder := len(m.Methods) > 1 && !m.Broadcast
	if inOrder {
		d.c.System = m.Methods
	}
	stopOnly := m.Record == accounting.StopOnly
	for i, name := range m.Methods {
		if slices.Contains(m.Methods[:i], name) {
			continue // reported already
		}
		onOff := newOnOff(&d.raw.RADIUS, raw.GuaranteeFirst && !stopOnly, "")
		onOff.OnlyOff = stopOnly
		if inOrder && i > 0 {
			onOff = nil
		}
		d.announces(fmt.Sprintf("%s.methods[%d]", path, i), name, onOff, inOrder)
	}
}

// announces has a method of the system list send Accounting-On and -Off. inOrder: it is one of
// several methods that are tried one after the other.
func (d *policyChecker) announces(path string, name accounting.MethodName, onOff *accounting.OnOff, inOrder bool) {
	if name == accounting.Local {
		d.c.Local.AcctOnOff = onOff
		return
	}
	switch g := d.group(name); {
	case g == nil: // reported
	case g.monitors != "":
		d.Fault(path, "%s monitors acct-on-off-group %s, so it sends no %s of its own", name.Group(), g.monitors, g.section.on)
	case *g.onOff == nil:
		*g.onOff = onOff
	case inOrder:
		d.Fault(path, "%s has acct-on-off, so it cannot be one of several methods without broadcast", name.Group())
	}
}

// hostConfig has the groups that send Accounting-On and -Off tell servers that a reload adds or
// removes.
func (d *policyChecker) hostConfig() {
	for _, g := range d.serverGroups() {
		hostConfig := d.raw.Accounting.System.HostConfig
		if own := g.keys.hostConfig; own != nil {
			if *g.onOff == nil {
				d.Fault(g.path+".host-config", "has no effect: the group sends no %s of its own", g.section.on)
			}
			hostConfig = *own
		}
		if *g.onOff != nil {
			(*g.onOff).HostConfig = hostConfig
		}
	}
}

// serverGroup is a group of c, of either protocol, as far as policy concerns it.
type serverGroup struct {
	section  *section
	name     string
	path     string       // of its entry in the file; "" for the group of all servers
	keys     sectionGroup // zero for the group of all servers
	servers  []string
	monitors string             // an acct-on-off-group
	onOff    **accounting.OnOff // in c, as long as no group is added
}

// serverGroups returns all groups of c.
func (d *policyChecker) serverGroups() (all []serverGroup) {
	add := func(s *section, i int, name, monitors string, onOff **accounting.OnOff) *serverGroup {
		g := serverGroup{section: s, name: name, monitors: monitors, onOff: onOff}
		if i < len(s.groups) { // else it is the group of all servers
			g.path, g.keys = fmt.Sprintf("%s.groups[%d]", s.key, i), s.groups[i]
		}
		all = append(all, g)
		return &all[len(all)-1]
	}
	for i := range d.c.Groups {
		spec := &d.c.Groups[i]
		g := add(d.sections[0], i, spec.Group, spec.MonitorGroup, &spec.AcctOnOff)
		for _, s := range spec.Servers {
			g.servers = append(g.servers, s.Name)
		}
	}
	for i := range d.c.TACACSGroups {
		spec := &d.c.TACACSGroups[i]
		g := add(d.sections[1], i, spec.Group, "", &spec.AcctOnOff)
		for _, s := range spec.Servers {
			g.servers = append(g.servers, s.Name)
		}
	}
	return all
}

// group returns the group of a method, or nil if there is none.
func (d *policyChecker) group(m accounting.MethodName) *serverGroup {
	for _, g := range d.serverGroups() {
		if accounting.Group(g.name) == m {
			return &g
		}
	}
	return nil
}
