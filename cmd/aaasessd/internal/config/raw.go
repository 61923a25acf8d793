package config

import (
	"log/slog"
	"net/netip"
	"time"

	"aaasess/accounting"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/radius/client"
)

// The raw structs are the configuration file. Package strictyaml tells what their tags mean.

type rawConfig struct {
	State      strictyaml.Path `yaml:"state" default:"var/state" restart:"yes" doc:"Folder of the store: sessions, counters, and accounting records that are not delivered yet. Relative to the folder of this file, as all file names here."`
	Log        Log             `yaml:"log" doc:"What is logged, to standard error."`
	Control    Control         `yaml:"control" doc:"The socket that the command aaasess talks to."`
	SNMP       rawSNMP         `yaml:"snmp" doc:"How SNMP managers reach the session table, CISCO-AAA-SESSION-MIB."`
	RADIUS     rawRADIUS       `yaml:"radius" doc:"The NASes that report sessions, and the servers that accounting records go to."`
	Accounting rawAccounting   `yaml:"accounting" doc:"Method lists by accounting type. A type that has no list is not accounted."`
	Sessions   rawSessions     `yaml:"sessions" doc:"The session table."`
	Store      rawStore        `yaml:"store" doc:"The store on disk."`
}

// Log is what is logged.
type Log struct {
	Level  slog.Level `yaml:"level" default:"info" enum:"debug info warn error" doc:"The least severe that is logged."`
	Format string     `yaml:"format" default:"text" enum:"text json" restart:"yes" doc:"text: key=value lines; json: one object a line."`
}

// Control is the control socket.
type Control struct {
	Socket strictyaml.Path `yaml:"socket" default:"var/aaasess.sock" restart:"yes" doc:"Path of the unix socket, mode 0660."`
	Group  string          `yaml:"group" default:"" restart:"yes" doc:"Name of the group that owns the socket; empty is the group of the process."`
}

type rawSNMP struct {
	AgentX               *rawAgentX        `yaml:"agentx" restart:"yes" doc:"The AgentX master agent (RFC 2741), snmpd. Without it and without responder nothing is served over SNMP."`
	Responder            *rawResponder     `yaml:"responder" restart:"presence" doc:"The embedded responder: SNMPv2c and v3 without snmpd; SNMPv1 is not answered. It answers those that communities and users list, nobody else. Without it there is none."`
	Notifications        []rawNotification `yaml:"notifications" max:"256" doc:"Where notifications go, coldStart and authenticationFailure. The responder sends them."`
	SessionMIBDisconnect bool              `yaml:"session-mib-disconnect" default:"false" doc:"Whether a SET of casnDisconnect ends sessions. If false it is notWritable."`
}

type rawAgentX struct {
	Network string `yaml:"network" default:"unix" enum:"unix tcp" doc:"How the master listens."`
	Address string `yaml:"address" default:"" doc:"The path of the master's socket, or its host:port: agentXSocket of snmpd.conf. If missing, /var/agentx/master for unix, 127.0.0.1:705 for tcp."`
}

type rawRADIUS struct {
	NASIdentifier   string              `yaml:"nas-identifier" default:"" min:"1" max:"253" doc:"NAS-Identifier of our own Accounting-On and -Off. If missing, the name of the host."`
	Dictionaries    []strictyaml.Path   `yaml:"dictionaries" max:"64" doc:"Files in FreeRADIUS's format with the names of further attributes and values, vendors' above all. They count more than what is built in, and a later file more than an earlier one. Lines that aaasess cannot use are left out, with a warning for each file."`
	Accounting      rawListener         `yaml:"accounting" doc:"The accounting listener (RFC 2866)."`
	Clients         []rawClient         `yaml:"clients" doc:"The NASes. Packets from other addresses are dropped."`
	Timeout         time.Duration       `yaml:"timeout" default:"5s" min:"10ms" max:"1000s" doc:"How long a transmission to a server waits for its answer. The key of a server wins over this one, and that of a group over both."`
	Retransmit      int                 `yaml:"retransmit" default:"3" min:"0" max:"100" doc:"How often a record is sent to the same server again before the next server is tried. The key of a server wins over this one, and that of a group over both."`
	Backoff         *rawBackoff         `yaml:"backoff" doc:"Exponential back-off, after the normal retransmissions and before the next server is tried. The key of a server wins over this one, and that of a group over both, each as a whole. If missing, there is none."`
	HoldDown        time.Duration       `yaml:"hold-down" default:"30s" min:"0s" max:"24h" doc:"For how long a server that is dead is skipped, before a record is sent to it as a probe; 0s: not at all. The key of a group wins over this one."`
	DeadCriteria    *rawDeadCriteria    `yaml:"dead-criteria" doc:"When a server is dead: both criteria are met. If missing, when a record had all its normal transmissions and nothing was heard since the first of them. The key of a group wins over this one, as a whole."`
	Servers         []rawServer         `yaml:"servers" doc:"The RADIUS servers. The same host with another port is another server."`
	Groups          []rawGroup          `yaml:"groups" doc:"Server groups, for use in method lists. A group called radius is there without being listed: all servers."`
	AcctOnOffGroups []rawAcctOnOffGroup `yaml:"acct-on-off-groups" doc:"Groups of server groups, for their Accounting-On: one server group controls, others are blocked with it."`
}

type rawBackoff struct {
	MaxDelay time.Duration `yaml:"max-delay" default:"60m" min:"1s" max:"24h" doc:"The longest interval: each is twice the one before, up to this. None is shorter than timeout."`
	Retry    int           `yaml:"retry" default:"32" min:"0" max:"1000" doc:"How often a record is sent again in the back-off; 0: there is none."`
}

type rawDeadCriteria struct {
	Time  time.Duration `yaml:"time" default:"60s" min:"1s" max:"1000s" doc:"For how long nothing right was heard from the server."`
	Tries int           `yaml:"tries" default:"10" min:"1" max:"100" doc:"How many transmissions in a row were not answered in time, retransmissions counted."`
}

type rawListener struct {
	Listen []netip.AddrPort `yaml:"listen" default:"0.0.0.0:1813 [::]:1813" min:"1" max:"64" restart:"yes" doc:"Addresses and ports. An IPv6 address, also [::], takes no IPv4; port 0 takes a free one."`
}

type rawClient struct {
	Name       nameText            `yaml:"name" required:"yes" doc:"For logs and statistics."`
	Address    netip.Prefix        `yaml:"address" required:"yes" doc:"Source address, or a prefix for many NASes. Of the clients that match, the longest prefix counts."`
	Secret     strictyaml.Secret   `yaml:"secret" required:"yes" doc:"The secret shared with the NAS, for its accounting and, without disconnect.secret, for Disconnect-Requests."`
	Disconnect rawClientDisconnect `yaml:"disconnect" doc:"How the NAS takes Disconnect-Requests (RFC 5176)."`
}

type rawClientDisconnect struct {
	Address       netip.Addr        `yaml:"address" default:"" doc:"Where they go, for a NAS behind a proxy. If missing, the address that its accounting comes from."`
	Port          uint16            `yaml:"port" default:"3799" min:"1" max:"65535" doc:"UDP port."`
	Secret        strictyaml.Secret `yaml:"secret" doc:"The secret of Disconnect-Requests and their answers. If missing, that of the client."`
	SourceAddress netip.Addr        `yaml:"source-address" default:"" doc:"The address of this host that they leave from, of the family of where they go. If missing, the address that the NAS sends its accounting to. If this host does not have it, the system chooses."`
	Attributes    []attributeText   `yaml:"attributes" max:"64" doc:"What identifies a session in the first request for it, in this order. The name of an attribute, also of a vendor's, stands for what the NAS reported, and is left out if it reported nothing; NAME = VALUE is this value, as in Service-Type = Login-User. If empty: User-Name, NAS-IP-Address, NAS-IPv6-Address, NAS-Identifier, Calling-Station-Id, Acct-Session-Id, Event-Timestamp, Message-Authenticator. A NAS that refuses the request is asked with other attributes, whatever stands here; without Event-Timestamp or Message-Authenticator here, no request has it."`
}

type rawServer struct {
	Name       nameText          `yaml:"name" required:"yes" doc:"For groups, logs and statistics."`
	Address    hostText          `yaml:"address" required:"yes" doc:"IP address or host name."`
	Port       uint16            `yaml:"port" default:"1813" min:"1" max:"65535" doc:"UDP port for accounting."`
	Secret     strictyaml.Secret `yaml:"secret" required:"yes" doc:"The secret shared with the server."`
	Timeout    *time.Duration    `yaml:"timeout" min:"10ms" max:"1000s" doc:"As radius.timeout, for this server. If missing, that one."`
	Retransmit *int              `yaml:"retransmit" min:"0" max:"100" doc:"As radius.retransmit, for this server. If missing, that one."`
	Backoff    *rawBackoff       `yaml:"backoff" doc:"As radius.backoff, for this server. If missing, that one."`
}

type rawGroup struct {
	Name            nameText         `yaml:"name" required:"yes" doc:"For method lists: group NAME."`
	Description     string           `yaml:"description" default:"" doc:"What the group is for, to be shown."`
	Servers         []nameText       `yaml:"servers" required:"yes" min:"1" max:"64" doc:"Names of servers, in the order in which they are tried."`
	AccessAlgorithm client.Algorithm `yaml:"access-algorithm" default:"direct" enum:"direct round-robin" doc:"Where a record goes first. direct: to the first server that is not dead; round-robin: to another one each time. The next servers follow in order."`
	SourceAddress   netip.Addr       `yaml:"source-address" default:"" doc:"The address of this host that requests leave from. If missing, the system chooses. Servers are to be of its family, IPv4 or IPv6."`
	Timeout         *time.Duration   `yaml:"timeout" min:"10ms" max:"1000s" doc:"As radius.timeout, for all servers of this group. If missing, that of each server."`
	Retransmit      *int             `yaml:"retransmit" min:"0" max:"100" doc:"As radius.retransmit, for all servers of this group. If missing, that of each server."`
	Backoff         *rawBackoff      `yaml:"backoff" doc:"As radius.backoff, for all servers of this group. If missing, that of each server."`
	HoldDown        *time.Duration   `yaml:"hold-down" min:"0s" max:"24h" doc:"As radius.hold-down, for this group. If missing, that one."`
	DeadCriteria    *rawDeadCriteria `yaml:"dead-criteria" doc:"As radius.dead-criteria, for this group. If missing, that one."`
	Window          int              `yaml:"window" default:"1024" min:"1" max:"65536" doc:"How many records may wait for answers at once."`
	DrainRate       int              `yaml:"drain-rate" default:"0" min:"0" max:"1000000" doc:"How many records a second are sent while a backlog drains; 0: as fast as the servers answer."`
	AcctOnOff       *rawAcctOnOff    `yaml:"acct-on-off" doc:"Accounting-On and -Off (RFC 2866) to one server of the group: On at start, again every minute until it is answered, Off at shutdown, once. If missing, none is sent."`
}

type rawAcctOnOff struct {
	OperStateChange bool     `yaml:"oper-state-change" default:"false" doc:"Whether records wait until an Accounting-On is answered: the group is blocked."`
	Group           nameText `yaml:"group" default:"" doc:"The entry of radius.acct-on-off-groups that this group controls, with oper-state-change: the groups that monitor it are blocked with this one."`
	MonitorGroup    nameText `yaml:"monitor-group" default:"" doc:"The entry of radius.acct-on-off-groups that this group monitors: it sends no Accounting-On and -Off, and is blocked with the group that controls the entry."`
}

type rawAcctOnOffGroup struct {
	Name        nameText `yaml:"name" required:"yes" doc:"For acct-on-off of server groups."`
	Description string   `yaml:"description" default:"" doc:"What the acct-on-off-group is for, to be shown."`
}

type rawAccounting struct {
	Network    map[string]rawList `yaml:"network" keys:"default" unknown:"list %s: only the list %q can be given; named lists come in a later version" doc:"Network sessions: PPP, SLIP, IEEE 802.1X, VPN."`
	Exec       map[string]rawList `yaml:"exec" keys:"default" unknown:"list %s: only the list %q can be given; named lists come in a later version" doc:"Logins to the NAS itself."`
	Connection map[string]rawList `yaml:"connection" keys:"default" unknown:"list %s: only the list %q can be given; named lists come in a later version" doc:"Outbound connections of a NAS: telnet, rlogin, LAT."`
	Local      rawLocal           `yaml:"local" doc:"The method local."`
}

type rawList struct {
	Record  accounting.RecordType   `yaml:"record" required:"yes" enum:"start-stop stop-only none" doc:"Which records are made."`
	Methods []accounting.MethodName `yaml:"methods" max:"255" doc:"Tried in order, the next one only if the one before gave no response: group NAME, group radius (all servers), or local (a file of JSON lines)."`
}

type rawLocal struct {
	File strictyaml.Path `yaml:"file" default:"var/accounting.jsonl" doc:"The file that records are appended to, one JSON object a line."`
}

type rawSessions struct {
	Remember   time.Duration `yaml:"remember" default:"1h" min:"1s" max:"720h" restart:"yes" doc:"How long a session that is over is remembered, so that what its NAS still says of it goes upstream under its number."`
	Disconnect rawDisconnect `yaml:"disconnect" doc:"How sessions are ended at their NAS."`
}

type rawDisconnect struct {
	StopWait   time.Duration `yaml:"stop-wait" default:"30s" min:"10ms" max:"24h" restart:"yes" doc:"How long after an ACK the stop of the NAS may take before the stop record is made here. hostapd sends a stop that was lost again after 3, 9 and 21 s."`
	RetryMin   time.Duration `yaml:"retry-min" default:"2s" min:"10ms" max:"24h" restart:"yes" doc:"The wait before the second attempt; it doubles with each that follows."`
	RetryMax   time.Duration `yaml:"retry-max" default:"5m" min:"10ms" max:"24h" restart:"yes" doc:"The longest wait between attempts."`
	Timeout    time.Duration `yaml:"timeout" default:"3s" min:"10ms" max:"1000s" restart:"yes" doc:"How long a transmission waits for its answer."`
	Retransmit int           `yaml:"retransmit" default:"2" min:"0" max:"100" restart:"yes" doc:"How often an attempt sends its request again."`
}

type rawStore struct {
	MinFree strictyaml.Size `yaml:"min-free" default:"256MiB" min:"1MiB" max:"1024TiB" restart:"yes" doc:"Below this much free disk space new events are refused; NASes then retransmit them."`
	MaxSize strictyaml.Size `yaml:"max-size" default:"" min:"64MiB" max:"1024TiB" restart:"yes" doc:"Above this size of the store new events are refused; NASes then retransmit them. At 80% of it a warning is logged. If missing, there is no limit."`
}
