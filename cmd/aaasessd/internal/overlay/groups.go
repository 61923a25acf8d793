package overlay

import (
	"maps"
	"slices"

	acctradius "aaasess/accounting/radius"
	accttacacs "aaasess/accounting/tacacs"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/servers"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
)

// apply returns the file's configuration with the servers that were created and without those that
// were destroyed.
func (m *merge) apply() *config.Config {
	c := *m.file
	c.Servers = nil
	for i := range m.file.Servers {
		if s := &m.file.Servers[i]; !m.isDestroyed(s.Protocol, s.Name) {
			c.Servers = append(c.Servers, *s)
		}
	}
	for i := range m.created {
		c.Servers = append(c.Servers, identityOf(&m.created[i]))
	}
	c.Groups = slices.Clone(c.Groups)
	if at := slices.IndexFunc(c.Groups, func(g acctradius.Spec) bool { return g.Group == config.AllRADIUS }); at >= 0 {
		c.Groups[at].Servers = m.membersRADIUS(c.Groups[at].Servers, client.Accounting)
	}
	c.TACACSGroups = slices.Clone(c.TACACSGroups)
	if at := slices.IndexFunc(c.TACACSGroups, func(g accttacacs.Spec) bool { return g.Group == config.AllTACACS }); at >= 0 {
		c.TACACSGroups[at].Servers = m.membersTACACS(c.TACACSGroups[at].Servers)
	}
	c.Authentication = m.authentication()
	c.DynAuth = m.dynAuth()
	return &c
}

func (m *merge) isDestroyed(p servers.Protocol, name string) bool {
	return slices.Contains(m.destroyed, servers.Key{Protocol: p, Name: name})
}

// identityOf returns what makes a server that was created the same one.
func identityOf(e *servers.Created) servers.Identity {
	id := servers.Identity{Protocol: e.Protocol, Name: e.Name(), Host: e.Addr.Unmap().String(), AuthPort: e.AuthPort, AcctPort: e.AcctPort, Index: e.Index}
	if e.Protocol == servers.TACACS {
		id.AcctPort = e.AuthPort
	}
	return id
}

// membersRADIUS returns the members of the group of all RADIUS servers for a purpose. file has those
// of the file.
func (m *merge) membersRADIUS(file []client.Member, purpose client.Purpose) (members []client.Member) {
	for i := range file {
		if !m.isDestroyed(servers.RADIUS, file[i].Name) {
			members = append(members, file[i])
		}
	}
	for i := range m.created {
		e := &m.created[i]
		if e.Protocol != servers.RADIUS || purpose == client.Authentication && e.AuthPort == 0 || purpose == client.Accounting && e.AcctPort == 0 {
			continue
		}
		id, server := identityOf(e), m.file.NewServer.RADIUS
		server.Name, server.Host, server.Port, server.AuthPort = id.Name, id.Host, id.AcctPort, id.AuthPort
		if e.Key != "" {
			server.Secret = radius.Secret(e.Key)
		}
		if purpose == client.Authentication {
			server.Schedule = config.AccessSchedule(server.Schedule)
		}
		members = append(members, server)
	}
	return members
}

// membersTACACS is membersRADIUS for the group of all TACACS+ servers.
func (m *merge) membersTACACS(file []tacclient.Member) (members []tacclient.Member) {
	for i := range file {
		if !m.isDestroyed(servers.TACACS, file[i].Name) {
			members = append(members, file[i])
		}
	}
	for i := range m.created {
		e := &m.created[i]
		if e.Protocol != servers.TACACS {
			continue
		}
		id, server := identityOf(e), m.file.NewServer.TACACS
		server.Name, server.Host, server.Port = id.Name, id.Host, id.AuthPort
		if e.Key != "" {
			server.Key = tacacs.Key(e.Key)
		}
		members = append(members, server)
	}
	return members
}

// authentication returns the relay with the members of the group of all RADIUS servers.
func (m *merge) authentication() *config.Authentication {
	if m.file.Authentication == nil {
		return nil
	}
	a := *m.file.Authentication
	a.Groups = slices.Clone(a.Groups)
	if at := slices.IndexFunc(a.Groups, func(g client.GroupConfig) bool { return g.Name == config.AllRADIUS }); at >= 0 {
		a.Groups[at].Members = m.membersRADIUS(a.Groups[at].Members, client.Authentication)
	}
	return &a
}

// dynAuth returns the listener for requests of servers: those that were destroyed have no rights to
// the sessions of the group of all RADIUS servers any more.
func (m *merge) dynAuth() *config.DynAuth {
	if m.file.DynAuth == nil {
		return nil
	}
	d := *m.file.DynAuth
	d.Rights = maps.Clone(d.Rights)
	for name, rights := range d.Rights {
		if m.isDestroyed(servers.RADIUS, name) {
			rights.Groups = slices.DeleteFunc(slices.Clone(rights.Groups), func(group string) bool { return group == config.AllRADIUS })
			d.Rights[name] = rights
		}
	}
	return &d
}
