package config

import (
	"log/slog"
	"net/netip"
	"time"

	"aaasess/accounting"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/sessions"
)

// The raw structs describe the configuration file. Package strictyaml documents their tags.

type rawConfig struct {
	State          strictyaml.Path    `yaml:"state" default:"var/state" restart:"yes" doc:"Folder of the store: sessions, counters, and accounting records that are not delivered yet. Its mode is 0700, and that of its files 0600; aaasessd sets them at its start. A relative file name, here and in other keys, begins in the folder of this file."`
	Log            Log                `yaml:"log" doc:"What is logged. The log goes to standard error."`
	Control        Control            `yaml:"control" doc:"The socket that the command aaasess talks to."`
	SNMP           rawSNMP            `yaml:"snmp" doc:"How SNMP managers reach the session table, CISCO-AAA-SESSION-MIB."`
	RADIUS         rawRADIUS          `yaml:"radius" doc:"The NASes that report sessions, and the servers that their Access-Requests and the accounting records go to."`
	LocalSocket    *rawLocalSocket    `yaml:"local" restart:"presence" doc:"The socket on which programs on this host report sessions: hook scripts of pppd, OpenVPN, strongSwan, PAM and others. If missing, there is none."`
	HTTP           *rawHTTP           `yaml:"http" restart:"presence" doc:"The HTTP listener: the status page, /metrics for Prometheus, /healthz, /readyz and, if pprof says so, /debug/pprof/. If missing, there is none."`
	TACACS         rawTACACS          `yaml:"tacacs" doc:"The TACACS+ servers that accounting records go to."`
	Authentication *rawAuthentication `yaml:"authentication" restart:"presence" doc:"The relay of Access-Requests from the NASes to RADIUS servers. If missing, aaasess does not listen for Access-Requests."`
	Accounting     rawAccounting      `yaml:"accounting" doc:"Method lists by accounting type. A type that has no list is not accounted."`
	Sessions       rawSessions        `yaml:"sessions" doc:"The session table."`
	Store          rawStore           `yaml:"store" doc:"The store on disk."`
	Thresholds     rawThresholds      `yaml:"thresholds" doc:"When aaasess show status says degraded because of records that wait, and when SNMP managers are told (AAASESS-MIB)."`
}

// Log configures the log.
type Log struct {
	Level  slog.Level `yaml:"level" default:"info" enum:"debug info warn error" doc:"The lowest level that is logged. debug logs each packet of a NAS, each transmission to a server and each answer, at most 200 lines a second each."`
	Format string     `yaml:"format" default:"text" enum:"text json" restart:"yes" doc:"text: lines of key=value; json: one JSON object per line."`
}

// Control is the control socket.
type Control struct {
	Socket strictyaml.Path `yaml:"socket" default:"var/aaasess.sock" restart:"yes" doc:"Path of the Unix socket. Its mode is 0660."`
	Group  string          `yaml:"group" default:"" restart:"yes" doc:"Name of the group that owns the socket. If empty, the group of the process."`
}

type rawSNMP struct {
	AgentX               *rawAgentX        `yaml:"agentx" restart:"yes" doc:"The AgentX master agent (RFC 2741), such as snmpd. Without it and without responder, nothing is served over SNMP."`
	Responder            *rawResponder     `yaml:"responder" restart:"presence" doc:"The embedded responder: SNMPv2c and v3 without snmpd, and SNMPv1 for communities that list it. It answers only the communities and users that are listed here. Without it there is no responder."`
	Notifications        []rawNotification `yaml:"notifications" max:"256" doc:"Targets of the notifications coldStart, authenticationFailure, those of AAASESS-MIB and, if a manager enables it, casServerStateChange. The responder sends them."`
	EnterpriseNumber     int               `yaml:"enterprise-number" default:"32473" min:"1" max:"2147483647" restart:"yes" doc:"Where AAASESS-MIB is: below 1.3.6.1.4.1.NUMBER.1, with its notifications. 32473 is the number for documentation (RFC 5612). With an enterprise number of your own, print the module for tools by aaasessd mib FILE."`
	SessionMIBDisconnect bool              `yaml:"session-mib-disconnect" default:"false" doc:"Whether a SET of casnDisconnect ends sessions. If false, casnDisconnect is notWritable."`
	AAAServerConfig      bool              `yaml:"aaa-server-config" default:"false" doc:"Whether managers may create and destroy servers by a SET of casConfigTable (CISCO-AAA-SERVER-MIB). The changes are kept in the state folder, and this file is never changed. casKey, the secret of a new server, is a value of the SET: allow it at authPriv only. If false, every column of casConfigTable is notWritable; what managers have changed before stays."`
	SessionMIBPopulate   string            `yaml:"session-mib-populate" default:"start" enum:"start setup" doc:"When a row of the session table appears. start: at the accounting start; setup: at the Access-Accept that the section authentication relays. Such a row has no accounting records; it becomes that of the session that starts, or goes after authentication.start-wait. A SET of its casnDisconnect is inconsistentValue."`
}

type rawAgentX struct {
	Network string `yaml:"network" default:"unix" enum:"unix tcp" doc:"The kind of socket that the master listens on."`
	Address string `yaml:"address" default:"" doc:"The path of the master's socket, or its host:port: agentXSocket in snmpd.conf. If missing, /var/agentx/master for unix and 127.0.0.1:705 for tcp."`
}

type rawRADIUS struct {
	NASIdentifier   string              `yaml:"nas-identifier" default:"" min:"1" max:"253" doc:"NAS-Identifier in the Accounting-On and -Off and in the test requests that aaasess sends. If missing, the name of the host."`
	Dictionaries    []strictyaml.Path   `yaml:"dictionaries" max:"64" doc:"Files in FreeRADIUS's format with the names of further attributes and values, mostly those of vendors. They override the built-in names, and a later file overrides an earlier one. Lines that aaasess cannot use are left out, with one warning per file."`
	Accounting      rawListener         `yaml:"accounting" doc:"The accounting listener (RFC 2866)."`
	Authentication  rawAuthListener     `yaml:"authentication" doc:"The authentication listener (RFC 2865), for the section authentication."`
	DynAuth         *rawDynAuth         `yaml:"dynamic-authorization" restart:"presence" doc:"Disconnect-Requests and CoA-Requests (RFC 5176) from RADIUS servers, which aaasess passes on to the NASes. If missing, aaasess does not listen for them."`
	Attribute44     rawAttribute44      `yaml:"attribute-44" doc:"What the servers get as Acct-Session-Id (attribute 44). If all are false: the number of the session in eight hexadecimal digits, in accounting only."`
	Clients         []rawClient         `yaml:"clients" doc:"The NASes. Packets from other addresses are dropped."`
	Secret          strictyaml.Secret   `yaml:"secret" doc:"The secret of all servers below that have none of their own (radius-server key of Cisco IOS), and of those that SNMP managers create with an empty casKey."`
	Timeout         time.Duration       `yaml:"timeout" default:"5s" min:"10ms" max:"1000s" doc:"How long a transmission to a server waits for its answer. The key of a server wins over this one, and that of a group over both."`
	Retransmit      int                 `yaml:"retransmit" default:"3" min:"0" max:"100" doc:"How often a record or an Access-Request is sent to the same server again, before the next server is tried. The key of a server wins over this one, and that of a group over both."`
	Backoff         *rawBackoff         `yaml:"backoff" doc:"Exponential back-off of records, after the normal retransmissions and before the next server is tried. Access-Requests have none. The key of a server wins over this one as a whole, and that of a group over both. If missing, there is no back-off."`
	HoldDown        time.Duration       `yaml:"hold-down" default:"30s" min:"0s" max:"24h" doc:"How long a dead server is skipped before a record or an Access-Request is sent to it as a probe; 0s: not at all. The key of a group wins over this one."`
	DeadCriteria    *rawDeadCriteria    `yaml:"dead-criteria" doc:"A server is dead when both criteria are met. If missing, it is dead when a record or an Access-Request had all its normal transmissions, and nothing was heard from the server since the first of them. The key of a group wins over this one as a whole."`
	Servers         []rawServer         `yaml:"servers" doc:"The RADIUS servers. The same host with another port is a server of its own, and so is a private server with another name."`
	Groups          []rawGroup          `yaml:"groups" doc:"Server groups, for use in method lists of accounting and of authentication. The group radius of all servers that are not private always exists and is not listed."`
	AcctOnOffGroups []rawAcctOnOffGroup `yaml:"acct-on-off-groups" doc:"Groups of server groups. One server group controls an entry by its Accounting-On; those that monitor the entry are blocked with it."`
}

type rawBackoff struct {
	MaxDelay time.Duration `yaml:"max-delay" default:"60m" min:"1s" max:"24h" doc:"The longest interval. Each interval is twice as long as the one before, up to this one, and never shorter than timeout."`
	Retry    int           `yaml:"retry" default:"32" min:"0" max:"1000" doc:"How often a record is sent again in the back-off; 0: there is no back-off."`
}

type rawDeadCriteria struct {
	Time  time.Duration `yaml:"time" default:"60s" min:"1s" max:"1000s" doc:"How long no valid response came from the server."`
	Tries int           `yaml:"tries" default:"10" min:"1" max:"100" doc:"How many transmissions in a row were not answered in time. Retransmissions count."`
}

type rawListener struct {
	Listen []netip.AddrPort `yaml:"listen" default:"0.0.0.0:1813 [::]:1813" min:"1" max:"64" restart:"yes" doc:"Addresses and ports. An IPv6 address, [::] too, does not listen for IPv4. Port 0 stands for any free port."`
}

type rawClient struct {
	Name       nameText            `yaml:"name" required:"yes" doc:"For logs and statistics."`
	Address    netip.Prefix        `yaml:"address" required:"yes" doc:"Source address, or a prefix for many NASes. If several clients match, the longest prefix counts."`
	Secret     strictyaml.Secret   `yaml:"secret" required:"yes" doc:"The secret shared with the NAS, for its accounting and its Access-Requests. Also for Disconnect-Requests, if disconnect.secret is missing."`
	Signing    radius.Signing      `yaml:"message-authenticator" default:"required" enum:"required auto legacy" doc:"Whether an Access-Request must have a Message-Authenticator (RFC 3579). required: one without it is dropped; auto: as required once the NAS has sent one in a packet without EAP-Message, and until then only an Access-Request with Proxy-State must have it; legacy: it need not have it. A wrong one is always dropped. Without it, whoever is between the NAS and aaasess can have logins accepted (BlastRADIUS, CVE-2024-3596). The daemon logs a warning for each client with auto or legacy when it starts."`
	Kind       sessions.Kind       `yaml:"kind" default:"network" enum:"network exec connection" doc:"The kind of sessions whose packets have no Service-Type. Login hosts (sshd, proftpd) send none: choose exec. A Service-Type in the packet takes precedence."`
	RebootSign []string            `yaml:"reboot-sign" max:"3" each:"enum:\"nas-port framed-ip-address calling-station-id\"" doc:"Attributes of which no two sessions of the same kind have the same value at one NAS. A start with the value of a live session ends that session (Lost-Carrier): the NAS has restarted without saying so, or a stop was lost. If empty, no start ends a session with another Acct-Session-Id."`
	Stale      rawClientStale      `yaml:"stale" doc:"When its sessions are stale."`
	Disconnect rawClientDisconnect `yaml:"disconnect" doc:"How Disconnect-Requests (RFC 5176) are sent to the NAS."`
}

type rawClientStale struct {
	Intervals *int           `yaml:"intervals" min:"0" max:"1000" doc:"As sessions.stale.intervals, for this client. If missing, that one."`
	MaxAge    *time.Duration `yaml:"max-age" min:"0s" max:"8784h" doc:"As sessions.stale.max-age, for this client; 0s: no limit. If missing, that one."`
}

type rawClientDisconnect struct {
	Address       netip.Addr        `yaml:"address" default:"" doc:"Where Disconnect-Requests go, for a NAS behind a proxy. If missing, the address that its accounting comes from."`
	Profile       string            `yaml:"profile" default:"generic" enum:"generic hostapd strongswan accel-ppp mikrotik cisco juniper huawei none" doc:"What this kind of NAS understands: the attributes and the port of the first request for a session, see docs/nas.md. none: the NAS cannot end sessions (OpenVPN, proftpd, sshd): unless command or openvpn is given, a SET of casnDisconnect is inconsistentValue, and aaasess disconnect refuses."`
	Command       nameText          `yaml:"command" default:"" doc:"With profile none: name of one of local.commands, which ends the sessions."`
	OpenVPN       nameText          `yaml:"openvpn" default:"" doc:"With profile none: name of one of local.openvpn, which ends the sessions. For OpenVPN with radiusplugin."`
	Port          uint16            `yaml:"port" default:"" min:"1" max:"65535" doc:"UDP port. If missing, that of the profile: 3799, with cisco 1700."`
	Secret        strictyaml.Secret `yaml:"secret" doc:"The secret of Disconnect-Requests and their answers. If missing, that of the client."`
	SourceAddress netip.Addr        `yaml:"source-address" default:"" doc:"The address of this host that Disconnect-Requests are sent from. It must be of the same family as their destination. If missing, the address that the NAS sends its accounting to. If this host does not have that address, the system chooses."`
	Attributes    []attributeText   `yaml:"attributes" max:"64" doc:"What identifies a session in the first request for it, in this order. The name of an attribute, a vendor's too, stands for the value that the NAS reported; if it reported none, the attribute is left out. NAME = VALUE stands for this value, as in Service-Type = Login-User. If empty: those of the profile; of generic: User-Name, NAS-IP-Address, NAS-IPv6-Address, NAS-Identifier, Calling-Station-Id, Acct-Session-Id, Event-Timestamp, Message-Authenticator. If the NAS refuses the request, further requests have other attributes. If Event-Timestamp or Message-Authenticator is not in the list, no request has it."`
}

type rawServer struct {
	Name       nameText          `yaml:"name" required:"yes" doc:"For groups, logs and statistics."`
	Address    hostText          `yaml:"address" required:"yes" doc:"IP address or host name."`
	Secret     strictyaml.Secret `yaml:"secret" doc:"The secret shared with the server. If missing, radius.secret."`
	AcctPort   uint16            `yaml:"acct-port" default:"1813" min:"1" max:"65535" doc:"UDP port for accounting."`
	Port       *uint16           `yaml:"port" min:"1" max:"65535" doc:"The older name of acct-port. If missing, acct-port."`
	AuthPort   uint16            `yaml:"auth-port" default:"1812" min:"1" max:"65535" doc:"UDP port for authentication."`
	Signing    radius.Signing    `yaml:"message-authenticator" default:"required" enum:"required auto legacy" doc:"Whether an answer to an Access-Request must have a Message-Authenticator (RFC 3579). required: one without it is dropped; auto: as required once the server has sent one in a packet without EAP-Message; legacy: it need not have it. A wrong one is always dropped. Without it, whoever is between aaasess and the server can turn a reject into an accept (BlastRADIUS, CVE-2024-3596). The daemon logs a warning for each server with auto or legacy when it starts."`
	Alias      []netip.Addr      `yaml:"alias" max:"16" doc:"Other addresses of the server: answers that come from them are the server's."`
	Test       *rawTest          `yaml:"test" doc:"Test requests to the server when it is idle or dead. While a server with this key is dead, no request of a user is sent to it as a probe. If missing, a server is tested only by the requests of users."`
	Timeout    *time.Duration    `yaml:"timeout" min:"10ms" max:"1000s" doc:"As radius.timeout, for this server. If missing, that one."`
	Retransmit *int              `yaml:"retransmit" min:"0" max:"100" doc:"As radius.retransmit, for this server. If missing, that one."`
	Backoff    *rawBackoff       `yaml:"backoff" doc:"As radius.backoff, for this server. If missing, that one."`
	Private    bool              `yaml:"private" default:"false" doc:"Whether the server belongs to one group only, as with server-private of Cisco IOS: exactly one group names it, and group radius does not have it. Another server of another group may have the same address and port."`
}

type rawGroup struct {
	Name             groupText         `yaml:"name" required:"yes" doc:"For method lists: group NAME."`
	Description      string            `yaml:"description" default:"" doc:"What the group is for. It is only shown."`
	Servers          []nameText        `yaml:"servers" required:"yes" min:"1" max:"64" doc:"Names of servers, in the order in which they are tried."`
	AccessAlgorithm  client.Algorithm  `yaml:"access-algorithm" default:"direct" enum:"direct round-robin least-outstanding" doc:"Which server gets a record first. direct: the first server that is not dead; round-robin: another server for each record. The other servers follow in order. least-outstanding: records go to servers in batches, each batch to the server that has the fewest unanswered records when the batch begins; a record that is not answered goes to the server with the fewest next."`
	BatchSize        int               `yaml:"batch-size" default:"25" min:"1" max:"2147483647" doc:"How many records in a row go to the same server, with access-algorithm: least-outstanding."`
	SourceAddress    netip.Addr        `yaml:"source-address" default:"" doc:"The address of this host that requests are sent from. If missing, the system chooses. All servers of the group must be of its family, IPv4 or IPv6."`
	Timeout          *time.Duration    `yaml:"timeout" min:"10ms" max:"1000s" doc:"As radius.timeout, for all servers of this group. If missing, that of each server."`
	Retransmit       *int              `yaml:"retransmit" min:"0" max:"100" doc:"As radius.retransmit, for all servers of this group. If missing, that of each server."`
	Backoff          *rawBackoff       `yaml:"backoff" doc:"As radius.backoff, for all servers of this group. If missing, that of each server."`
	HoldDown         *time.Duration    `yaml:"hold-down" min:"0s" max:"24h" doc:"As radius.hold-down, for this group. If missing, that one."`
	DeadCriteria     *rawDeadCriteria  `yaml:"dead-criteria" doc:"As radius.dead-criteria, for this group. If missing, that one."`
	Window           int               `yaml:"window" default:"1024" min:"1" max:"65536" doc:"How many records may wait for their answers at the same time; and, in addition, how many Access-Requests."`
	DrainRate        int               `yaml:"drain-rate" default:"0" min:"0" max:"1000000" doc:"How many records a second are sent while a backlog drains; 0: as fast as the servers answer."`
	NASSessionID     attributeNameText `yaml:"nas-session-id" default:"" doc:"attribute NAME: the attribute in which the Acct-Session-Id that the NAS sent goes to the servers, usually attribute Acct-Multi-Session-Id, which is not allowed with lists in accounting.resource. It replaces that attribute from the NAS; a vendor's attribute is added instead. The Acct-Session-Id itself is the one of aaasess. If missing, it is not sent."`
	UserID           attributeNameText `yaml:"user-id" default:"" doc:"attribute NAME: the attribute in which the user's name without @realm goes to the servers, after Acct-Delay-Time, as the User-Id in Cisco's examples of records. Only for records that lack the attribute. If missing, it is not sent."`
	ResyncMark       attributeNameText `yaml:"resync-mark" default:"" doc:"attribute NAME: the attribute that marks the records of aaasess perform resync for the servers: it has the text resync, after Acct-Delay-Time. Only for records that lack the attribute; a vendor's attribute is always added. If missing, these records have no mark."`
	AddNASIdentifier bool              `yaml:"add-nas-identifier" default:"false" doc:"Whether a record without NAS-Identifier gets one after Acct-Delay-Time, with the NAS's address as text, as in Cisco's examples of records."`
	AckBroadcast     bool              `yaml:"acknowledge-broadcast" default:"false" doc:"Whether a record of a broadcast list counts as accepted only when this group has accepted it (accounting acknowledge broadcast of Cisco IOS). If no group of the list has the key, the first method counts. The answer to the NAS does not depend on it: it comes when the record is on disk."`
	HostConfig       *bool             `yaml:"host-config" doc:"As accounting.system.host-config, for this group. If missing, that one."`
	AcctOnOff        *rawAcctOnOff     `yaml:"acct-on-off" doc:"Whether and how Accounting-On and -Off (RFC 2866) are sent to one server of the group: On at start, again every minute until it is answered; Off once, at shutdown. If missing, none is sent."`
}

type rawAcctOnOff struct {
	OperStateChange bool     `yaml:"oper-state-change" default:"false" doc:"Whether the group is blocked, so that its records wait, until an Accounting-On is answered."`
	Group           nameText `yaml:"group" default:"" doc:"The entry of radius.acct-on-off-groups that this group controls: the groups that monitor the entry are blocked with this one. It needs oper-state-change."`
	MonitorGroup    nameText `yaml:"monitor-group" default:"" doc:"The entry of radius.acct-on-off-groups that this group monitors: the group sends no Accounting-On and -Off of its own, and is blocked with the group that controls the entry."`
}

type rawAcctOnOffGroup struct {
	Name        nameText `yaml:"name" required:"yes" doc:"For acct-on-off of server groups."`
	Description string   `yaml:"description" default:"" doc:"What the acct-on-off-group is for. It is only shown."`
}

type rawAccounting struct {
	Network    map[string]rawList                 `yaml:"network" keys:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" wants:"the name of a list" doc:"Network sessions: PPP, SLIP, ARAP, IEEE 802.1X, VPN. The list default applies to all sessions of this type to which no other list applies. Lists of other names apply where apply says so."`
	Exec       map[string]rawList                 `yaml:"exec" keys:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" wants:"the name of a list" doc:"Logins to the NAS itself. Lists as for network."`
	Connection map[string]rawList                 `yaml:"connection" keys:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" wants:"the name of a list" doc:"Outbound connections of a NAS: telnet, rlogin, LAT. Lists as for network."`
	Resource   map[string]rawCallList             `yaml:"resource" keys:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" wants:"the name of a list" doc:"Calls, whether or not they have a user. The list default applies to all calls to which no other list applies."`
	Commands   map[string]map[string]rawEventList `yaml:"commands" keys:"^([0-9]|1[0-5])$" wants:"a privilege level from 0 to 15" each:"keys:\"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$\" wants:\"the name of a list\"" doc:"What users type in an EXEC session, by privilege level. A command is one stop record when it has ended, with either record type. RADIUS has no command accounting, so methods has only groups of TACACS+ servers and local. Programs on this host report commands: hooks of bash and sudo."`
	VRRS       map[string]rawEventList            `yaml:"vrrs" keys:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" wants:"the name of a list" doc:"Groups of routers (VRRP, Cisco's VRRS) of which this host, or a NAS, becomes and stops being the master. Over RADIUS the records are an Accounting-On and an Accounting-Off: name only servers that know VRRS, because others forget all sessions of the NAS."`
	System     rawSystemAccounting                `yaml:"system" doc:"System accounting: Accounting-On when the daemon starts or a method is added, Accounting-Off when it ends or the method is removed."`
	Apply      []rawApply                         `yaml:"apply" max:"4096" doc:"Where the named lists apply: for NASes, and for their lines and interfaces. For each accounting type, the first entry decides that names a list of the type and whose conditions are all met."`
	DNISMap    rawDNISMap                         `yaml:"dnis-map" doc:"Accounting of network sessions by the number that was called. It takes precedence over the lists."`
	Update     rawUpdate                          `yaml:"update" doc:"Interim records that aaasess makes. Those that a NAS sends are recorded as the list of the session says, whatever is set here."`
	Local      rawLocal                           `yaml:"local" doc:"The method local."`

	SuppressNullUsername bool `yaml:"suppress-null-username" default:"false" doc:"Whether no records are made of a session as long as it has no User-Name, or an empty one. The packet that brings a User-Name, and later ones, are recorded. A session keeps the value that it began with."`

	SendStopRecord rawSendStopRecord `yaml:"send-stop-record" doc:"Stop records without a start."`

	VisibleKeys bool `yaml:"visible-keys" default:"false" doc:"Whether passwords and keys in commands are recorded as they were typed. Otherwise they are masked, by a table of the commands of Cisco IOS that have some, before anything is stored."`

	Nested bool `yaml:"nested" default:"false" doc:"Whether the stop of an exec session is recorded after the stops of the network sessions that its user has started from it: those of the same NAS, NAS-Port or NAS-Port-Id, and User-Name. It waits for them for a minute at most. A change applies to network sessions that begin after it."`
}

type rawSendStopRecord struct {
	AuthenticationFailure bool `yaml:"authentication-failure" default:"false" doc:"Whether a stop record is made of each login, and of each negotiation of a session, that failed. It goes to the methods of the list that the session would have had. A login fails with an Access-Reject that the section authentication relays. Programs on this host report other failures, see docs/local.md. A stop that a NAS sends of a failure is recorded whatever is set here."`

	AuthenticationSuccessRemoteServer bool `yaml:"authentication-success-remote-server" default:"false" doc:"Whether a stop record is made of each session whose user a remote server has accepted, and that has ended before its start. It goes to the methods of the list that the session would have had. These are Access-Accepts that the section authentication relays, if no start follows in authentication.start-wait. A stop that a NAS sends of such a session is recorded whatever is set here."`
}

type rawList struct {
	Record            accounting.RecordType   `yaml:"record" required:"yes" enum:"start-stop stop-only none" doc:"Which records are made."`
	Broadcast         bool                    `yaml:"broadcast" default:"false" doc:"Whether each record goes to all methods at the same time, at most four. Each method then has its own queue, and its servers are tried one after the other as if there were no other method."`
	BroadcastInterims bool                    `yaml:"broadcast-interims" default:"true" doc:"Whether a broadcast sends interim records to all methods too. If false, they go only to the first method; starts, stops and records of other types go to all methods."`
	Methods           []accounting.MethodName `yaml:"methods" max:"255" doc:"The methods, in the order in which they are tried: group NAME, group radius or group tacacs+ (all servers of the protocol that are not private), or local (a file of JSON lines). A method is tried only if the one before it gave no response."`
	Periodic          periodText              `yaml:"periodic" default:"" doc:"As accounting.update.periodic, for sessions of this list; disable: no interims, except for sessions with Acct-Interim-Interval. Only for start-stop lists. If missing, that one."`
	DelayStart        *time.Duration          `yaml:"delay-start" min:"1s" max:"10m" doc:"How long a start without an address of the user waits for one. It goes to the servers with the address as soon as the NAS reports it, and without one when the time is over. Only for start-stop lists of network sessions. If missing, starts do not wait."`
}

type rawCallList struct {
	Record    []accounting.RecordType `yaml:"record" required:"yes" min:"1" max:"2" single:"yes" each:"enum:\"start-stop stop-failure none\"" doc:"Which records are made. start-stop: a start and a stop of each call; stop-failure: a stop of each call that does not reach or fails user authentication; none: no records. Start-stop and stop-failure together, as a list, are the same as start-stop, which has the stops of these calls too."`
	Broadcast bool                    `yaml:"broadcast" default:"false" doc:"As for network."`
	Methods   []accounting.MethodName `yaml:"methods" max:"255" doc:"As for network."`
}

type rawEventList struct {
	Record    accounting.RecordType   `yaml:"record" required:"yes" enum:"start-stop stop-only none" doc:"Which records are made."`
	Broadcast bool                    `yaml:"broadcast" default:"false" doc:"As for network."`
	Methods   []accounting.MethodName `yaml:"methods" max:"255" doc:"As for network."`
}

type rawSystemAccounting struct {
	Default        *rawSystemList `yaml:"default" doc:"The only list of this type; it cannot have another name. Accounting-On and -Off are sent as with acct-on-off of a group, to the first method that answers, or with broadcast to all methods. If missing, only groups with acct-on-off send them."`
	GuaranteeFirst bool           `yaml:"guarantee-first" default:"true" doc:"Whether the Accounting-On is the first record that a server gets: the group's other records wait until it is answered. Users are never kept waiting. With other methods in their list, records go to the next method once no server of the group has answered."`

	HostConfig bool          `yaml:"host-config" default:"false" doc:"Whether a server that a reload adds to a group gets an Accounting-On, and one that it removes an Accounting-Off. If false, a reload sends nothing as long as one server of the group stays. Do not set it for servers that share a database: an Accounting-On or -Off ends all sessions there."`
	Redundancy rawRedundancy `yaml:"redundancy" doc:"What is sent over a restart of the daemon."`
}

type rawRedundancy struct {
	Suppress bool `yaml:"suppress" default:"false" doc:"Whether a restart sends no Accounting-Off and no Accounting-On to methods that live sessions name: servers would end these sessions, which go on. This holds for groups with acct-on-off too."`
}

type rawSystemList struct {
	Record    accounting.RecordType   `yaml:"record" required:"yes" enum:"start-stop stop-only none" doc:"start-stop: Accounting-On and -Off; stop-only: only Accounting-Off; none: neither."`
	Broadcast bool                    `yaml:"broadcast" default:"false" doc:"Whether all methods get them. If false, they go to the first method that answers. A group with acct-on-off of its own follows that instead; it cannot be one of several methods without broadcast."`
	Methods   []accounting.MethodName `yaml:"methods" max:"4" doc:"Each is group NAME, group radius or group tacacs+ (the groups of all servers) or local (accounting.local.file), in the order in which they are tried."`
}

type rawApply struct {
	Clients        []nameText          `yaml:"clients" max:"4096" doc:"Names of radius.clients. If empty, every client."`
	NASPort        []portText          `yaml:"nas-port" max:"4096" doc:"Values of NAS-Port, as numbers or as ranges such as 1-16: the lines of a NAS. If empty, sessions with any NAS-Port, or without one."`
	NASPortID      []string            `yaml:"nas-port-id" max:"4096" doc:"Patterns for NAS-Port-Id, the interfaces of a NAS. * stands for any characters and ? for one. If empty, any."`
	FramedProtocol []string            `yaml:"framed-protocol" max:"64" doc:"Names of values of Framed-Protocol, such as PPP, SLIP or ARAP. If empty, any."`
	Network        nameText            `yaml:"network" default:"" doc:"Name of the list for network sessions. If missing, this entry does not decide for them."`
	Exec           nameText            `yaml:"exec" default:"" doc:"Name of the list for exec sessions. If missing, this entry does not decide for them."`
	Connection     nameText            `yaml:"connection" default:"" doc:"Name of the list for connection sessions. If missing, this entry does not decide for them."`
	Resource       nameText            `yaml:"resource" default:"" doc:"Name of the list for calls. If missing, this entry does not decide for them."`
	Commands       map[string]nameText `yaml:"commands" keys:"^([0-9]|1[0-5])$" wants:"a privilege level from 0 to 15" doc:"By privilege level: name of the list for the commands of this level. For levels that are missing, this entry does not decide."`
	VRRS           nameText            `yaml:"vrrs" default:"" doc:"Name of the list for vrrs. If missing, this entry does not decide for it."`
}

type rawDNISMap struct {
	Enable  bool               `yaml:"enable" default:"false" doc:"Whether the map is used."`
	Numbers map[string]rawList `yaml:"numbers" keys:"^[!-~]{1,95}$" wants:"a number of 1 to 95 characters without spaces" doc:"By Called-Station-Id, which must be equal: the records and methods of network sessions with this number."`
}

type rawUpdate struct {
	Periodic        *time.Duration `yaml:"periodic" min:"1s" max:"1193h2m" doc:"How often an interim is made for a session whose NAS has sent none. If missing, none are made. The key of a list wins over this one, and Acct-Interim-Interval (attribute 85) of the session over both."`
	ServicePeriodic periodText     `yaml:"service-periodic" default:"" doc:"As periodic, for services of a subscriber: sessions whose NAS, a Cisco ISG, names the service in Cisco-Service-Info. For them it wins over the keys of all lists; disable: no interims of services, except of those with Acct-Interim-Interval. If missing, services are as other sessions."`
	Minimum         time.Duration  `yaml:"minimum" default:"1m" min:"1s" max:"24h" doc:"The shortest time between two interims that are made for a session. periodic may not be shorter. If attribute 85 is shorter, this counts."`
	NewInfo         bool           `yaml:"newinfo" default:"true" doc:"Whether a second start of a session goes to the servers, as an interim. NASes send one when they learn the address of the user."`
}

type rawLocal struct {
	File strictyaml.Path `yaml:"file" default:"var/accounting.jsonl" doc:"The file that records are appended to, one JSON object per line. Its folder is made if it is missing."`
}

type rawSessions struct {
	Remember      time.Duration `yaml:"remember" default:"1h" min:"1s" max:"720h" restart:"yes" doc:"How long a session is remembered after its end. What its NAS reports of it in that time still goes upstream under its session id."`
	Max           int           `yaml:"max" default:"0" min:"0" max:"100000000" restart:"yes" doc:"The largest number of sessions; 0: no limit. A start or interim that would make one more is not answered, so its NAS sends it again. This limit never refuses a stop."`
	OnePerStation bool          `yaml:"one-per-station" default:"false" doc:"Whether a start ends the live session of the same NAS, kind and Calling-Station-Id, as reboot-sign: [calling-station-id] of all clients does."`
	Stale         rawStale      `yaml:"stale" doc:"When a session is stale: its NAS has stopped reporting it. It ends, with a stop record (Lost-Carrier) of what was reported last. Time in which aaasess could not hear NASes does not count."`
	Disconnect    rawDisconnect `yaml:"disconnect" doc:"How sessions are ended at their NAS."`
}

type rawStale struct {
	Intervals int           `yaml:"intervals" default:"3" min:"0" max:"1000" doc:"How many interims in a row must be missing; 0: any number may be. How often the NAS sends interims of a session is learned from those of the session; Acct-Interim-Interval (attribute 85) of the Access-Accept counts if it is longer. A session without interims is not stale by this key."`
	MaxAge    time.Duration `yaml:"max-age" default:"0s" min:"0s" max:"8784h" doc:"How long nothing was heard of the session, whether its NAS sends interims or not; 0s: there is no limit."`
}

type rawDisconnect struct {
	StopWait   time.Duration `yaml:"stop-wait" default:"30s" min:"10ms" max:"24h" restart:"yes" doc:"How long to wait after an ACK for the stop from the NAS. After that, aaasess makes the stop record itself. hostapd sends a lost stop again after 3, 9 and 21 s."`
	RetryMin   time.Duration `yaml:"retry-min" default:"2s" min:"10ms" max:"24h" restart:"yes" doc:"The wait before the second attempt. It doubles before each further attempt."`
	RetryMax   time.Duration `yaml:"retry-max" default:"5m" min:"10ms" max:"24h" restart:"yes" doc:"The longest wait between attempts."`
	Timeout    time.Duration `yaml:"timeout" default:"3s" min:"10ms" max:"1000s" restart:"yes" doc:"How long a transmission waits for its answer."`
	Retransmit int           `yaml:"retransmit" default:"2" min:"0" max:"100" restart:"yes" doc:"How often an attempt sends its request again."`
}

type rawStore struct {
	MinFree strictyaml.Size `yaml:"min-free" default:"256MiB" min:"1MiB" max:"1024TiB" restart:"yes" doc:"With less free disk space than this, new events are refused; NASes then retransmit them."`
	MaxSize strictyaml.Size `yaml:"max-size" default:"" min:"64MiB" max:"1024TiB" restart:"yes" doc:"When the store is larger than this, new events are refused; NASes then retransmit them. At 80% of it a warning is logged. If missing, there is no limit."`
}

type rawThresholds struct {
	SpoolRecords int           `yaml:"spool-records" default:"0" min:"0" max:"1000000000000" doc:"The spool is over its threshold when so many records wait for servers; 0: whatever their number. Again normal below nine tenths of it."`
	SpoolAge     time.Duration `yaml:"spool-age" default:"1h" min:"0s" max:"8784h" doc:"The spool is over its threshold when the oldest record that waits is so old; 0s: whatever its age. Again normal below nine tenths of it. It is also over its threshold above 80% of store.max-size."`
	BlockedAfter time.Duration `yaml:"blocked-after" default:"1m" min:"1s" max:"24h" doc:"A method is blocked when records for it have waited so long, and none has left its queue meanwhile. Records that wait for an address (delay-start) do not count."`
}
