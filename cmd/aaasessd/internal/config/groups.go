package config

import (
	"fmt"
	"os"

	"aaasess/accounting"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
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

// identity returns what makes a server the same one for all groups, and for both purposes.
func (r *rawServer) identity() client.Identity {
	id := client.Identity{
		Name: string(r.Name), Host: string(r.Address), Port: r.acctPort(), AuthPort: r.AuthPort, Secret: radius.Secret(r.Secret), Signing: r.Signing,
		Aliases: client.NewAliases(r.Alias...),
	}
	if t := r.Test; t != nil {
		id.Test = client.Test{
			Username: t.Username, IdleTime: t.IdleTime, StatusServer: t.StatusServer, IgnoreAuthPort: t.IgnoreAuthPort, IgnoreAcctPort: t.IgnoreAcctPort,
		}
	}
	return id
}

// members returns the RADIUS servers.
func (raw *rawRADIUS) members(s *section) []client.Member {
	members := make([]client.Member, len(raw.Servers))
	for i, r := range raw.Servers {
		members[i] = client.Member{
			Identity: r.identity(),
			Schedule: s.servers[i].schedule,
		}
	}
	return members
}

// groups returns the groups of RADIUS servers that the file has.
func (d checker) groups(raw *rawRADIUS, s *section, servers []client.Member, names *radius.Dictionary) []acctradius.Spec {
	groups := make([]acctradius.Spec, 0, len(raw.Groups))
	for i, r := range raw.Groups {
		path := fmt.Sprintf("radius.groups[%d]", i)
		g := newGroup(&r, raw)
		g.NASSessionID = d.textAttribute(path+".nas-session-id", string(r.NASSessionID), names)
		g.UserID = d.textAttribute(path+".user-id", string(r.UserID), names)
		g.ResyncMark = d.textAttribute(path+".resync-mark", string(r.ResyncMark), names)
		d.checkAdded(path+".user-id", string(r.UserID), g.UserID, added{"nas-session-id", g.NASSessionID})
		d.checkAdded(path+".resync-mark", string(r.ResyncMark), g.ResyncMark, added{"nas-session-id", g.NASSessionID}, added{"user-id", g.UserID})
		for _, at := range s.members(i) {
			server := servers[at]
			server.Schedule = resend{r.Timeout, r.Retransmit, r.Backoff}.on(server.Schedule)
			g.Servers = append(g.Servers, server)
		}
		if path := path + ".batch-size"; r.AccessAlgorithm != client.LeastOutstanding && d.Given(path) {
			d.Fault(path, "has no effect without access-algorithm: least-outstanding")
		}
		groups = append(groups, g)
	}
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
		HoldDown: holdDown(raw.HoldDown, r.HoldDown), DeadCriteria: deadCriteria(raw.DeadCriteria, r.DeadCriteria), Window: r.Window, DrainRate: float64(r.DrainRate),
		AddNASIdentifier: r.AddNASIdentifier,
	}
	if r.AccessAlgorithm == client.LeastOutstanding {
		g.BatchSize = r.BatchSize
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

// allRADIUS returns the group of all RADIUS servers that are not private, which the file does not
// list. It has the defaults of a group.
func (d checker) allRADIUS(raw *rawRADIUS, s *section, servers []client.Member) acctradius.Spec {
	r := rawGroup{Name: AllRADIUS}
	d.SetDefaults(&r)
	g := newGroup(&r, raw)
	for _, at := range s.public() {
		g.Servers = append(g.Servers, servers[at])
	}
	return g
}
