package config

import (
	"fmt"
	"net/netip"
	"slices"
)

// acctPort returns the port for accounting. Its older key counts too.
func (r *rawServer) acctPort() uint16 {
	if r.Port != nil {
		return *r.Port
	}
	return r.AcctPort
}

// servers checks the keys of the RADIUS servers that concern both ports, or the tests.
func (d *authChecker) servers() {
	all := d.raw.RADIUS.Servers
	for i := range all {
		r, path := &all[i], fmt.Sprintf("radius.servers[%d]", i)
		if d.Given(path+".port") && d.Given(path+".acct-port") {
			d.Fault(path+".port", "is the older name of acct-port, which is given too")
		}
		if d.usesAuthPort(i) {
			d.authPort(path+".auth-port", i)
		}
		d.aliases(path, i)
		d.test(path+".test", r.Test)
	}
}

// usesAuthPort reports whether the port for authentication of a server matters: a list uses the
// server, or the file has the key.
func (d *authChecker) usesAuthPort(i int) bool {
	return d.used[i] || d.Given(fmt.Sprintf("radius.servers[%d].auth-port", i))
}

// authPort checks that no other port of the same host is the port for authentication of a server.
// Private servers may have the address of a server of another group.
func (d *authChecker) authPort(path string, i int) {
	all := d.raw.RADIUS.Servers
	for k := range all {
		r, other := &all[i], &all[k]
		switch {
		case r.Address == "" || other.Address != r.Address || k != i && (r.Private || other.Private) && !d.together(r.Name, other.Name):
		case other.acctPort() == r.AuthPort && k == i:
			d.Fault(path, "%d is the port for accounting too", r.AuthPort)
		case other.acctPort() == r.AuthPort:
			d.Fault(path, "%d is the port for accounting of server %s, which has the same address", r.AuthPort, other.Name)
		case other.AuthPort == r.AuthPort && k < i && d.usesAuthPort(k):
			d.Fault(path, "%d is the port for authentication of server %s too, which has the same address", r.AuthPort, other.Name)
		}
	}
}

// together reports whether a group has both servers.
func (d *authChecker) together(a, b nameText) bool {
	return slices.ContainsFunc(d.section.groups, func(g sectionGroup) bool {
		return slices.Contains(g.servers, a) && slices.Contains(g.servers, b)
	})
}

// aliases checks that the aliases of a server belong to no other server.
func (d *authChecker) aliases(path string, i int) {
	all := d.raw.RADIUS.Servers
	unique := d.Unique()
	for j, alias := range all[i].Alias {
		at := fmt.Sprintf("%s.alias[%d]", path, j)
		if !alias.IsValid() {
			continue // reported already
		}
		unique.Check(at, alias.String(), "in")
		for k := range all {
			switch addr, err := netip.ParseAddr(string(all[k].Address)); {
			case err == nil && addr == alias && k == i:
				d.Fault(at, "%s is the address of the server itself", alias)
			case err == nil && addr == alias:
				d.Fault(at, "%s is the address of server %s", alias, all[k].Name)
			case k < i && all[k].Address != all[i].Address && slices.Contains(all[k].Alias, alias):
				d.Fault(at, "%s is an alias of server %s", alias, all[k].Name)
			}
		}
	}
}

// test checks how a server is tested.
func (d *authChecker) test(path string, r *rawTest) {
	if r == nil || d.Faulty(path) {
		return
	}
	if !r.StatusServer && !d.Given(path+".username") {
		d.Fault(path, "username is missing: it is needed without status-server: true")
	}
	if r.StatusServer && d.Given(path+".username") {
		d.AddWarning(path+".username", "has no effect with status-server: true")
	}
	if r.IgnoreAuthPort && r.IgnoreAcctPort {
		d.Fault(path, "ignore-auth-port and ignore-acct-port are both true, so there is no port to test")
	}
}
