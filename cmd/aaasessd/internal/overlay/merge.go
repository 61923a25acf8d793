package overlay

import (
	"fmt"
	"net/netip"
	"slices"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius/client"
	"aaasess/internal/servers"
	tacclient "aaasess/internal/tacacs/client"
)

// GivenUp is an entry of an overlay that does not fit the file.
type GivenUp struct {
	Protocol servers.Protocol
	Server   string // its name
	// Created reports whether a manager has created the server; else it has destroyed it.
	Created bool
	Reason  string
}

// Error says which entry does not fit, and why.
func (g *GivenUp) Error() string {
	what := "destroyed"
	if g.Created {
		what = "created"
	}
	return fmt.Sprintf("%s server %s that a manager has %s: %s", g.Protocol, g.Server, what, g.Reason)
}

// Merge returns a configuration file with an overlay. applied has the entries that fit the file, and
// givenUp are the others, each once. The file does not change, and nothing is read.
//
// The servers of an overlay are in the groups of all servers of their protocol only. No other group
// changes, and a group of all servers that a method list names keeps at least one server.
func Merge(file *config.Config, o servers.Overlay) (merged *config.Config, applied servers.Overlay, givenUp []*GivenUp) {
	m := newMerge(file, o)
	for {
		m.fit()
		merged = m.apply()
		if !m.giveBack(merged) {
			return merged, servers.Overlay{Created: m.created, Destroyed: m.destroyed}, m.givenUp
		}
		// A server of the file is back, perhaps at the address of one that was created.
	}
}

// merge decides which entries of an overlay fit a file.
type merge struct {
	file      *config.Config
	created   []servers.Created
	destroyed []servers.Key
	givenUp   []*GivenUp
}

// newMerge decides about the servers that were destroyed. Those that were created follow with fit.
func newMerge(file *config.Config, o servers.Overlay) *merge {
	m := &merge{file: file, created: slices.Clone(o.Created)}
	for _, e := range o.Destroyed {
		at := slices.IndexFunc(file.Servers, func(s servers.Identity) bool { return s.Key() == e })
		switch {
		case slices.Contains(m.destroyed, e):
			m.giveUpDestroyed(e, "it is in the list twice")
		case at < 0:
			m.giveUpDestroyed(e, "the file does not have it any more")
		case file.Servers[at].Listed:
			m.giveUpDestroyed(e, fmt.Sprintf("the file has it in group %s now", groupOf(file, e.Protocol, e.Name)))
		default:
			m.destroyed = append(m.destroyed, e)
		}
	}
	return m
}

// groupOf returns the name of a group that lists a server, other than that of all servers.
func groupOf(c *config.Config, p servers.Protocol, name string) string {
	for i := range c.Groups {
		g := &c.Groups[i]
		if p == servers.RADIUS && g.Group != config.AllRADIUS && slices.ContainsFunc(g.Servers, func(m client.Member) bool { return m.Name == name }) {
			return g.Group
		}
	}
	for i := range c.TACACSGroups {
		g := &c.TACACSGroups[i]
		if p == servers.TACACS && g.Group != config.AllTACACS && slices.ContainsFunc(g.Servers, func(m tacclient.Member) bool { return m.Name == name }) {
			return g.Group
		}
	}
	return ""
}

// giveUpDestroyed notes that a server that a manager has destroyed is in use again.
func (m *merge) giveUpDestroyed(e servers.Key, reason string) {
	m.givenUp = append(m.givenUp, &GivenUp{Protocol: e.Protocol, Server: e.Name, Reason: reason})
}

// fit decides which servers that were created fit the file without the servers that are destroyed.
func (m *merge) fit() {
	wanted := m.created
	m.created = nil
	for i := range wanted {
		if reason := m.misfit(&wanted[i]); reason != "" {
			m.givenUp = append(m.givenUp, &GivenUp{Protocol: wanted[i].Protocol, Server: wanted[i].Name(), Created: true, Reason: reason})
		} else {
			m.created = append(m.created, wanted[i])
		}
	}
}

// giveBack gives the first server back to a group that a method list names and that has no server in
// a merged configuration. It reports whether there was such a group.
func (m *merge) giveBack(merged *config.Config) bool {
	p, name, found := emptyGroup(merged)
	if !found {
		return false
	}
	for i := range m.file.Servers { // private servers come after the members of the group
		s := servers.Key{Protocol: p, Name: m.file.Servers[i].Name}
		if at := slices.Index(m.destroyed, s); at >= 0 && m.file.Servers[i].Protocol == p {
			m.giveUpDestroyed(s, fmt.Sprintf("without it, group %s has no server, and a method list names the group", name))
			m.destroyed = slices.Delete(m.destroyed, at, at+1)
			return true
		}
	}
	return false // does not happen: in the file the group has servers
}

// emptyGroup returns a group that has no server.
func emptyGroup(c *config.Config) (p servers.Protocol, name string, found bool) {
	for i := range c.Groups {
		if len(c.Groups[i].Servers) == 0 {
			return servers.RADIUS, c.Groups[i].Group, true
		}
	}
	if c.Authentication != nil {
		for i := range c.Authentication.Groups {
			if g := &c.Authentication.Groups[i]; len(g.Members) == 0 {
				return servers.RADIUS, g.Name, true
			}
		}
	}
	for i := range c.TACACSGroups {
		if len(c.TACACSGroups[i].Servers) == 0 {
			return servers.TACACS, c.TACACSGroups[i].Group, true
		}
	}
	return 0, "", false
}

// misfit returns why a server that was created does not fit the file and the servers in m.created, or
// "".
func (m *merge) misfit(e *servers.Created) string {
	if reason := e.Fault(); reason != "" {
		return reason
	}
	members := 0
	for i := range m.file.Servers {
		s := &m.file.Servers[i]
		if s.Protocol != e.Protocol {
			continue
		}
		if s.Name == e.Name() {
			return "the file has a server of this name"
		}
		if slices.Contains(m.destroyed, s.Key()) {
			continue
		}
		if addr, err := netip.ParseAddr(s.Host); err == nil && addr.Unmap() == e.Addr.Unmap() {
			return fmt.Sprintf("server %s of the file has its address, %s", s.Name, e.Addr)
		}
		if name, ok := m.file.NewServer.Aliases[e.Addr.Unmap()]; ok && e.Protocol == servers.RADIUS && name == s.Name {
			return fmt.Sprintf("its address, %s, is an alias of server %s of the file", e.Addr, s.Name)
		}
		if !s.Private {
			members++
		}
	}
	for i := range m.created {
		other := &m.created[i]
		switch {
		case other.Protocol != e.Protocol:
			continue
		case other.Index == e.Index:
			return "another server has its casIndex"
		case other.Addr.Unmap() == e.Addr.Unmap():
			return fmt.Sprintf("server %s has its address, %s", other.Name(), e.Addr)
		}
		members++
	}
	switch {
	case members >= servers.MaxServers:
		return fmt.Sprintf("a group has at most %d servers", servers.MaxServers)
	case e.Key == "" && !m.file.HasSecret(e.Protocol):
		return fmt.Sprintf("it has no key of its own, and the file has no %s.secret", e.Protocol)
	}
	return ""
}
