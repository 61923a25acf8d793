package config

import (
	"net/netip"
	"time"

	"aaasess/cmd/internal/strictyaml"
	"aaasess/mib"
)

// Responder is the embedded SNMP responder (R16). It does not answer SNMPv1.
type Responder struct {
	Listen []netip.AddrPort // at least one; IPv4 in its own form; port 0 is any free one
	// EngineID is snmpEngineID (RFC 3411 section 5), 5..32 octets; nil: that of the state folder, where
	// a random one is kept from the first start on.
	EngineID []byte
	// MaxMessageSize is snmpEngineMaxMessageSize, in octets, and how large a response gets; 484..65507. What
	// has more than about 1,400 goes out as IP fragments, which some firewalls drop.
	MaxMessageSize int
	// AllowInsecureSet takes a SET below authPriv too: of communities and of users without privacy.
	AllowInsecureSet bool
	// AuthenticationFailure is snmpEnableAuthenTraps (RFC 3418): notifications tell of requests with a wrong
	// community or a wrong digest, and of nothing else.
	AuthenticationFailure bool
	System                ResponderSystem
	Limits                ResponderLimits
	// Views begin with ViewAll, ViewCommon and ViewSessions; no two have one name.
	Views       []View
	Groups      []AccessGroup // no two of one name
	Communities []Community   // no two of one text and prefix; those of one security name are in one group
	Users       []User        // no two of one name
}

// ResponderSystem is what the system group says (RFC 3418 section 2); each text of the file is a DisplayString,
// at most 255 octets of 0x20..0x7e.
type ResponderSystem struct {
	Description string // sysDescr; "" is what the program calls itself
	ObjectID    mib.OID
	Contact     string
	Name        string // sysName; the name of the host, if the file has none
	Location    string
}

// ResponderLimits is what there is per second and source; as much again may come at once. 0 is no limit.
type ResponderLimits struct {
	Requests       int
	ResponseOctets int64 // of answers to communities, whose source may be forged
	Failures       int   // answers to what is not authenticated
}

// The names of the views that are there without being listed.
const (
	ViewAll      = "all"      // all of internet, 1.3.6.1
	ViewCommon   = "common"   // ViewAll without the tables of users, and of views and groups
	ViewSessions = "sessions" // CISCO-AAA-SESSION-MIB, and the system group that an NMS looks at first
)

// View is a part of the tree (RFC 3415 section 4): of the subtrees that an OID is in, the longest decides.
type View struct {
	Name    string    // 1..32 octets
	Include []mib.OID // at least one; none is in Exclude too
	Exclude []mib.OID
}

// AccessGroup is what communities and users may do (RFC 3415 section 4). Read, Write and Notify are
// names of Views; "" is nothing.
type AccessGroup struct {
	Name                string // 1..32 octets
	Read, Write, Notify string
	// Level is the least of its users: "noAuthNoPriv", "authNoPriv" or "authPriv". Communities, which are
	// noAuthNoPriv, are in the group all the same.
	Level string
}

// Community is a community of SNMPv2c. Of those of one text that match a source, the longest prefix counts.
type Community struct {
	Community    strictyaml.Secret // 1..255 octets
	SecurityName string            // 1..32 octets; the name of the group, if the file has none
	From         []netip.Prefix    // at least one; masked; IPv4 in its own form
	Group        string            // of Responder.Groups
}

// User is a user of SNMPv3 (RFC 3414). Its security level is at least that of its group.
type User struct {
	Name  string // 1..32 octets
	Group string // of Responder.Groups
	// Auth is by the protocols "MD5" (RFC 3414), "SHA", "SHA-224", "SHA-256", "SHA-384" and "SHA-512" (RFC 7860).
	Auth USMSecret
	// Priv is by "DES" (RFC 3414), "AES-128" (RFC 3826), "AES-192" and "AES-256" with keys as
	// draft-blumenthal-aes-usm-04 extends them, or "AES-192-C" and "AES-256-C" with those that Cisco has.
	// It is there only if Auth is.
	Priv USMSecret
}

// USMSecret is a protocol of USM and its secret: a password or a key. The zero USMSecret is none.
type USMSecret struct {
	Protocol string
	Password strictyaml.Secret // at least 8 octets
	// Key is octets that are localized for Responder.EngineID, which is not nil then. That of Auth is as
	// long as the digest of its protocol; that of Priv as that digest, or as Priv itself wants it.
	Key strictyaml.Secret
}

// Notification is a target of notifications (R17). There are some only with a Responder: its engine
// sends them.
type Notification struct {
	Name    string
	Address string // host:port; the host may be a name
	Version string // "v2c" or "v3"
	Inform  bool   // else it is a trap
	// Community is that of v2c, 1..255 octets; "" for v3.
	Community strictyaml.Secret
	// User is one of Responder.Users for v3, in a group whose Notify view has all of snmpTraps; "" for v2c.
	// It has passwords, not keys, if Inform is true.
	User string
	// EngineID is that of the receiver, for informs of v3; nil: it is asked for.
	EngineID []byte
	// SourceAddress is where notifications leave from, of the family of an IP address in Address; the zero
	// Addr: the system chooses.
	SourceAddress netip.Addr
	// Timeout is how long an inform waits for its answer; positive.
	Timeout time.Duration
	// Retries is how often an inform is sent again; 0 is not at all.
	Retries int
}
