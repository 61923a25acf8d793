package config

import (
	"fmt"

	"aaasess/accounting"
	"aaasess/accounting/local"
	"aaasess/accounting/methods"
	"aaasess/accounting/onoff"
	acctradius "aaasess/accounting/radius"
	"aaasess/agent/agentx"
	"aaasess/agent/snmp"
	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/store"
)

// Config is a checked configuration, in the types of the packages that it configures. Of these, the
// fields that no key sets are zero: the daemon adds loggers, callbacks and whatever else is live. File
// names that were relative are joined with the folder of the configuration file.
type Config struct {
	State   string // the folder of the store
	Log     Log
	Control Control
	SNMP    SNMP

	// Listener takes accounting from the NASes, Disconnector ends sessions at them: both have the same
	// Clients, no two of one prefix or name.
	Listener     nasradius.Config
	Disconnector nasradius.DisconnectConfig
	// Dictionary has the names of attributes and values.
	Dictionary *radius.Dictionary

	// Groups are the server groups of the file, in order, and at the end, if a method list names it, the
	// group AllServers of all servers. No two have one name.
	Groups []acctradius.Spec
	// OnOffGroups have no two of one name.
	OnOffGroups onoff.Groups
	// Policy has the method lists. Their methods are among Groups, or Local.
	Policy accounting.Policy
	// Local is the file of JSON lines; nil: no method list names it.
	Local *local.Spec

	Sessions   sessions.Config
	Terminator sessions.TerminatorConfig
	Store      store.Config

	fixed []strictyaml.Fixed // what a reload can't change
}

// AllServers is the name of the group that has all RADIUS servers in their order (S1 "group radius").
const AllServers = "radius"

// SNMP is how SNMP managers reach us (R4, R15, R16), and how we reach them (R17).
type SNMP struct {
	// AgentX is the connection to the master agent; nil: there is none.
	AgentX *agentx.Config
	// Responder is our own agent; nil: there is none. Both serve the same tree.
	Responder *Responder
	// SessionMIBDisconnect is S1 "aaa session-mib disconnect": without it every SET is notWritable.
	SessionMIBDisconnect bool
}

// Responder is the embedded SNMP responder (R16), and what sends notifications (R17).
type Responder struct {
	// Config lacks the sysDescr, if the file has none, and whatever else of the system group is the
	// program's own.
	Config snmp.Config
	// EngineID is snmpEngineID (RFC 3411 section 5), 5..32 octets; nil: that of the state folder, where
	// a random one is kept from the first start on.
	EngineID []byte
	// Users have no two of one name. The security level of a user is at least that of its group.
	Users []usm.User
	// Policy says what communities and users may do. Its views are those of the file, and ViewAll,
	// ViewCommon and ViewSessions.
	Policy *vacm.Policy
	// Targets have no two of one name. The users of v3 are among Users; their notify views have all of
	// snmpTraps.
	Targets []notify.Target
}

// Format tells how much there is: the communities of Targets are secrets that would print themselves.
func (r *Responder) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "responder at %v with %v, %d users, %d targets", r.Config.Listen, r.Policy, len(r.Users), len(r.Targets))
}

// Methods is what is configured of accounting methods. servers has the servers of all groups, names
// gives the dictionary of the day.
func (c *Config) Methods(servers *client.Client, names func() *radius.Dictionary) methods.Config {
	out := methods.Config{Lists: map[string][]accounting.MethodName{}, OnOffGroups: c.OnOffGroups}
	for _, group := range c.Groups {
		group.Client = servers
		out.Specs = append(out.Specs, &group)
	}
	if c.Local != nil {
		out.Specs = append(out.Specs, local.Spec{File: c.Local.File, Names: names})
	}
	for kind := range c.Policy.Lists {
		if route := c.Policy.Route(kind); route != nil {
			out.Lists[route.List] = route.Methods
		}
	}
	return out
}

// Diff is the keys that differ from those of old and that a reload can't change, as their tags in the
// file's structs say: sockets and files that are open, and what packages are told only once. Only a
// restart of the daemon makes them count. All other keys can be changed while it runs.
func (c *Config) Diff(old *Config) (needRestart []string) {
	return strictyaml.Changed(old.fixed, c.fixed)
}
