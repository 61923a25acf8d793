package acctcontrol

import (
	"slices"

	"aaasess/cmd/aaasessd/internal/overlay"
	"aaasess/cmd/internal/api"
	"aaasess/internal/servers"
)

// Managed is what SNMP managers have changed of the servers.
type Managed struct {
	Overlay servers.Overlay // in use
	GivenUp []*overlay.GivenUp
}

// ManagedServers implements control.Accounting.
func (c *Accounting) ManagedServers() api.ManagedServers {
	out := api.ManagedServers{Created: []api.ManagedServer{}, Destroyed: []api.ManagedServer{}, GivenUp: []api.GivenUpServer{}}
	if c.cfg.Managed == nil {
		return out
	}
	m := c.cfg.Managed()
	for i := range m.Overlay.Created {
		e := &m.Overlay.Created[i]
		out.Created = append(out.Created, api.ManagedServer{Protocol: protocol(e.Protocol), Name: e.Name(), Address: e.Addr.Unmap().String()})
	}
	for _, e := range m.Overlay.Destroyed {
		out.Destroyed = append(out.Destroyed, api.ManagedServer{Protocol: protocol(e.Protocol), Name: e.Name})
	}
	for _, g := range m.GivenUp {
		out.GivenUp = append(out.GivenUp, api.GivenUpServer{Protocol: protocol(g.Protocol), Name: g.Server, Created: g.Created, Reason: g.Reason})
	}
	return out
}

func protocol(p servers.Protocol) api.Protocol {
	if p == servers.TACACS {
		return api.TACACS
	}
	return api.RADIUS
}

// addManaged adds what managers have changed to the groups of all servers of a protocol, which have
// its name.
func (c *Accounting) addManaged(groups []api.ServerGroup) []api.ServerGroup {
	all := c.ManagedServers()
	for i := range groups {
		g := &groups[i]
		if g.Name != string(g.Protocol) {
			continue
		}
		own := all.Of(g.Protocol)
		if own.IsEmpty() {
			continue
		}
		g.Managed = own
		for k := range g.Servers {
			g.Servers[k].Created = slices.ContainsFunc(own.Created, func(s api.ManagedServer) bool { return s.Name == g.Servers[k].Name })
		}
	}
	return groups
}
