package config

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/radius"
	nasradius "aaasess/sessions/radius"
)

type rawDynAuth struct {
	Listen           []netip.AddrPort   `yaml:"listen" default:"0.0.0.0:3799 [::]:3799" min:"1" max:"64" restart:"yes" doc:"Addresses and ports, as radius.accounting.listen."`
	Servers          []rawDynAuthServer `yaml:"servers" required:"yes" min:"1" max:"4096" doc:"The servers that may send requests. Packets from other addresses are dropped."`
	RequireTimestamp bool               `yaml:"require-event-timestamp" default:"false" doc:"Whether requests without Event-Timestamp are dropped. They can be replayed at any time. A request whose Event-Timestamp is more than 300 s from the clock of this host is always dropped."`
}

type rawDynAuthServer struct {
	Server      nameText          `yaml:"server" required:"yes" doc:"Name of one of radius.servers. Its requests come from its address or from one of its alias."`
	Secret      strictyaml.Secret `yaml:"secret" doc:"The secret of these requests and their answers. If missing, that of the server."`
	AllSessions bool              `yaml:"all-sessions" default:"false" doc:"Whether the server may end and change every session. If false: those whose method list has a group of the server, group radius too."`
}

// DynAuth configures the listener for Disconnect-Requests and CoA-Requests of servers.
type DynAuth struct {
	// Listener has the servers as clients, one for each address. Their names are those of the servers.
	Listener nasradius.ChangeConfig
	// Rights are what a server may do, by its name.
	Rights map[string]DynAuthRights
}

// DynAuthRights are the sessions that a server may change: all, or those whose method list has one of
// the groups.
type DynAuthRights struct {
	All    bool
	Groups []string
}

// dynAuth returns the listener for requests of servers, or nil if the file has none.
func (d checker) dynAuth(raw *rawRADIUS, section *section) *DynAuth {
	if raw.DynAuth == nil {
		return nil
	}
	out := &DynAuth{
		Listener: nasradius.ChangeConfig{Config: nasradius.Config{Addresses: raw.DynAuth.Listen}, RequireTimestamp: raw.DynAuth.RequireTimestamp},
		Rights:   map[string]DynAuthRights{},
	}
	names, owners := d.Unique(), map[netip.Addr]nameText{}
	for i, r := range raw.DynAuth.Servers {
		path := fmt.Sprintf("radius.dynamic-authorization.servers[%d]", i)
		if r.Server == "" {
			continue // reported already
		}
		names.Check(path+".server", string(r.Server), "in")
		at := slices.IndexFunc(raw.Servers, func(s rawServer) bool { return s.Name == r.Server })
		if at < 0 {
			d.Fault(path+".server", "no server is called %s", r.Server)
			continue
		}
		addrs := raw.Servers[at].sources()
		if len(addrs) == 0 && raw.Servers[at].Address != "" {
			d.Fault(path+".server", "the address of server %s is a host name: add the addresses that its requests come from to its alias", r.Server)
		}
		for _, addr := range addrs {
			if other, taken := owners[addr]; taken && other != r.Server {
				d.Fault(path+".server", "server %s has the address %s too", other, addr)
				continue
			}
			owners[addr] = r.Server
			out.Listener.Clients = append(out.Listener.Clients, nasradius.Client{
				Name: string(r.Server), Prefix: netip.PrefixFrom(addr, addr.BitLen()),
				Secret: radius.Secret(cmp.Or(r.Secret, raw.Servers[at].Secret)),
			})
		}
		out.Rights[string(r.Server)] = DynAuthRights{All: r.AllSessions, Groups: raw.groupsOf(section, at)}
	}
	return out
}

// sources returns the addresses that packets of a server may come from.
func (r *rawServer) sources() (addrs []netip.Addr) {
	if addr, err := netip.ParseAddr(string(r.Address)); err == nil {
		addrs = append(addrs, addr.Unmap())
	}
	for _, alias := range r.Alias {
		if alias = alias.Unmap(); alias.IsValid() && !slices.Contains(addrs, alias) {
			addrs = append(addrs, alias)
		}
	}
	return addrs
}

// groupsOf returns the names of the groups that the server at a place is in.
func (raw *rawRADIUS) groupsOf(section *section, at int) (groups []string) {
	for i, g := range raw.Groups {
		if slices.Contains(section.members(i), at) {
			groups = append(groups, string(g.Name))
		}
	}
	if slices.Contains(section.public(), at) {
		groups = append(groups, AllRADIUS)
	}
	return groups
}
