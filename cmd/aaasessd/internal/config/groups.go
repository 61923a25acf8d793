package config

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"time"

	"aaasess/accounting"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
)

// anonymous is our NAS-Identifier on a host without a name.
const anonymous = "aaasess"

// nasIdentifier returns the NAS-Identifier of the file, or else the name of the host.
func nasIdentifier(given string, hostname func() (string, error)) string {
	if given != "" {
		return given
	}
	if name, err := hostname(); err == nil && name != "" {
		return name
	}
	return anonymous
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

// servers returns the servers. The keys of a server override the global ones. A private server may
// have the address of another one; checkPrivate checks the addresses within groups.
func (d checker) servers(raw *rawRADIUS) []client.Member {
	global := resend{&raw.Timeout, &raw.Retransmit, raw.Backoff}
	names, addresses := d.Unique(), d.Unique()
	servers := make([]client.Member, 0, len(raw.Servers))
	for i, r := range raw.Servers {
		path := fmt.Sprintf("radius.servers[%d]", i)
		s := client.Member{
			Identity: client.Identity{Name: string(r.Name), Host: string(r.Address), Port: r.Port, Secret: radius.Secret(r.Secret)},
			Schedule: resend{r.Timeout, r.Retransmit, r.Backoff}.on(global.on(retry.Schedule{})),
		}
		names.Check(path+".name", s.Name, "the name of")
		if s.Host != "" && !r.Private {
			addresses.Check(path+".address", net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port))), "the server of")
		}
		servers = append(servers, s)
	}
	return servers
}

// publicServers returns the servers that are not private: those of the group of all servers.
func publicServers(raw *rawRADIUS, servers []client.Member) (public []client.Member) {
	for i, s := range servers {
		if !raw.Servers[i].Private {
			public = append(public, s)
		}
	}
	return public
}

// checkPrivate checks that one group has each private server, and that no group has the address of
// a private server twice.
func (d checker) checkPrivate(raw *rawRADIUS, servers []client.Member, groups []acctradius.Spec) {
	private, owners := map[string]bool{}, map[string]string{} // by name of the server; owners: paths
	for _, r := range raw.Servers {
		private[string(r.Name)] = r.Private
	}
	for i := range groups {
		members := groups[i].Servers
		for j, s := range members {
			path := fmt.Sprintf("radius.groups[%d].servers[%d]", i, j)
			if private[s.Name] {
				owner := fmt.Sprintf("radius.groups[%d]", i)
				if first := cmp.Or(owners[s.Name], owner); first != owner {
					d.Fault(path, "server %s is private, and the group of line %d has it", s.Name, d.Line(first))
				}
				owners[s.Name] = cmp.Or(owners[s.Name], owner)
			}
			for _, other := range members[:j] {
				if (private[s.Name] || private[other.Name]) && s.Name != other.Name && s.Host != "" && s.Host == other.Host && s.Port == other.Port {
					d.Fault(path, "%s has the address and port of %s, which is in this group too", s.Name, other.Name)
				}
			}
		}
	}
	for i, s := range servers {
		if raw.Servers[i].Private && s.Name != "" && owners[s.Name] == "" {
			d.AddWarning(fmt.Sprintf("radius.servers[%d].private", i), "nothing is sent to server %s: it is private, and no group names it", s.Name)
		}
	}
}

// groups returns the groups of the file.
func (d checker) groups(raw *rawRADIUS, servers []client.Member, names *radius.Dictionary) []acctradius.Spec {
	byName := map[string]client.Member{}
	for _, s := range servers {
		byName[s.Name] = s
	}
	unique := d.Unique()
	groups := make([]acctradius.Spec, 0, len(raw.Groups))
	for i, r := range raw.Groups {
		path := fmt.Sprintf("radius.groups[%d]", i)
		if r.Name == AllServers {
			d.Fault(path+".name", "%s is the group of all servers, which always exists and is not listed", r.Name)
		}
		unique.Check(path+".name", string(r.Name), "the name of")
		g := newGroup(&r, raw)
		g.NASSessionID = d.textAttribute(path+".nas-session-id", string(r.NASSessionID), names)
		g.UserID = d.textAttribute(path+".user-id", string(r.UserID), names)
		g.ResyncMark = d.textAttribute(path+".resync-mark", string(r.ResyncMark), names)
		d.checkAdded(path+".user-id", string(r.UserID), g.UserID, added{"nas-session-id", g.NASSessionID})
		d.checkAdded(path+".resync-mark", string(r.ResyncMark), g.ResyncMark, added{"nas-session-id", g.NASSessionID}, added{"user-id", g.UserID})
		own := resend{r.Timeout, r.Retransmit, r.Backoff}
		members := d.Unique()
		for j, name := range r.Servers {
			path := fmt.Sprintf("%s.servers[%d]", path, j)
			members.Check(path, string(name), "in")
			s, ok := byName[string(name)]
			if !ok && name != "" {
				d.Fault(path, "no server is called %s", name)
			}
			s.Schedule = own.on(s.Schedule)
			g.Servers = append(g.Servers, s)
		}
		d.checkSource(path+".source-address", &g)
		if path := path + ".batch-size"; r.AccessAlgorithm != client.LeastOutstanding && d.Given(path) {
			d.Fault(path, "has no effect without access-algorithm: least-outstanding")
		}
		groups = append(groups, g)
	}
	d.checkPrivate(raw, servers, groups)
	return groups
}

// textAttribute returns an attribute that a group adds to its records. It must take any text, and
// must not be one that the daemon itself sets.
func (d checker) textAttribute(path, name string, names *radius.Dictionary) radius.ID {
	if name == "" || names == nil {
		return radius.ID{}
	}
	def, _, err := names.Lookup(name)
	switch {
	case err != nil:
		d.Fault(path, "%q: %v", name, err)
	case def.Kind != radius.Text && def.Kind != radius.Octets || def.Encrypted || def.Tagged || def.Type >= radius.FirstExtended && def.Type <= radius.LastExtended:
		d.Fault(path, "%s cannot have any text as its value", name)
	case def.Type == radius.AcctSessionID:
		d.Fault(path, "%s has the session id of aaasess", name)
	case names.InAccounting(def.Type) == radius.Never || def.Type == radius.ProxyState || def.Type == radius.MessageAuthenticator:
		d.Fault(path, "%s must not be in an Accounting-Request", name)
	default:
		return def.ID
	}
	return radius.ID{}
}

// added is an attribute that a key of a group adds to its records.
type added struct {
	key string
	id  radius.ID
}

// checkAdded checks that no other text of a record is in the attribute that a key adds.
func (d checker) checkAdded(path, name string, id radius.ID, others ...added) {
	switch id {
	case radius.ID{}:
		return
	case radius.ID{Type: radius.UserName}:
		d.Fault(path, "%s has the whole name in each record", name)
	case radius.ID{Type: radius.NASIdentifier}:
		d.Fault(path, "%s identifies the NAS", name)
	}
	for _, o := range others {
		if id == o.id {
			d.Fault(path, "%s is also the attribute of %s", name, o.key)
		}
	}
}

// newGroup returns a group without its servers.
func newGroup(r *rawGroup, raw *rawRADIUS) acctradius.Spec {
	g := acctradius.Spec{
		Group: string(r.Name), Description: r.Description, Algorithm: r.AccessAlgorithm, Source: r.SourceAddress,
		HoldDown: raw.HoldDown, Window: r.Window, DrainRate: float64(r.DrainRate),
		AddNASIdentifier: r.AddNASIdentifier,
	}
	if r.AccessAlgorithm == client.LeastOutstanding {
		g.BatchSize = r.BatchSize
	}
	if r.HoldDown != nil {
		g.HoldDown = *r.HoldDown
	}
	for _, criteria := range []*rawDeadCriteria{raw.DeadCriteria, r.DeadCriteria} {
		if criteria != nil {
			g.DeadCriteria = servers.DeadCriteria(*criteria)
		}
	}
	switch on := r.AcctOnOff; {
	case on == nil:
	case on.MonitorGroup != "":
		g.MonitorGroup = string(on.MonitorGroup)
	default:
		g.AcctOnOff = newOnOff(raw, on.OperStateChange, string(on.Group))
	}
	return g
}

// newOnOff returns what a group sends as Accounting-On and -Off.
func newOnOff(raw *rawRADIUS, blocks bool, controls string) *accounting.OnOff {
	identity := radius.AppendAttribute(nil, radius.NASIdentifier, nasIdentifier(raw.NASIdentifier, os.Hostname))
	return &accounting.OnOff{Attributes: radius.Attributes(identity), Blocks: blocks, Controls: controls}
}

// allServers returns the group of all servers that are not private, which the file does not list. It
// has the defaults of a group.
func (d checker) allServers(raw *rawRADIUS, servers []client.Member) acctradius.Spec {
	r := rawGroup{Name: AllServers}
	d.SetDefaults(&r)
	g := newGroup(&r, raw)
	g.Servers = slices.Clone(servers)
	return g
}

// checkSource checks that the servers have the family of the source address. It does not check host
// names, which are resolved later.
func (d checker) checkSource(path string, g *acctradius.Spec) {
	if !g.Source.IsValid() {
		return
	}
	for _, s := range g.Servers {
		if addr, err := netip.ParseAddr(s.Host); err == nil && addr.Is4() != g.Source.Is4() {
			d.Fault(path, "%s is %s, but server %s has %s, which is %s", g.Source, family(g.Source), s.Name, addr, family(addr))
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
