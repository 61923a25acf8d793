package config

import (
	"aaasess/accounting"
	"aaasess/accounting/local"
	"aaasess/accounting/methods"
	"aaasess/accounting/onoff"
	"aaasess/accounting/policy"
	acctradius "aaasess/accounting/radius"
	accttacacs "aaasess/accounting/tacacs"
	"aaasess/agent/agentx"
	"aaasess/agent/snmp"
	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/cmd/aaasessd/internal/conditions"
	"aaasess/cmd/aaasessd/internal/web"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/servers"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/sessions"
	"aaasess/sessions/admission"
	naslocal "aaasess/sessions/local"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/silence"
	"aaasess/sessions/termination"
	"aaasess/store"
)

// Config is a valid configuration, in the types of the packages that it configures. Fields of these
// types that no key sets are zero: the daemon adds loggers, callbacks and the like. Relative file
// names are joined with the folder of the configuration file.
type Config struct {
	State   string // folder of the store
	Log     Log
	Control Control
	SNMP    SNMP

	// Listener receives accounting from the NASes, and Disconnector ends sessions at them. Both
	// have the same Clients. Their prefixes and names are unique.
	Listener     nasradius.Config
	Disconnector dae.Config
	// NASIdentifier is our own NAS-Identifier, in Accounting-On and -Off and in test requests.
	NASIdentifier string
	// Dictionary has the names of attributes and values.
	Dictionary *radius.Dictionary

	// Authentication is the relay of Access-Requests; nil: none.
	Authentication *Authentication
	// Admissions keeps what authentication says of users until their accounting starts, and says what
	// the servers get as Acct-Session-Id (R55).
	Admissions admission.Config

	// DynAuth is the listener for requests of servers to end and change sessions; nil: none.
	DynAuth *DynAuth

	// LocalSocket is the socket for programs on this host; nil: none.
	LocalSocket *naslocal.Config
	// HTTP is the HTTP listener; nil: none.
	HTTP *web.Config
	// StatusPage is what the HTTP listener has at /.
	StatusPage StatusPage
	// Endings are the ways to end sessions without RFC 5176.
	Endings Endings

	// Groups are the groups of RADIUS servers of the file, in order. If a method list names the
	// group AllRADIUS, it is the last. TACACSGroups are those of TACACS+ servers, in the same way.
	// Names are unique over both.
	Groups       []acctradius.Spec
	TACACSGroups []accttacacs.Spec
	// Servers are all servers, whether a group has them or not. Those of a protocol are in order of
	// priority (casPriority): as the group of all servers has them, then private ones, then those that
	// managers have created.
	Servers []servers.Identity
	// NewServer is what a server has that a manager creates.
	NewServer NewServer
	// OnOffGroups are the acct-on-off-groups. Names are unique.
	OnOffGroups onoff.Groups
	// System is the system list, if it has several methods without broadcast; else nil.
	System []accounting.MethodName
	// SuppressSystem: a restart sends no Accounting-Off and -On to methods of live sessions.
	SuppressSystem bool
	// Policy is a valid accounting policy. Each of its methods is in Groups or TACACSGroups, or is
	// Local.
	Policy policy.Policy
	// Nested says whether network sessions are nested in exec sessions, see sessions.Table.SetNested.
	Nested bool
	// VisibleKeys says whether secrets in commands are recorded, see sessions.Table.SetVisibleKeys.
	VisibleKeys bool
	// Local is the method local, a file of JSON lines; nil if no method list names it.
	Local *local.Spec

	Sessions   sessions.Config
	Stale      Stale
	Terminator termination.Config
	Store      store.Config
	// Thresholds say when states of the daemon are bad.
	Thresholds conditions.Limits

	fixed     []strictyaml.Fixed // values that a reload cannot change
	warnings  []*strictyaml.Error
	name      string // of the file
	effective []strictyaml.Line
}

// Stale says when sessions are stale.
type Stale struct {
	Limits  silence.Limits
	Clients map[string]silence.Limits // by name of the client, where they differ
}

// Of returns the limits of a client.
func (s *Stale) Of(client string) silence.Limits {
	if limits, ok := s.Clients[client]; ok {
		return limits
	}
	return s.Limits
}

// Name returns the name of the file.
func (c *Config) Name() string { return c.name }

// Effective returns the settings of the file, and the defaults of the others, without secrets.
func (c *Config) Effective() []strictyaml.Line { return c.effective }

// Warnings returns what is valid in the file, but dangerous or probably unintended.
func (c *Config) Warnings() []*strictyaml.Error { return c.warnings }

// The names of the groups that have all servers of a protocol that are not private, in their order
// (S1 "group radius", "group tacacs+").
const (
	AllRADIUS = "radius"
	AllTACACS = "tacacs+"
)

// SNMP configures the access of SNMP managers (R4, R15, R16), and notifications (R17).
type SNMP struct {
	// AgentX is the connection to the master agent; nil: none.
	AgentX *agentx.Config
	// Responder is the embedded responder; nil: none. It serves the same tree as the subagent.
	Responder *Responder
	// EnterpriseNumber is where AAASESS-MIB is: 1 to aaasess.MaxEnterprise.
	EnterpriseNumber uint32
	// SessionMIBDisconnect is S1 "aaa session-mib disconnect": without it every SET is notWritable.
	SessionMIBDisconnect bool
	// AAAServerConfig allows SETs of casConfigTable (CISCO-AAA-SERVER-MIB): without it they are
	// notWritable.
	AAAServerConfig bool
}

// Responder configures the embedded SNMP responder (R16) and the sender of notifications (R17).
type Responder struct {
	// Config has no sysServices and sysORTable, and no sysDescr unless the file has one: the daemon
	// sets them.
	Config snmp.Config
	// EngineID is snmpEngineID (RFC 3411 section 5), 5 to 32 octets. nil means that of the state
	// folder: a random one that is made at the first start.
	EngineID []byte
	// Users have unique names. The security level of a user is at least that of its group.
	Users []usm.User
	// Policy is the access control for communities and users. Its views are those of the file, and
	// ViewAll, ViewCommon and ViewSessions.
	Policy *vacm.Policy
	// Targets have unique names. The users of v3 targets are in Users, and their notify views
	// include all of snmpTraps.
	Targets []notify.Target
}

// Methods returns the configuration of the accounting methods. toRADIUS and toTACACS have the servers
// of all groups. names returns the current dictionary.
func (c *Config) Methods(toRADIUS *client.Client, toTACACS *tacclient.Client, names func() *radius.Dictionary) methods.Config {
	out := methods.Config{Lists: c.Policy.MethodsByList(), OnOffGroups: c.OnOffGroups, System: c.System, SuppressSystem: c.SuppressSystem}
	for _, group := range c.Groups {
		group.Client = toRADIUS
		out.Specs = append(out.Specs, &group)
	}
	for _, group := range c.TACACSGroups {
		group.Client, group.Arguments.Names = toTACACS, c.Dictionary
		out.Specs = append(out.Specs, &group)
	}
	if c.Local != nil {
		out.Specs = append(out.Specs, local.Spec{File: c.Local.File, Names: names, AcctOnOff: c.Local.AcctOnOff})
	}
	return out
}

// Diff returns the keys that differ from those of old and that need a restart: keys of sockets and
// files that stay open, and of settings that a package reads only once. Their tags in the raw
// structs say so. A reload can change all other keys.
func (c *Config) Diff(old *Config) (needRestart []string) {
	return strictyaml.Changed(old.fixed, c.fixed)
}
