package config

import (
	"net/netip"
	"time"

	accttacacs "aaasess/accounting/tacacs"
	"aaasess/cmd/internal/strictyaml"
)

type rawTACACS struct {
	Secret       strictyaml.Secret `yaml:"secret" doc:"The key of all servers below that have none of their own (tacacs-server key of Cisco IOS), and of those that SNMP managers create with an empty casKey."`
	Timeout      time.Duration     `yaml:"timeout" default:"5s" min:"10ms" max:"1000s" doc:"How long a transmission waits for its answer. A record that waits for a connection gives up when nothing was heard from the server for this time. The key of a server wins over this one, and that of a group over both."`
	Retransmit   int               `yaml:"retransmit" default:"0" min:"0" max:"100" doc:"How often an unanswered record is sent to the same server again, before the next server is tried. TCP repeats what is lost, so once is enough. The key of a server wins over this one, and that of a group over both."`
	Backoff      *rawBackoff       `yaml:"backoff" doc:"As radius.backoff, for TACACS+ servers. If missing, there is no back-off."`
	HoldDown     time.Duration     `yaml:"hold-down" default:"30s" min:"0s" max:"24h" doc:"How long a dead server is skipped before a record is sent to it as a probe; 0s: not at all. The key of a group wins over this one."`
	DeadCriteria *rawDeadCriteria  `yaml:"dead-criteria" doc:"A server is dead when both criteria are met. If missing, it is dead when a record had all its normal transmissions and nothing was heard from the server since the first of them, or when three different records in a row got ERROR. With this key, tries is also how many different records in a row must get ERROR. The key of a group wins over this one as a whole."`
	Ports        []rawPort         `yaml:"ports" max:"4096" doc:"The field port of a record, from NAS-Port. The first entry whose conditions are all met says it. If there is none, it is NAS-Port-Id, and without one NAS-Port in decimal."`
	Servers      []rawTACACSServer `yaml:"servers" doc:"The TACACS+ servers. The same host with another port is a server of its own, and so is a private server with another name."`
	Groups       []rawTACACSGroup  `yaml:"groups" doc:"Groups of TACACS+ servers, for use in method lists. The group tacacs+ of all TACACS+ servers that are not private always exists and is not listed."`
}

type rawTACACSServer struct {
	Name             nameText          `yaml:"name" required:"yes" doc:"For groups, logs and statistics."`
	Address          hostText          `yaml:"address" required:"yes" doc:"IP address or host name."`
	Port             uint16            `yaml:"port" default:"49" min:"1" max:"65535" doc:"TCP port."`
	Key              strictyaml.Secret `yaml:"key" doc:"The key shared with the server. If missing, tacacs.secret. It obfuscates the packets (RFC 8907 section 4.5), which is no encryption by today's standards."`
	Timeout          *time.Duration    `yaml:"timeout" min:"10ms" max:"1000s" doc:"As tacacs.timeout, for this server. If missing, that one."`
	Retransmit       *int              `yaml:"retransmit" min:"0" max:"100" doc:"As tacacs.retransmit, for this server. If missing, that one."`
	Backoff          *rawBackoff       `yaml:"backoff" doc:"As tacacs.backoff, for this server. If missing, that one."`
	SingleConnection bool              `yaml:"single-connection" default:"true" doc:"Whether the server is asked to take many records over one connection (RFC 8907 section 4.3). A server that does not agree gets a connection for each record. false: it is not asked."`
	Connections      int               `yaml:"connections" default:"4" min:"1" max:"256" doc:"How many connections to the server may be open at the same time."`
	Watchdog         string            `yaml:"watchdog" default:"plain" enum:"plain with-start" doc:"The flags of an interim record. plain: WATCHDOG only, as Cisco IOS sends it; with-start: WATCHDOG and START, which RFC 8907 section 7.2 has for an update with new values. Many servers, such as tac_plus, store the latter as a second start."`
	Private          bool              `yaml:"private" default:"false" doc:"Whether the server belongs to one group only, as with server-private of Cisco IOS: exactly one group names it, and group tacacs+ does not have it. Another server of another group may have the same address and port."`
}

type rawTACACSGroup struct {
	Name          groupText        `yaml:"name" required:"yes" doc:"For method lists: group NAME. It must not be the name of a group of RADIUS servers."`
	Description   string           `yaml:"description" default:"" doc:"What the group is for. It is only shown."`
	Servers       []nameText       `yaml:"servers" required:"yes" min:"1" max:"64" doc:"Names of TACACS+ servers, in the order in which they are tried."`
	SourceAddress netip.Addr       `yaml:"source-address" default:"" doc:"The address of this host that connections are made from. If missing, the system chooses. All servers of the group must be of its family, IPv4 or IPv6."`
	Timeout       *time.Duration   `yaml:"timeout" min:"10ms" max:"1000s" doc:"As tacacs.timeout, for all servers of this group. If missing, that of each server."`
	Retransmit    *int             `yaml:"retransmit" min:"0" max:"100" doc:"As tacacs.retransmit, for all servers of this group. If missing, that of each server."`
	Backoff       *rawBackoff      `yaml:"backoff" doc:"As tacacs.backoff, for all servers of this group. If missing, that of each server."`
	HoldDown      *time.Duration   `yaml:"hold-down" min:"0s" max:"24h" doc:"As tacacs.hold-down, for this group. If missing, that one."`
	DeadCriteria  *rawDeadCriteria `yaml:"dead-criteria" doc:"As tacacs.dead-criteria, for this group. If missing, that one."`
	Window        int              `yaml:"window" default:"1024" min:"1" max:"65536" doc:"How many records may wait for their answers at the same time."`
	DrainRate     int              `yaml:"drain-rate" default:"0" min:"0" max:"1000000" doc:"How many records a second are sent while a backlog drains; 0: as fast as the servers answer."`
	Times         accttacacs.Times `yaml:"times" default:"late" enum:"late always never" doc:"Whether records have start_time and stop_time, the time of the event. late: only records that are sent more than 5 s after it, because the server has its own clock for the others."`
	Attributes    bool             `yaml:"attributes" default:"false" doc:"Whether RADIUS attributes that have no argument of TACACS+ go to the servers as optional arguments, NAME*VALUE."`
	ResyncMark    argumentText     `yaml:"resync-mark" default:"" doc:"The name of an optional argument that marks the records of aaasess perform resync, with the value resync. If missing, these records have no mark."`
	AckBroadcast  bool             `yaml:"acknowledge-broadcast" default:"false" doc:"As acknowledge-broadcast of a group of RADIUS servers."`
	HostConfig    *bool            `yaml:"host-config" doc:"As accounting.system.host-config, for this group. If missing, that one."`
}

type rawPort struct {
	NASPortType []string   `yaml:"nas-port-type" max:"64" doc:"Names of values of NAS-Port-Type, such as Async or Virtual. If empty, any, and also none."`
	NASPort     []portText `yaml:"nas-port" max:"4096" doc:"Values of NAS-Port, as numbers or as ranges such as 1-16. If empty, any."`
	Text        string     `yaml:"text" required:"yes" doc:"The text of the field. %d in it is the number of the port: tty%d."`
}
