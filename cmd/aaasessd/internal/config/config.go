package config

import (
	"log/slog"
	"net/netip"
	"time"

	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/radius"
)

// Config is a checked configuration. File names that were relative are joined with the folder of
// the configuration file.
type Config struct {
	// State is the folder of the store.
	State      string
	Log        Log
	Control    Control
	SNMP       SNMP
	RADIUS     RADIUS
	Accounting Accounting
	Sessions   Sessions
	Store      Store

	fixed []strictyaml.Fixed // what a reload can't change
}

// Log is what is logged.
type Log struct {
	Level  slog.Level
	Format string // "text" or "json"
}

// Control is the control socket.
type Control struct {
	Socket string // at most 107 octets, as the kernel wants it
	Group  string // name of the group that owns it; "" is the group of the process
}

// SNMP is how SNMP managers reach us (R4, R15, R16), and how we reach them (R17).
type SNMP struct {
	// AgentX is the master agent; nil: there is none.
	AgentX *AgentX
	// Responder is our own agent; nil: there is none. Both serve the same tree.
	Responder *Responder
	// Notifications have no two of one name; there are some only with a Responder.
	Notifications []Notification
	// SessionMIBDisconnect is S1 "aaa session-mib disconnect": without it every SET is notWritable.
	SessionMIBDisconnect bool
}

// AgentX is where the master agent listens.
type AgentX struct {
	Network string // "unix" or "tcp"
	Address string // a path, or host:port
}

// RADIUS is the NASes and the servers.
type RADIUS struct {
	// NASIdentifier is what we call ourselves in Accounting-On and -Off (RFC 2865 section 5.32);
	// 1..253 octets.
	NASIdentifier string
	// Dictionary has the names of attributes and values.
	Dictionary *radius.Dictionary
	Accounting RADIUSAccounting
	Clients    []Client // no two of one prefix or name
	Servers    []Server // no two of one address and port, or of one name (R43)
	// Groups are those of the file, in order, and at the end, if a method list names it, the
	// group AllServers of all servers.
	Groups []Group
	// AcctOnOffGroups have no two of one name.
	AcctOnOffGroups []AcctOnOffGroup
}

// AllServers is the name of the group that has all RADIUS servers in their order (S1 "group radius").
const AllServers = "radius"

// RADIUSAccounting is the accounting listener (RFC 2866).
type RADIUSAccounting struct {
	Listen []netip.AddrPort // at least one; IPv4 in its own form; port 0 is any free one
}

// Client is a NAS, or a network of them.
type Client struct {
	Name       string
	Prefix     netip.Prefix // masked; IPv4 in its own form
	Secret     strictyaml.Secret
	Disconnect ClientDisconnect
}

// ClientDisconnect is how a NAS takes Disconnect-Requests (RFC 5176).
type ClientDisconnect struct {
	// Address is where they go; the zero Addr: where the NAS's accounting comes from. IPv4 in its own form.
	Address netip.Addr
	Port    uint16 // 1..65535
	// Secret is that of the requests and their answers; "": that of the client.
	Secret strictyaml.Secret
	// SourceAddress is what they leave from, of the family of where they go; the zero Addr: the address that the
	// NAS sends its accounting to. IPv4 in its own form.
	SourceAddress netip.Addr
	// Attributes are what the first request for a session has, by their names in RADIUS.Dictionary, or as
	// "NAME = VALUE"; empty: the default ones.
	Attributes []string
}

// Server is a RADIUS server. Those of a Group have the group's Timeout, Retransmit and Backoff where it
// gives them, all others their own or the global ones (R62).
type Server struct {
	Name string
	// Host is an IP address (IPv4 in its own form; IPv6 may have a zone) or a host name.
	Host   string
	Port   uint16 // 1..65535
	Secret strictyaml.Secret
	// Timeout is how long a transmission waits for its answer; positive.
	Timeout time.Duration
	// Retransmit is how often a record goes to the server again, Timeout apart; 0 is not at all.
	Retransmit int
	Backoff    Backoff
}

// Backoff is the exponential back-off that follows the normal retransmissions (R62); the zero
// Backoff is none.
type Backoff struct {
	// MaxDelay is the longest interval; positive if Retry is.
	MaxDelay time.Duration
	// Retry is how often a record is sent again in the back-off; 0 is not at all.
	Retry int
}

// Group is a server group (R43, R61).
type Group struct {
	Name            string
	Description     string
	Servers         []Server // in the order in which they are tried; 1..64
	AccessAlgorithm string   // "direct" or "round-robin"
	// SourceAddress is what requests leave from, IPv4 in its own form; the zero Addr lets the system
	// choose. Servers whose Host is an address are of its family; addresses that names have may not be.
	SourceAddress netip.Addr
	// HoldDown is for how long a server that is dead is skipped; 0 is not at all.
	HoldDown     time.Duration
	DeadCriteria DeadCriteria
	// Window is how many records may wait for answers; 1..65536.
	Window int
	// DrainRate is how many records a second are sent while a backlog drains; 0 is as many as the
	// servers answer.
	DrainRate int
	// AcctOnOff is how the group sends Accounting-On and -Off; nil: not at all.
	AcctOnOff *AcctOnOff
}

// DeadCriteria is when a server is dead: both are met. The zero DeadCriteria is the default rule: a
// record had all its normal transmissions, and nothing was heard since the first of them.
type DeadCriteria struct {
	// Time is how long nothing right was heard; positive if Tries is.
	Time time.Duration
	// Tries is how many transmissions in a row were not answered; 0 is the default rule.
	Tries int
}

// AcctOnOff is the Accounting-On and -Off of a group (R63, S3).
type AcctOnOff struct {
	// OperStateChange blocks the group until an Accounting-On is answered.
	OperStateChange bool
	// Group names the AcctOnOffGroup that the group controls; "": none. If there is one,
	// OperStateChange is true, and no other group controls it.
	Group string
	// MonitorGroup names the AcctOnOffGroup whose controlling group, which exists, also says whether
	// this one is blocked: it sends no Accounting-On or -Off of its own. "": none. If there is one,
	// OperStateChange is false and Group is "".
	MonitorGroup string
}

// AcctOnOffGroup ties the states of server groups together: one controls it, others monitor it (S3).
type AcctOnOffGroup struct {
	Name        string
	Description string
}

// Accounting is the method lists.
type Accounting struct {
	// Lists are by accounting type (network, exec, connection), then name. A type that has none is
	// not accounted (R40).
	Lists []List
	Local Local
}

// List is a method list (R41).
type List struct {
	Type    string   // "network", "exec" or "connection"
	Name    string   // "default"
	Record  string   // "start-stop", "stop-only" or "none"
	Methods []string // "group NAME" of a group in RADIUS.Groups, or "local"; empty only if Record is "none"
}

// Local is the method "local".
type Local struct {
	File string // of JSON lines
}

// Sessions is the session table.
type Sessions struct {
	// Remember is how long a session that is over is remembered; positive.
	Remember   time.Duration
	Disconnect Disconnect
}

// Disconnect is how sessions are ended (R30, R31). All durations are positive.
type Disconnect struct {
	// StopWait is how long after an ACK the NAS's stop may take.
	StopWait time.Duration
	// RetryMin and RetryMax bound the wait between attempts, which doubles; RetryMin is not above RetryMax.
	RetryMin, RetryMax time.Duration
	// Timeout is how long a transmission waits for its answer.
	Timeout time.Duration
	// Retransmit is how often an attempt sends its request again; 0 is not at all.
	Retransmit int
}

// Store is what is durable.
type Store struct {
	// MinFree is the free disk space, in bytes, below which new events are refused; positive.
	MinFree int64
	// MaxSize is the size of the store, in bytes, above which new events are refused; 0 is no limit.
	MaxSize int64
}
