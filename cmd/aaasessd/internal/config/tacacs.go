package config

import (
	"fmt"
	"math"
	"reflect"
	"regexp"

	accttacacs "aaasess/accounting/tacacs"
	"aaasess/internal/radius"
	"aaasess/internal/retry"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
)

// argumentText is the name of an argument of a TACACS+ record (RFC 8907 section 6.1).
type argumentText string

var argumentPattern = regexp.MustCompile(`^[!-)+-<>-~]{0,64}$`)

func parseArgument(text string, _ reflect.StructTag) (any, error) {
	if !argumentPattern.MatchString(text) {
		return nil, fmt.Errorf("%q is not the name of an argument: at most 64 printable ASCII characters without space, = and *", text)
	}
	return argumentText(text), nil
}

// members returns the TACACS+ servers.
func (raw *rawTACACS) members(s *section) []tacclient.Member {
	members := make([]tacclient.Member, len(raw.Servers))
	for i, r := range raw.Servers {
		members[i] = r.member(s.servers[i].schedule)
	}
	return members
}

func (r *rawTACACSServer) member(schedule retry.Schedule) tacclient.Member {
	return tacclient.Member{
		Identity: tacclient.Identity{Name: string(r.Name), Host: string(r.Address), Port: r.Port, Key: tacacs.Key(r.Key)},
		Schedule: schedule, SingleConnection: r.SingleConnection, Connections: r.Connections, WatchdogStart: r.Watchdog == "with-start",
	}
}

// groups returns the groups of TACACS+ servers that the file has.
func (raw *rawTACACS) groups(s *section, servers []tacclient.Member, ports []accttacacs.PortRule) []accttacacs.Spec {
	groups := make([]accttacacs.Spec, len(raw.Groups))
	for i, r := range raw.Groups {
		groups[i] = raw.newGroup(&r, ports)
		for _, at := range s.members(i) {
			server := servers[at]
			server.Schedule = resend{r.Timeout, r.Retransmit, r.Backoff}.on(server.Schedule)
			groups[i].Servers = append(groups[i].Servers, server)
		}
	}
	return groups
}

// newGroup returns a group without its servers.
func (raw *rawTACACS) newGroup(r *rawTACACSGroup, ports []accttacacs.PortRule) accttacacs.Spec {
	return accttacacs.Spec{
		Group: string(r.Name), Description: r.Description, Source: r.SourceAddress, HoldDown: holdDown(raw.HoldDown, r.HoldDown),
		DeadCriteria: deadCriteria(raw.DeadCriteria, r.DeadCriteria), Window: r.Window, DrainRate: float64(r.DrainRate),
		Arguments: accttacacs.Arguments{Ports: ports, Times: r.Times, Attributes: r.Attributes, ResyncMark: string(r.ResyncMark)},
	}
}

// allTACACS returns the group of all TACACS+ servers that are not private, which the file does not
// list. It has the defaults of a group.
func (d checker) allTACACS(raw *rawTACACS, s *section, servers []tacclient.Member, ports []accttacacs.PortRule) accttacacs.Spec {
	r := rawTACACSGroup{Name: AllTACACS}
	d.SetDefaults(&r)
	g := raw.newGroup(&r, ports)
	for _, at := range s.public() {
		g.Servers = append(g.Servers, servers[at])
	}
	return g
}

// portRules returns the rules for the field port, one for each range of an entry.
func (d checker) portRules(raw []rawPort, names *radius.Dictionary) (rules []accttacacs.PortRule) {
	for i, r := range raw {
		path := fmt.Sprintf("tacacs.ports[%d]", i)
		rule := accttacacs.PortRule{Last: math.MaxUint32, Text: r.Text}
		for j, name := range r.NASPortType {
			if n, ok := d.value(fmt.Sprintf("%s.nas-port-type[%d]", path, j), "NAS-Port-Type", name, "Async", names); ok {
				rule.Types = append(rule.Types, n)
			}
		}
		if err := rule.Check(); err != nil && !d.Faulty(path+".text") && d.Given(path+".text") {
			d.Fault(path+".text", "%v", err)
		}
		if len(r.NASPort) == 0 {
			rules = append(rules, rule)
		}
		for _, text := range r.NASPort {
			if p, err := ports(string(text)); err == nil { // else it was reported
				rule.First, rule.Last = p.First, p.Last
				rules = append(rules, rule)
			}
		}
	}
	return rules
}
