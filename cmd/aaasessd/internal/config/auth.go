package config

import (
	"fmt"
	"maps"
	"slices"

	"aaasess/accounting"
	"aaasess/accounting/policy"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
	"aaasess/sessions/admission"
	nasradius "aaasess/sessions/radius"
)

// Authentication configures the relay of Access-Requests.
type Authentication struct {
	// Listener has the Clients of the accounting listener.
	Listener nasradius.Config
	// Lists are the names of the groups of each list, in the order in which they are tried. There is
	// always a list [DefaultList].
	Lists map[string][]string
	// Apply is the name of the list of each client, by the client's name. Clients that are missing
	// have the list DefaultList.
	Apply map[string]string
	// Groups are the groups of all lists, each once. A key of their servers has the same Identity as
	// in Config.Groups, so that a server has one state for both purposes.
	Groups []client.GroupConfig
	// Blockable has the names of the groups that are blocked until an Accounting-On is answered, of
	// their own or of an acct-on-off-group (S3). A system list that is guaranteed to be the first
	// record of its servers blocks nobody's authentication.
	Blockable map[string]bool
}

// DefaultList is the name of the list that applies where no other one does.
const DefaultList = policy.Default

// authChecker checks the keys of authentication and makes an Authentication.
type authChecker struct {
	checker
	out     *Authentication
	raw     *rawConfig
	section *section // of RADIUS
	others  *section // of TACACS+
	specs   []acctradius.Spec
	all     *acctradius.Spec // the group of all servers, if a list names it
	used    map[int]bool     // places of the servers that a list uses
}

// authentication returns the relay of Access-Requests, or nil if the file has none. specs are the
// groups of RADIUS servers of the file, in order.
func (d checker) authentication(raw *rawConfig, sections []*section, specs []acctradius.Spec, clients []nasradius.Client) *Authentication {
	a := authChecker{checker: d, raw: raw, section: sections[0], others: sections[1], specs: specs, used: map[int]bool{}}
	if raw.Authentication == nil {
		a.unused()
	} else {
		a.out = &Authentication{
			Listener: nasradius.Config{Addresses: raw.RADIUS.Authentication.Listen, Clients: clients}, Lists: map[string][]string{}, Apply: map[string]string{},
			Blockable: map[string]bool{},
		}
		a.lists()
		a.apply()
		a.signing()
	}
	a.servers()
	a.sessionIDs()
	return a.out
}

// unused warns of keys that have no effect without the section.
func (d *authChecker) unused() {
	warn := func(path string, isSet bool) {
		if isSet {
			d.AddWarning(path, "has no effect without the section authentication")
		}
	}
	warn("snmp.session-mib-populate", d.raw.SNMP.SessionMIBPopulate == "setup")
	warn("radius.authentication.listen", d.Given("radius.authentication.listen"))
	warn("radius.attribute-44.include-in-access-req", d.raw.RADIUS.Attribute44.IncludeInAccessReq)
	for i, c := range d.raw.RADIUS.Clients {
		warn(fmt.Sprintf("radius.clients[%d].message-authenticator", i), c.Signing != radius.SigningRequired)
	}
}

// sessionIDs warns of keys for another attribute that has the NAS's Acct-Session-Id. It is no fault:
// sessions that began without sync-with-client still have it there.
func (d *authChecker) sessionIDs() {
	if !d.raw.RADIUS.Attribute44.SyncWithClient {
		return
	}
	for i, g := range d.raw.RADIUS.Groups {
		if g.NASSessionID != "" {
			d.AddWarning(fmt.Sprintf("radius.groups[%d].nas-session-id", i), "has no effect on new sessions: with radius.attribute-44.sync-with-client, Acct-Session-Id is that of the NAS")
		}
	}
}

// admissions returns what is kept of authentication.
func (raw *rawConfig) admissions() admission.Config {
	ids := &raw.RADIUS.Attribute44
	c := admission.Config{IncludeInAccessReq: ids.IncludeInAccessReq, ExtendWithAddr: ids.ExtendWithAddr, SyncWithClient: ids.SyncWithClient}
	if raw.Authentication != nil {
		c.StartWait, c.PopulateAtSetup = raw.Authentication.StartWait, raw.SNMP.SessionMIBPopulate == "setup"
	}
	return c
}

// lists adds the lists and their groups.
func (d *authChecker) lists() {
	const path = "authentication.lists"
	lists := d.raw.Authentication.Lists
	if _, ok := lists[DefaultList]; !ok && d.Given(path) && !d.Faulty(path) {
		d.Fault(path, "list %s is missing", DefaultList)
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		groups, methods := []string{}, d.Unique()
		for i, m := range lists[name].Methods {
			at := fmt.Sprintf("%s.%s.methods[%d]", path, name, i)
			methods.Check(at, string(m), "in")
			if d.method(at, m) {
				groups = append(groups, m.Group())
			}
		}
		d.out.Lists[name] = groups
	}
}

// method checks a method of a list, and adds its group. It reports whether there is one.
func (d *authChecker) method(path string, m accounting.MethodName) bool {
	group := m.Group()
	isGroup := func(g sectionGroup) bool { return g.name == group }
	at := slices.IndexFunc(d.section.groups, isGroup)
	switch {
	case m == accounting.Local:
		d.Fault(path, "local is a file for accounting records; it cannot authenticate")
	case group == AllTACACS || slices.ContainsFunc(d.others.groups, isGroup):
		d.Fault(path, "%s is a group of TACACS+ servers; Access-Requests can only be relayed to RADIUS servers", group)
	case group == AllRADIUS:
		return d.allServers(path)
	case at < 0 && group != "":
		d.Fault(path, "no group is called %s", group)
	case at >= 0:
		if on := d.raw.RADIUS.Groups[at].AcctOnOff; on != nil && (on.OperStateChange || on.MonitorGroup != "") {
			d.out.Blockable[group] = true
		}
		d.addGroup(&d.specs[at], d.section.members(at))
		return true
	}
	return false
}

// allServers adds the group of all servers that are not private.
func (d *authChecker) allServers(path string) bool {
	members := d.section.public()
	if n := len(members); n == 0 || n > servers.MaxServers {
		d.Fault(path, "there are %d RADIUS servers that are not private, a group has 1 to %d", n, servers.MaxServers)
		return false
	}
	if d.all == nil {
		all := d.allRADIUS(&d.raw.RADIUS, d.section, d.raw.RADIUS.members(d.section))
		d.all = &all
	}
	d.addGroup(d.all, members)
	return true
}

// addGroup adds a group for authentication, unless it is there. Its schedules have no back-off: a
// NAS waits for seconds, not for hours.
func (d *authChecker) addGroup(s *acctradius.Spec, members []int) {
	if slices.ContainsFunc(d.out.Groups, func(g client.GroupConfig) bool { return g.Name == s.Group }) {
		return
	}
	g := client.GroupConfig{
		Name: s.Group, Purpose: client.Authentication, Members: slices.Clone(s.Servers), Algorithm: s.Algorithm, BatchSize: s.BatchSize, Source: s.Source,
		HoldDown: orNone(s.HoldDown), DeadCriteria: s.DeadCriteria, MaxInFlight: s.Window,
	}
	for i := range g.Members {
		g.Members[i].Schedule = AccessSchedule(g.Members[i].Schedule)
	}
	for _, at := range members {
		d.used[at] = true
	}
	d.out.Groups = append(d.out.Groups, g)
}

// AccessSchedule returns the schedule of Access-Requests from that of records: without back-off.
func AccessSchedule(s retry.Schedule) retry.Schedule {
	s.Retransmit, s.MaxDelay, s.BackoffRetry = orNone(s.Retransmit), 0, 0
	return s
}

// apply adds the lists of the clients.
func (d *authChecker) apply() {
	applied, clients := map[string]bool{DefaultList: true}, d.Unique()
	for i, r := range d.raw.Authentication.Apply {
		path := fmt.Sprintf("authentication.apply[%d]", i)
		if _, ok := d.raw.Authentication.Lists[string(r.List)]; !ok && r.List != "" {
			d.Fault(path+".list", "authentication.lists has no list %s", r.List)
		}
		applied[string(r.List)] = true
		for j, name := range r.Clients {
			at := fmt.Sprintf("%s.clients[%d]", path, j)
			if name != "" && !slices.ContainsFunc(d.raw.RADIUS.Clients, func(c rawClient) bool { return c.Name == name }) {
				d.Fault(at, "no client is called %s", name)
			}
			clients.Check(at, string(name), "in")
			d.out.Apply[string(name)] = string(r.List)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.raw.Authentication.Lists)) {
		if !applied[name] {
			d.AddWarning("authentication.lists."+name, "applies nowhere: no entry of authentication.apply names it")
		}
	}
}

// signing warns of each client and server whose packets need no Message-Authenticator.
func (d *authChecker) signing() {
	for i, c := range d.raw.RADIUS.Clients {
		path := fmt.Sprintf("radius.clients[%d].message-authenticator", i)
		switch c.Signing {
		case radius.SigningAuto:
			d.AddWarning(path, "Access-Requests of client %s without Message-Authenticator are accepted until it has sent one in a packet without EAP-Message: until then, logins can be forged (BlastRADIUS, CVE-2024-3596)", c.Name)
		case radius.SigningLegacy:
			d.AddWarning(path, "Access-Requests of client %s need no Message-Authenticator: whoever is between it and aaasess can forge logins (BlastRADIUS, CVE-2024-3596)", c.Name)
		}
	}
	for i, s := range d.raw.RADIUS.Servers {
		path := fmt.Sprintf("radius.servers[%d].message-authenticator", i)
		switch {
		case !d.used[i]:
		case s.Signing == radius.SigningAuto:
			d.AddWarning(path, "answers of server %s without Message-Authenticator are accepted until it has sent one in a packet without EAP-Message: until then, logins can be forged (BlastRADIUS, CVE-2024-3596)", s.Name)
		case s.Signing == radius.SigningLegacy:
			d.AddWarning(path, "answers of server %s need no Message-Authenticator: whoever is between it and aaasess can forge logins (BlastRADIUS, CVE-2024-3596)", s.Name)
		}
	}
}
