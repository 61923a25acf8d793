package config

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"aaasess/cmd/internal/strictyaml"
)

const (
	// maxSocketPath is what sockaddr_un has room for (unix(7)).
	maxSocketPath = 107
	// maxServers is how many servers a group has; the tag of rawGroup.Servers says it too.
	maxServers = 64
)

// checker checks what concerns more than one key.
type checker struct{ *strictyaml.Document }

// validate checks what concerns more than one key and makes the Config. What the decoder has found
// wrong is zero here, and not told again.
func (d checker) validate(raw *rawConfig) *Config {
	names := d.dictionary(raw.RADIUS.Dictionaries)
	c := &Config{
		State:   string(raw.State),
		Log:     Log{Format: raw.Log.Format},
		Control: Control{Socket: string(raw.Control.Socket), Group: raw.Control.Group},
		SNMP:    d.snmp(&raw.SNMP),
		RADIUS: RADIUS{
			NASIdentifier:   nasIdentifier(raw.RADIUS.NASIdentifier, os.Hostname),
			Dictionary:      names,
			Accounting:      RADIUSAccounting{Listen: d.listen("radius.accounting.listen", raw.RADIUS.Accounting.Listen)},
			Clients:         d.clients(raw.RADIUS.Clients, names),
			Servers:         d.servers(&raw.RADIUS),
			AcctOnOffGroups: d.acctOnOffGroups(raw.RADIUS.AcctOnOffGroups),
		},
		Accounting: Accounting{Local: Local{File: string(raw.Accounting.Local.File)}},
		Sessions:   Sessions{Remember: raw.Sessions.Remember, Disconnect: Disconnect(raw.Sessions.Disconnect)},
		Store:      Store{MinFree: int64(raw.Store.MinFree), MaxSize: int64(raw.Store.MaxSize)},
	}
	_ = c.Log.Level.UnmarshalText([]byte(raw.Log.Level)) // the enum has only names that slog knows
	d.checkSocket("control.socket", c.Control.Socket)
	if c.Sessions.Disconnect.RetryMin > c.Sessions.Disconnect.RetryMax {
		d.Fault("sessions.disconnect.retry-min", "%v is more than retry-max, %v", c.Sessions.Disconnect.RetryMin, c.Sessions.Disconnect.RetryMax)
	}
	c.RADIUS.Groups = d.groups(&raw.RADIUS, c.RADIUS.Servers)
	d.acctOnOff(&c.RADIUS)
	d.lists(c, raw)
	return c
}

func (d checker) checkSocket(path, name string) {
	if len(name) > maxSocketPath {
		d.Fault(path, "%s: a socket's path has at most %d octets, this has %d", name, maxSocketPath, len(name))
	}
}

func (d checker) agentX(raw *rawAgentX) *AgentX {
	if raw == nil {
		return nil
	}
	const path = "snmp.agentx.address"
	a := &AgentX{Network: raw.Network, Address: raw.Address}
	defer func() { raw.Address = a.Address }()
	switch a.Network {
	case "unix":
		if a.Address == "" {
			a.Address = "/var/agentx/master"
		}
		a.Address = string(d.Resolve(strictyaml.Path(a.Address)))
		d.checkSocket(path, a.Address)
	case "tcp":
		if a.Address == "" {
			a.Address = "127.0.0.1:705"
		}
		if !isHostPort(a.Address) {
			d.Fault(path, "%q is not host:port", a.Address)
		}
	}
	return a
}

func isHostPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func (d checker) listen(path string, raw []netip.AddrPort) []netip.AddrPort {
	addresses := d.Unique()
	for i, a := range raw {
		if a.Port() != 0 { // 0 is another one each time
			addresses.Check(fmt.Sprintf("%s[%d]", path, i), a.String(), "in")
		}
	}
	return raw
}

// lists makes the method lists, and the group of all servers if one names it.
func (d checker) lists(c *Config, raw *rawConfig) {
	groups := map[string]bool{}
	for _, g := range c.RADIUS.Groups {
		groups[g.Name] = true
	}
	for _, kind := range []struct {
		name  string
		lists map[string]rawList
	}{{"network", raw.Accounting.Network}, {"exec", raw.Accounting.Exec}, {"connection", raw.Accounting.Connection}} {
		for name, r := range kind.lists { // there is one, "default", if any
			path := "accounting." + kind.name + "." + name
			list := List{Type: kind.name, Name: name, Record: r.Record}
			d.checkRecord(path, r)
			methods := d.Unique()
			for i, m := range r.Methods {
				path := fmt.Sprintf("%s.methods[%d]", path, i)
				methods.Check(path, string(m), "in")
				list.Methods = append(list.Methods, string(m))
				group, ok := strings.CutPrefix(string(m), groupPrefix)
				switch {
				case !ok || groups[group]:
				case group != AllServers:
					d.Fault(path, "no group is called %s", group)
				case len(c.RADIUS.Servers) == 0 || len(c.RADIUS.Servers) > maxServers:
					d.Fault(path, "there are %d RADIUS servers, a group has 1 to %d", len(c.RADIUS.Servers), maxServers)
				default:
					groups[AllServers] = true
					c.RADIUS.Groups = append(c.RADIUS.Groups, d.allServers(&raw.RADIUS, c.RADIUS.Servers))
				}
			}
			c.Accounting.Lists = append(c.Accounting.Lists, list)
		}
	}
}

func (d checker) checkRecord(path string, r rawList) {
	switch {
	case r.Record == "none" && len(r.Methods) > 0:
		d.Fault(path+".methods", "are of no use with record: none")
	case (r.Record == "start-stop" || r.Record == "stop-only") && len(r.Methods) == 0:
		d.Fault(path+".methods", "at least one is needed with record: %s", r.Record)
	}
}
