package policy

import (
	"net/netip"
	"time"

	"aaasess/accounting"
)

// Default is the name of the list that a type has if nothing else says which (S1).
const Default = "default"

// MaxBroadcast is the most methods of a broadcast list: S1 "Accounting information can be sent
// simultaneously to a maximum of four AAA servers".
const MaxBroadcast = 4

// Policy is the accounting of sessions that begin, and of other events.
type Policy struct {
	// Lists have unique names for each type.
	Lists []List
	// Rules say where named lists apply. The first rule for the type that matches decides.
	Rules []Rule
	// DNIS is the DNIS map (R45). Numbers are unique.
	DNIS []Number
	// SuppressNullUsername makes no records of sessions as long as they have no User-Name (R48), and
	// none of commands, and of sessions that ended before their start, without one. It does not
	// concern calls: they have no user before authentication.
	SuppressNullUsername bool
	// AuthenticationFailures makes a stop of each login or negotiation that failed, by the list that
	// the session would have had (R49).
	AuthenticationFailures bool
	// AuthenticationSuccesses does so for each session whose user a remote server accepted and that
	// ended before its start (R45a).
	AuthenticationSuccesses bool
	// Acknowledging are the groups that must accept a record of a broadcast before it counts as
	// accepted (R45a, "accounting acknowledge broadcast" of a server group).
	Acknowledging []accounting.MethodName
	// TACACS are the groups of TACACS+ servers. Of all groups, only these get records of commands
	// (R53).
	TACACS []accounting.MethodName
	// Clients are the NASes that Rules name. Prefixes are unique, and the longest one counts.
	Clients []Client
	// Update is about interims.
	Update Update
}

// List is a method list (R41).
type List struct {
	Type Type
	Name string // Default, or that of a named list; 1 to 100 octets
	Methods
}

// Methods say which records are made, and where they go.
type Methods struct {
	Record accounting.RecordType
	// Broadcast sends each record to all Methods, instead of to one after the other (R44). Each of
	// them is retried, and its servers fail over, as if there were no others.
	Broadcast bool
	// InterimsToFirst sends the interims of a broadcast only to the first method: S1 "broadcasts
	// only start-stop accounting records". It is allowed for a start-stop broadcast.
	InterimsToFirst bool
	// Methods are unique, 1 to 255; for a broadcast at most MaxBroadcast; none with record type
	// none.
	Methods []accounting.MethodName
	// Periodic is how often aaasess makes interims for the list's sessions whose NASes send none; 0
	// means as Update says. It may also be NoInterims.
	Periodic time.Duration
	// DelayStart is how long a start that has no address of the user waits for one (R45a); 0 means
	// not at all. It is for start-stop lists of network sessions.
	DelayStart time.Duration
}

// Rule says which sessions have a named list (S1 applies such lists to lines and interfaces). All
// its conditions must be met. Empty ones are always met, but at least one must be set.
type Rule struct {
	Type Type
	List string // name of a list of this type
	// Clients are names of clients.
	Clients []string
	// Ports are ranges of NAS-Port: the lines of S1.
	Ports []PortRange
	// PortIDs are patterns for NAS-Port-Id: the interfaces of S1. An asterisk stands for any
	// octets, a question mark for one octet.
	PortIDs []string
	// Protocols are values of Framed-Protocol.
	Protocols []uint32
}

// PortRange is a range of NAS-Port, both ends included.
type PortRange struct{ First, Last uint32 }

// Number is an entry of the DNIS map. It decides for the network sessions that have this
// Called-Station-Id, whatever list they would have.
type Number struct {
	Number string // 1 to 95 octets, compared exactly
	Methods
}

// Client is a NAS, or several NASes, by source address.
type Client struct {
	Name   string
	Prefix netip.Prefix
}

// MethodsByList returns the methods of all lists and of the DNIS map, by the names that routes and
// records have. Lists that record nothing are left out.
func (p *Policy) MethodsByList() map[string][]accounting.MethodName {
	all := map[string][]accounting.MethodName{}
	add := func(name string, m *Methods) {
		if m.Record != accounting.None {
			all[name] = m.Methods
		}
	}
	for i := range p.Lists {
		add(listName(p.Lists[i].Type, p.Lists[i].Name), &p.Lists[i].Methods)
	}
	for i := range p.DNIS {
		add(listName(Network, dnisPrefix+p.DNIS[i].Number), &p.DNIS[i].Methods)
	}
	return all
}

// listName returns the name of a list for routes, records and messages: "network/default",
// "commands/15/default".
func listName(t Type, name string) string { return t.String() + "/" + name }

// dnisPrefix precedes the number in the name of the list of a DNIS entry. No name of a list in the
// configuration has a colon.
const dnisPrefix = "dnis:"
