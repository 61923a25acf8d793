package config

import (
	"net/netip"
	"time"
)

// The raw structs are the configuration file. Their tags:
//
//	yaml      the key
//	doc       the description, for the schema
//	default   the value if the key is missing; several, for a list, are separated by spaces
//	required  the key must be there
//	enum      the values allowed, separated by spaces
//	min, max  the range of a number or duration, or how many entries a list has
//	keys      the keys allowed in a map, separated by spaces
//	restart   a reload can't change it: Diff names it

type rawConfig struct {
	State      filePath      `yaml:"state" default:"var/state" restart:"yes" doc:"Folder of the store: sessions, counters, and accounting records that are not delivered yet. Relative to the folder of this file, as all file names here."`
	Log        rawLog        `yaml:"log" doc:"What is logged, to standard error."`
	Control    rawControl    `yaml:"control" doc:"The socket that the command aaasess talks to."`
	SNMP       rawSNMP       `yaml:"snmp" doc:"How SNMP managers reach the session table, CISCO-AAA-SESSION-MIB."`
	RADIUS     rawRADIUS     `yaml:"radius" doc:"The NASes that report sessions, and the servers that accounting records go to."`
	Accounting rawAccounting `yaml:"accounting" doc:"Method lists by accounting type. A type that has no list is not accounted."`
	Sessions   rawSessions   `yaml:"sessions" doc:"The session table."`
	Store      rawStore      `yaml:"store" doc:"The store on disk."`
}

type rawLog struct {
	Level  string `yaml:"level" default:"info" enum:"debug info warn error" doc:"The least severe that is logged."`
	Format string `yaml:"format" default:"text" enum:"text json" restart:"yes" doc:"text: key=value lines; json: one object a line."`
}

type rawControl struct {
	Socket filePath `yaml:"socket" default:"var/aaasess.sock" restart:"yes" doc:"Path of the unix socket, mode 0660."`
	Group  string   `yaml:"group" default:"" restart:"yes" doc:"Name of the group that owns the socket; empty is the group of the process."`
}

type rawSNMP struct {
	AgentX               *rawAgentX `yaml:"agentx" restart:"yes" doc:"The AgentX master agent (RFC 2741), snmpd. Without it nothing is served over SNMP."`
	SessionMIBDisconnect bool       `yaml:"session-mib-disconnect" default:"false" doc:"Whether a SET of casnDisconnect ends sessions. If false it is notWritable."`
}

type rawAgentX struct {
	Network string `yaml:"network" default:"unix" enum:"unix tcp" doc:"How the master listens."`
	Address string `yaml:"address" default:"" doc:"The path of the master's socket, or its host:port: agentXSocket of snmpd.conf. If missing, /var/agentx/master for unix, 127.0.0.1:705 for tcp."`
}

type rawRADIUS struct {
	Accounting rawListener `yaml:"accounting" doc:"The accounting listener (RFC 2866)."`
	Clients    []rawClient `yaml:"clients" doc:"The NASes. Packets from other addresses are dropped."`
	Servers    []rawServer `yaml:"servers" doc:"The RADIUS servers. The same host with another port is another server."`
	Groups     []rawGroup  `yaml:"groups" doc:"Server groups, for use in method lists. A group called radius is there without being listed: all servers."`
}

type rawListener struct {
	Listen []netip.AddrPort `yaml:"listen" default:"0.0.0.0:1813 [::]:1813" min:"1" max:"64" restart:"yes" doc:"Addresses and ports. An IPv6 address, also [::], takes no IPv4; port 0 takes a free one."`
}

type rawClient struct {
	Name       nameText            `yaml:"name" required:"yes" doc:"For logs and statistics."`
	Address    netip.Prefix        `yaml:"address" required:"yes" doc:"Source address, or a prefix for many NASes. Of the clients that match, the longest prefix counts."`
	Secret     Secret              `yaml:"secret" required:"yes" doc:"The secret shared with the NAS, both for its accounting and for Disconnect-Requests."`
	Disconnect rawClientDisconnect `yaml:"disconnect" doc:"How the NAS takes Disconnect-Requests (RFC 5176). They go to the address that its accounting comes from."`
}

type rawClientDisconnect struct {
	Port       int             `yaml:"port" default:"3799" min:"1" max:"65535" doc:"UDP port."`
	Attributes []attributeName `yaml:"attributes" max:"64" doc:"What identifies a session to the NAS, by the attributes' RFC names and in this order; those that the NAS did not report are left out. If empty: User-Name, NAS-IP-Address, NAS-Identifier, Calling-Station-Id, Acct-Session-Id, Event-Timestamp, Message-Authenticator; a NAS that refuses one of them is asked again with Acct-Session-Id and User-Name alone."`
}

type rawServer struct {
	Name    nameText `yaml:"name" required:"yes" doc:"For groups, logs and statistics."`
	Address hostText `yaml:"address" required:"yes" doc:"IP address or host name."`
	Port    int      `yaml:"port" default:"1813" min:"1" max:"65535" doc:"UDP port for accounting."`
	Secret  Secret   `yaml:"secret" required:"yes" doc:"The secret shared with the server."`
}

type rawGroup struct {
	Name       nameText      `yaml:"name" required:"yes" doc:"For method lists: group NAME."`
	Servers    []nameText    `yaml:"servers" required:"yes" min:"1" max:"64" doc:"Names of servers, in the order in which they are tried."`
	Timeout    time.Duration `yaml:"timeout" default:"5s" min:"10ms" max:"1000s" doc:"How long a transmission waits for its answer."`
	Retransmit int           `yaml:"retransmit" default:"3" min:"0" max:"100" doc:"How often a record is sent to the same server again before the next server is tried."`
	HoldDown   time.Duration `yaml:"hold-down" default:"30s" min:"0s" max:"24h" doc:"For how long a server that failed is skipped; 0s: not at all."`
	Window     int           `yaml:"window" default:"1024" min:"1" max:"65536" doc:"How many records may wait for answers at once."`
}

type rawAccounting struct {
	Network    map[string]rawList `yaml:"network" keys:"default" doc:"Network sessions: PPP, SLIP, IEEE 802.1X, VPN."`
	Exec       map[string]rawList `yaml:"exec" keys:"default" doc:"Logins to the NAS itself."`
	Connection map[string]rawList `yaml:"connection" keys:"default" doc:"Outbound connections of a NAS: telnet, rlogin, LAT."`
	Local      rawLocal           `yaml:"local" doc:"The method local."`
}

type rawList struct {
	Record  string       `yaml:"record" required:"yes" enum:"start-stop stop-only none" doc:"Which records are made."`
	Methods []methodText `yaml:"methods" max:"255" doc:"Tried in order, the next one only if the one before gave no response: group NAME, group radius (all servers), or local (a file of JSON lines)."`
}

type rawLocal struct {
	File filePath `yaml:"file" default:"var/accounting.jsonl" doc:"The file that records are appended to, one JSON object a line."`
}

type rawSessions struct {
	Remember   time.Duration `yaml:"remember" default:"1h" min:"1s" max:"720h" restart:"yes" doc:"How long a session that is over is remembered, to tell late copies of its packets from a new session."`
	Disconnect rawDisconnect `yaml:"disconnect" doc:"How sessions are ended at their NAS."`
}

type rawDisconnect struct {
	StopWait   time.Duration `yaml:"stop-wait" default:"10s" min:"10ms" max:"24h" restart:"yes" doc:"How long after an ACK the stop of the NAS may take before the stop record is made here."`
	RetryMin   time.Duration `yaml:"retry-min" default:"2s" min:"10ms" max:"24h" restart:"yes" doc:"The wait before the second attempt; it doubles with each that follows."`
	RetryMax   time.Duration `yaml:"retry-max" default:"5m" min:"10ms" max:"24h" restart:"yes" doc:"The longest wait between attempts."`
	Timeout    time.Duration `yaml:"timeout" default:"3s" min:"10ms" max:"1000s" restart:"yes" doc:"How long a transmission waits for its answer."`
	Retransmit int           `yaml:"retransmit" default:"2" min:"0" max:"100" restart:"yes" doc:"How often an attempt sends its request again."`
}

type rawStore struct {
	MinFree byteSize `yaml:"min-free" default:"256MiB" min:"1MiB" max:"1024TiB" restart:"yes" doc:"Below this much free disk space new events are refused; NASes then retransmit them."`
}

// rawSecretSource is a secret that stands elsewhere: one of the two.
type rawSecretSource struct {
	File       filePath `yaml:"file" doc:"A file that has the secret; a newline at its end is cut off."`
	Credential string   `yaml:"credential" doc:"The name of a credential that systemd passes (LoadCredential=)."`
}
