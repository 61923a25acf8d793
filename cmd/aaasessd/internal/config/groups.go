package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// anonymous is our NAS-Identifier on a host that has no name.
const anonymous = "aaasess"

// nasIdentifier is the one of the file, or the name of the host.
func nasIdentifier(given string, hostname func() (string, error)) string {
	if given != "" {
		return given
	}
	if name, err := hostname(); err == nil && name != "" {
		return name
	}
	return anonymous
}

// resend is when a record is sent again, as one level of the file has it: nil is as the level before.
type resend struct {
	timeout    *time.Duration
	retransmit *int
	backoff    *rawBackoff
}

// on is a server with what a level has, in place of what it had.
func (r resend) on(s Server) Server {
	if r.timeout != nil {
		s.Timeout = *r.timeout
	}
	if r.retransmit != nil {
		s.Retransmit = *r.retransmit
	}
	if r.backoff != nil {
		s.Backoff = Backoff(*r.backoff)
		if s.Backoff.Retry == 0 {
			s.Backoff = Backoff{}
		}
	}
	return s
}

// servers makes the servers, each with its own keys over the global ones.
func (d checker) servers(raw *rawRADIUS) []Server {
	global := resend{&raw.Timeout, &raw.Retransmit, raw.Backoff}
	names, addresses := d.Unique(), d.Unique()
	servers := make([]Server, 0, len(raw.Servers))
	for i, r := range raw.Servers {
		path := fmt.Sprintf("radius.servers[%d]", i)
		s := Server{Name: string(r.Name), Host: string(r.Address), Port: uint16(r.Port), Secret: r.Secret}
		names.Check(path+".name", s.Name, "the name of")
		if s.Host != "" {
			addresses.Check(path+".address", net.JoinHostPort(s.Host, strconv.Itoa(r.Port)), "the server of")
		}
		servers = append(servers, resend{r.Timeout, r.Retransmit, r.Backoff}.on(global.on(s)))
	}
	return servers
}

// groups makes the groups of the file; their AcctOnOff is not checked yet.
func (d checker) groups(raw *rawRADIUS, servers []Server) []Group {
	byName := map[string]Server{}
	for _, s := range servers {
		byName[s.Name] = s
	}
	names := d.Unique()
	groups := make([]Group, 0, len(raw.Groups))
	for i, r := range raw.Groups {
		path := fmt.Sprintf("radius.groups[%d]", i)
		if r.Name == AllServers {
			d.Fault(path+".name", "%s is the group of all servers, which is always there", r.Name)
		}
		names.Check(path+".name", string(r.Name), "the name of")
		g := newGroup(&r, raw)
		own := resend{r.Timeout, r.Retransmit, r.Backoff}
		members := d.Unique()
		for j, name := range r.Servers {
			path := fmt.Sprintf("%s.servers[%d]", path, j)
			members.Check(path, string(name), "in")
			s, ok := byName[string(name)]
			if !ok && name != "" {
				d.Fault(path, "no server is called %s", name)
			}
			g.Servers = append(g.Servers, own.on(s))
		}
		d.checkSource(path+".source-address", &g)
		groups = append(groups, g)
	}
	return groups
}

// newGroup is a group without its servers.
func newGroup(r *rawGroup, raw *rawRADIUS) Group {
	g := Group{
		Name: string(r.Name), Description: r.Description,
		AccessAlgorithm: r.AccessAlgorithm, SourceAddress: r.SourceAddress,
		HoldDown: raw.HoldDown, Window: r.Window, DrainRate: r.DrainRate,
	}
	if r.HoldDown != nil {
		g.HoldDown = *r.HoldDown
	}
	for _, criteria := range []*rawDeadCriteria{raw.DeadCriteria, r.DeadCriteria} {
		if criteria != nil {
			g.DeadCriteria = DeadCriteria(*criteria)
		}
	}
	if on := r.AcctOnOff; on != nil {
		g.AcctOnOff = &AcctOnOff{OperStateChange: on.OperStateChange, Group: string(on.Group), MonitorGroup: string(on.MonitorGroup)}
	}
	return g
}

// allServers is the group that is there without being listed, with the defaults of a group.
func (d checker) allServers(raw *rawRADIUS, servers []Server) Group {
	r := rawGroup{Name: AllServers}
	d.SetDefaults(&r)
	g := newGroup(&r, raw)
	g.Servers = slices.Clone(servers)
	return g
}

// checkSource finds a server that can't be reached from the source address. What names stand for is
// known only later.
func (d checker) checkSource(path string, g *Group) {
	if !g.SourceAddress.IsValid() {
		return
	}
	for _, s := range g.Servers {
		if addr, err := netip.ParseAddr(s.Host); err == nil && addr.Is4() != g.SourceAddress.Is4() {
			d.Fault(path, "%s is %s, but server %s has %s, which is %s", g.SourceAddress, family(g.SourceAddress), s.Name, addr, family(addr))
			return
		}
	}
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}
