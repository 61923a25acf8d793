package config

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"aaasess/agent/agentx"
	"aaasess/cmd/aaasessd/internal/conditions"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/termination"
	"aaasess/store"
)

// maxSocketPath is the longest path that fits into sockaddr_un (unix(7)).
const maxSocketPath = 107

// checker checks conditions on more than one key.
type checker struct{ *strictyaml.Document }

// config checks the file and returns the Config. It does not repeat faults that the decoder has
// reported.
func (d checker) config(raw *rawConfig) *Config {
	names := d.dictionary(raw.RADIUS.Dictionaries)
	clients := d.clients(raw.RADIUS.Clients, raw.Sessions.OnePerStation, names)
	disconnect := &raw.Sessions.Disconnect
	c := &Config{
		State:   string(raw.State),
		Log:     raw.Log,
		Control: raw.Control,
		SNMP: SNMP{
			AgentX: d.agentX(raw.SNMP.AgentX), Responder: d.responder(&raw.SNMP), SessionMIBDisconnect: raw.SNMP.SessionMIBDisconnect,
			AAAServerConfig: raw.SNMP.AAAServerConfig, EnterpriseNumber: uint32(raw.SNMP.EnterpriseNumber),
		},
		Listener: nasradius.Config{Addresses: raw.RADIUS.Accounting.Listen, Clients: clients},
		Disconnector: dae.Config{
			Clients: clients, Timeout: disconnect.Timeout, Retransmissions: orNone(disconnect.Retransmit),
		},
		NASIdentifier: nasIdentifier(raw.RADIUS.NASIdentifier, os.Hostname),
		Dictionary:    names,
		LocalSocket:   d.localSocket(raw.LocalSocket, os.Hostname),
		HTTP:          d.http(raw.HTTP),
		StatusPage:    raw.HTTP.statusPage(),
		Endings:       d.endings(raw),
		Admissions:    raw.admissions(),
		OnOffGroups:   d.onOffGroups(&raw.RADIUS),
		Stale:         raw.stale(),
		Sessions:      sessions.Config{Remember: raw.Sessions.Remember, Max: raw.Sessions.Max},
		Terminator:    termination.Config{StopWait: disconnect.StopWait, RetryMin: disconnect.RetryMin, RetryMax: disconnect.RetryMax},
		Thresholds:    raw.Thresholds.limits(),
		Store:         store.Config{MinFree: int64(raw.Store.MinFree), MaxSize: int64(raw.Store.MaxSize)},
	}
	d.checkListeners(&raw.RADIUS, raw.Authentication != nil)
	d.checkSocket("control.socket", string(c.Control.Socket))
	if disconnect.RetryMin > disconnect.RetryMax {
		d.Fault("sessions.disconnect.retry-min", "%v is more than retry-max, %v", disconnect.RetryMin, disconnect.RetryMax)
	}
	d.setGlobalSecrets(raw)
	sections := []*section{raw.RADIUS.section(), raw.TACACS.section()}
	d.checkSections(sections)
	c.Servers, c.NewServer = identities(raw, sections), d.newServer(raw)
	addAll := d.addGroups(c, raw, sections)
	c.Authentication = d.authentication(raw, sections, c.Groups, clients)
	c.DynAuth = d.dynAuth(&raw.RADIUS, sections[0])
	d.policy(c, raw, sections, addAll)
	return c
}

// addGroups adds the groups of both protocols to c. It returns functions that add the groups of
// all servers, by their names.
func (d checker) addGroups(c *Config, raw *rawConfig, sections []*section) (addAll map[string]func()) {
	ofRADIUS, ofTACACS := sections[0], sections[1]
	radiusServers, tacacsServers := raw.RADIUS.members(ofRADIUS), raw.TACACS.members(ofTACACS)
	ports := d.portRules(raw.TACACS.Ports, c.Dictionary)
	c.Groups = d.groups(&raw.RADIUS, ofRADIUS, radiusServers, c.Dictionary)
	c.TACACSGroups = raw.TACACS.groups(ofTACACS, tacacsServers, ports)
	return map[string]func(){
		AllRADIUS: func() { c.Groups = append(c.Groups, d.allRADIUS(&raw.RADIUS, ofRADIUS, radiusServers)) },
		AllTACACS: func() {
			c.TACACSGroups = append(c.TACACSGroups, d.allTACACS(&raw.TACACS, ofTACACS, tacacsServers, ports))
		},
	}
}

func (raw *rawThresholds) limits() conditions.Limits {
	return conditions.Limits{Records: uint64(raw.SpoolRecords), Age: raw.SpoolAge, BlockedAfter: raw.BlockedAfter}
}

// orNone converts a number of retransmissions, or a duration, for packages in which 0 means the default
// and -1 means none.
func orNone[T int | time.Duration](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

func (d checker) checkSocket(path, name string) {
	if len(name) > maxSocketPath {
		d.Fault(path, "%s: a socket's path has at most %d octets, this has %d", name, maxSocketPath, len(name))
	}
}

// agentX returns the connection to the master agent. If raw has no address, it sets the default
// there.
func (d checker) agentX(raw *rawAgentX) *agentx.Config {
	if raw == nil {
		return nil
	}
	const path = "snmp.agentx.address"
	switch raw.Network {
	case "unix":
		if raw.Address == "" {
			raw.Address = "/var/agentx/master"
		}
		raw.Address = string(d.Resolve(strictyaml.Path(raw.Address)))
		d.checkSocket(path, raw.Address)
	case "tcp":
		if raw.Address == "" {
			raw.Address = "127.0.0.1:705"
		}
		if !isHostPort(raw.Address) {
			d.Fault(path, "%q is not host:port", raw.Address)
		}
	}
	return &agentx.Config{Network: raw.Network, Address: raw.Address}
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
	checkListen(d.Unique(), path, raw)
	return raw
}

// checkListeners checks the addresses of the RADIUS listeners.
func (d checker) checkListeners(raw *rawRADIUS, authenticates bool) {
	addresses := d.Unique()
	checkListen(addresses, "radius.accounting.listen", raw.Accounting.Listen)
	if authenticates {
		checkListen(addresses, "radius.authentication.listen", raw.Authentication.Listen)
	}
	if raw.DynAuth != nil {
		checkListen(addresses, "radius.dynamic-authorization.listen", raw.DynAuth.Listen)
	}
}

func checkListen(addresses strictyaml.Unique, path string, raw []netip.AddrPort) {
	for i, a := range raw {
		if a.Port() != 0 { // each 0 is a different free port
			addresses.Check(fmt.Sprintf("%s[%d]", path, i), a.String(), "in")
		}
	}
}
