package config

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// section is the servers and groups of one protocol, as far as their checks are the same for both
// protocols.
type section struct {
	key      string // radius or tacacs
	protocol string // RADIUS or TACACS+
	all      string // the name of the group of all servers
	on       string // what a group sends when accounting is turned on
	commands bool   // its servers get records of commands
	servers  []sectionServer
	groups   []sectionGroup
}

// sectionServer is a server of the file. Its schedule has the keys of the server and the global
// ones.
type sectionServer struct {
	name, host string
	port       uint16
	private    bool
	schedule   retry.Schedule
}

// sectionGroup is a group of the file.
type sectionGroup struct {
	name    string
	servers []nameText
	source  netip.Addr
	// Of the keys that only concern policy:
	ackBroadcast bool
	hostConfig   *bool
}

func (r *rawRADIUS) section() *section {
	s := &section{key: "radius", protocol: "RADIUS", all: AllRADIUS, on: "Accounting-On"}
	global := resend{&r.Timeout, &r.Retransmit, r.Backoff}
	for i := range r.Servers {
		v := &r.Servers[i]
		s.servers = append(s.servers, sectionServer{
			string(v.Name), string(v.Address), v.acctPort(), v.Private, global.and(resend{v.Timeout, v.Retransmit, v.Backoff}),
		})
	}
	for i := range r.Groups {
		g := &r.Groups[i]
		s.groups = append(s.groups, sectionGroup{string(g.Name), g.Servers, g.SourceAddress, g.AckBroadcast, g.HostConfig})
	}
	return s
}

func (r *rawTACACS) section() *section {
	s := &section{key: "tacacs", protocol: "TACACS+", all: AllTACACS, on: "system record", commands: true}
	global := resend{&r.Timeout, &r.Retransmit, r.Backoff}
	for i := range r.Servers {
		v := &r.Servers[i]
		s.servers = append(s.servers, sectionServer{
			string(v.Name), string(v.Address), v.Port, v.Private, global.and(resend{v.Timeout, v.Retransmit, v.Backoff}),
		})
	}
	for i := range r.Groups {
		g := &r.Groups[i]
		s.groups = append(s.groups, sectionGroup{string(g.Name), g.Servers, g.SourceAddress, g.AckBroadcast, g.HostConfig})
	}
	return s
}

// resend has the keys for retransmissions at one level of the file. nil means the value of the
// level above.
type resend struct {
	timeout    *time.Duration
	retransmit *int
	backoff    *rawBackoff
}

// on applies one level's overrides to s.
func (r resend) on(s retry.Schedule) retry.Schedule {
	if r.timeout != nil {
		s.Timeout = *r.timeout
	}
	if r.retransmit != nil {
		s.Retransmit = *r.retransmit
	}
	if r.backoff != nil {
		s.MaxDelay, s.BackoffRetry = r.backoff.MaxDelay, r.backoff.Retry
		if s.BackoffRetry == 0 {
			s.MaxDelay = 0
		}
	}
	return s
}

// and returns the schedule of a global level and the overrides of a server.
func (r resend) and(server resend) retry.Schedule { return server.on(r.on(retry.Schedule{})) }

// holdDown returns the hold-down of a group from the global key and its own.
func holdDown(global time.Duration, own *time.Duration) time.Duration {
	if own != nil {
		return *own
	}
	return global
}

// deadCriteria returns the criteria of a group from the global key and its own.
func deadCriteria(global, own *rawDeadCriteria) servers.DeadCriteria {
	if c := cmp.Or(own, global); c != nil {
		return servers.DeadCriteria(*c)
	}
	return servers.DeadCriteria{}
}

// index returns the place of a server, or -1.
func (s *section) index(name string) int {
	for i := range s.servers {
		if s.servers[i].name == name {
			return i
		}
	}
	return -1
}

// members returns the places of the servers of a group. It leaves out names of no server.
func (s *section) members(group int) (at []int) {
	for _, name := range s.groups[group].servers {
		if i := s.index(string(name)); i >= 0 {
			at = append(at, i)
		}
	}
	return at
}

// public returns the places of the servers that are not private: those of the group of all servers.
func (s *section) public() (at []int) {
	for i := range s.servers {
		if !s.servers[i].private {
			at = append(at, i)
		}
	}
	return at
}

// byPriority returns the places of all servers: those of the group of all servers, then the private
// ones.
func (s *section) byPriority() (at []int) {
	at = s.public()
	for i := range s.servers {
		if s.servers[i].private {
			at = append(at, i)
		}
	}
	return at
}

// isListed reports whether a group of the file has the server at a place.
func (s *section) isListed(at int) bool {
	return slices.ContainsFunc(s.groups, func(g sectionGroup) bool { return slices.Contains(g.servers, nameText(s.servers[at].name)) })
}

// checkSections checks the servers and groups of both protocols. The names of servers are unique in
// a protocol, those of groups over both, because method lists name groups.
func (d checker) checkSections(sections []*section) {
	groups := d.Unique()
	for _, s := range sections {
		d.checkServers(s)
		for i := range s.groups {
			g, path := &s.groups[i], fmt.Sprintf("%s.groups[%d]", s.key, i)
			groups.Check(path+".name", g.name, "the name of")
			for _, of := range sections {
				if g.name == of.all {
					d.Fault(path+".name", "%s is the group of all %s servers, which always exists and is not listed", g.name, of.protocol)
				}
			}
			members := d.Unique()
			for j, name := range g.servers {
				at := fmt.Sprintf("%s.servers[%d]", path, j)
				members.Check(at, string(name), "in")
				d.checkMember(at, string(name), s, sections)
			}
			d.checkSource(path+".source-address", s, i)
		}
		d.checkPrivate(s)
	}
}

// checkServers checks the names and addresses of servers. A private server may have the address of
// another one; checkPrivate checks the addresses within groups.
func (d checker) checkServers(s *section) {
	names, addresses := d.Unique(), d.Unique()
	for i := range s.servers {
		v, path := &s.servers[i], fmt.Sprintf("%s.servers[%d]", s.key, i)
		names.Check(path+".name", v.name, "the name of")
		if v.host != "" && !v.private {
			addresses.Check(path+".address", net.JoinHostPort(v.host, strconv.Itoa(int(v.port))), "the server of")
		}
	}
}

// checkMember checks that a group's server is one of its protocol.
func (d checker) checkMember(path, name string, s *section, all []*section) {
	if name == "" || s.index(name) >= 0 {
		return
	}
	for _, other := range all {
		if other.index(name) >= 0 {
			d.Fault(path, "%s is a %s server, and this is a group of %s servers: groups are of one protocol", name, other.protocol, s.protocol)
			return
		}
	}
	d.Fault(path, "no server is called %s", name)
}

// checkPrivate checks that one group has each private server, and that no group has the address of
// a private server twice.
func (d checker) checkPrivate(s *section) {
	owners := map[int]string{} // paths of groups, by the place of the server
	for i := range s.groups {
		group := fmt.Sprintf("%s.groups[%d]", s.key, i)
		for j, name := range s.groups[i].servers {
			at := s.index(string(name))
			if at < 0 {
				continue
			}
			v, path := &s.servers[at], fmt.Sprintf("%s.servers[%d]", group, j)
			if v.private {
				if first := cmp.Or(owners[at], group); first != group {
					d.Fault(path, "server %s is private, and the group of line %d has it", v.name, d.Line(first))
				}
				owners[at] = cmp.Or(owners[at], group)
			}
			for _, before := range s.groups[i].servers[:j] {
				k := s.index(string(before))
				if k < 0 || k == at {
					continue
				}
				if o := &s.servers[k]; (v.private || o.private) && v.host != "" && v.host == o.host && v.port == o.port {
					d.Fault(path, "%s has the address and port of %s, which is in this group too", v.name, o.name)
				}
			}
		}
	}
	for i := range s.servers {
		if v := &s.servers[i]; v.private && v.name != "" && owners[i] == "" {
			d.AddWarning(fmt.Sprintf("%s.servers[%d].private", s.key, i), "nothing is sent to server %s: it is private, and no group names it", v.name)
		}
	}
}

// checkSource checks that the servers of a group have the family of its source address. It does not
// check host names, which are resolved later.
func (d checker) checkSource(path string, s *section, group int) {
	source := s.groups[group].source
	if !source.IsValid() {
		return
	}
	for _, i := range s.members(group) {
		v := &s.servers[i]
		if addr, err := netip.ParseAddr(v.host); err == nil && addr.Is4() != source.Is4() {
			d.Fault(path, "%s is %s, but server %s has %s, which is %s", source, family(source), v.name, addr, family(addr))
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
