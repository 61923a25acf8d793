package config

import (
	"net/netip"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/mib"
)

type rawResponder struct {
	Listen                []netip.AddrPort `yaml:"listen" default:"0.0.0.0:161 [::]:161" min:"1" max:"64" restart:"yes" doc:"UDP addresses and ports. An IPv6 address, [::] too, does not listen for IPv4. Port 0 stands for any free port."`
	EngineID              engineID         `yaml:"engine-id" default:"" restart:"yes" doc:"snmpEngineID, 5 to 32 octets in hexadecimal digits. If missing, a random one is made at the first start and kept in the state folder."`
	MaxMessageSize        int              `yaml:"max-message-size" default:"65507" min:"484" max:"65507" restart:"yes" doc:"The largest message, in octets: snmpEngineMaxMessageSize. A request can ask for less. A message of more than about 1,400 octets is sent in IP fragments, which some firewalls drop."`
	AllowInsecureSet      bool             `yaml:"allow-insecure-set" default:"false" doc:"Whether a SET is allowed below authPriv too: from communities, whatever the level of their group, and from users at authNoPriv. Users at noAuthNoPriv may never SET."`
	Legacy                bool             `yaml:"legacy" default:"false" doc:"Whether users may have MD5 and DES, which are broken."`
	AuthenticationFailure bool             `yaml:"authentication-failure" default:"true" doc:"Whether a wrong community or a wrong digest causes the notification authenticationFailure: snmpEnableAuthenTraps. Nothing else causes it. With this key a SET of that object is notWritable; without it managers may SET it, and the state folder keeps the value."`
	System                rawSystem        `yaml:"system" doc:"The system group of SNMPv2-MIB. Its texts may have only the octets 0x20 to 0x7e. With the key of sysContact, sysName or sysLocation a SET of it is notWritable; without it managers may SET it, and the state folder keeps the value."`
	Limits                rawLimits        `yaml:"limits" doc:"Limits per second and source address; total-response-octets is for all sources together. A burst of the same size is also allowed. Whatever exceeds a limit is dropped and counted."`
	Views                 []rawView        `yaml:"views" max:"256" doc:"Parts of the tree, for groups. Three views always exist and are not listed. all is 1.3.6.1. common is the same without users, views and groups, communities, and targets of notifications: 1.3.6.1.6.3.12, 13, 15, 16 and 18. sessions is CISCO-AAA-SESSION-MIB and the system group."`
	Groups                []rawAccessGroup `yaml:"groups" max:"256" doc:"What communities and users may do."`
	Communities           []rawCommunity   `yaml:"communities" doc:"The communities of SNMPv2c and SNMPv1. They are sent over the network in clear text."`
	Users                 []rawUser        `yaml:"users" doc:"The users of SNMPv3."`
}

type rawSystem struct {
	Description mibText `yaml:"description" default:"" min:"0" max:"255" doc:"sysDescr. If empty, the name and version of the program."`
	ObjectID    mib.OID `yaml:"object-id" default:"0.0" doc:"sysObjectID."`
	Contact     mibText `yaml:"contact" default:"" min:"0" max:"255" doc:"sysContact."`
	Name        mibText `yaml:"name" default:"" min:"0" max:"255" doc:"sysName. If empty, the name of the host."`
	Location    mibText `yaml:"location" default:"" min:"0" max:"255" doc:"sysLocation."`
}

type rawLimits struct {
	Requests            int              `yaml:"requests" default:"50000" min:"0" max:"100000000" doc:"Requests with a valid community or user; 0: no limit. Those of authenticated users have a limit of their own. Invalid messages do not count, so forged ones cannot use up a manager's limit."`
	ResponseOctets      strictyaml.Limit `yaml:"response-octets" default:"64MiB" min:"64KiB" max:"1TiB" doc:"Octets of responses to communities and at noAuthNoPriv, where anybody can forge the source address; 0: no limit."`
	TotalResponseOctets strictyaml.Limit `yaml:"total-response-octets" default:"256MiB" min:"64KiB" max:"1TiB" doc:"The same octets for all sources together, because one sender can forge many addresses; 0: no limit. The default is enough for 50 managers that walk tables at 5 MiB/s at the same moment. Authenticated users are not affected."`
	Failures            int              `yaml:"failures" default:"100" min:"0" max:"100000000" doc:"Responses to messages that are not authenticated, such as the reports by which managers find the engine; 0: no limit."`
}

type rawView struct {
	Name    shortName `yaml:"name" required:"yes" doc:"For groups."`
	Include []mib.OID `yaml:"include" required:"yes" min:"1" max:"1024" doc:"Subtrees that are in the view. If an object is in several subtrees, the longest one decides."`
	Exclude []mib.OID `yaml:"exclude" max:"1024" doc:"Subtrees that are not in the view."`
}

type rawAccessGroup struct {
	Name   shortName          `yaml:"name" required:"yes" doc:"For communities and users."`
	Read   viewText           `yaml:"read" default:"common" doc:"The view that can be read. If empty, nothing can be read."`
	Write  viewText           `yaml:"write" default:"" doc:"The view that can be SET. If missing or empty, nothing can be SET."`
	Notify viewText           `yaml:"notify" default:"all" doc:"The view that notifications may come from. If empty, none may be sent. The user of a v3 target needs a view that has all of snmpTraps, 1.3.6.1.6.3.1.1.5. Other notifications are sent to it if the view has them and their variables."`
	Level  wire.SecurityLevel `yaml:"level" default:"authPriv" enum:"noAuthNoPriv authNoPriv authPriv" doc:"The lowest security level that users of the group may have. It does not apply to communities."`
}

type rawCommunity struct {
	Community strictyaml.Secret  `yaml:"community" required:"yes" doc:"The community."`
	From      []netip.Prefix     `yaml:"from" required:"yes" min:"1" max:"256" doc:"Addresses and prefixes that the community is accepted from. If a community is listed several times, the longest prefix that matches counts."`
	Group     shortName          `yaml:"group" required:"yes" doc:"The group that the community is in."`
	Name      shortName          `yaml:"name" default:"" doc:"The security name of the community. If missing, the name of the group."`
	Versions  []communityVersion `yaml:"versions" default:"v2c" min:"1" max:"2" doc:"The versions of SNMP that the community is accepted in: v1 and v2c. If missing, v2c only. SNMPv1 is for managers that have no other version: it has no Counter64."`
}

type rawUser struct {
	Name  string    `yaml:"name" required:"yes" min:"1" max:"32" doc:"The user name, which is the security name too."`
	Group shortName `yaml:"group" required:"yes" doc:"The group that the user is in. The user must have at least the group's security level."`
	Auth  *rawAuth  `yaml:"auth" doc:"How messages are authenticated. If missing, they are not: noAuthNoPriv."`
	Priv  *rawPriv  `yaml:"priv" doc:"How messages are encrypted. It needs auth. If missing, they are not encrypted."`
}

type rawAuth struct {
	Protocol usm.AuthProtocol  `yaml:"protocol" required:"yes" enum:"SHA SHA-224 SHA-256 SHA-384 SHA-512 MD5" doc:"The protocol. MD5 needs legacy: true."`
	Password strictyaml.Secret `yaml:"password" doc:"The password, at least 8 octets. Either a password or a key is needed."`
	Key      strictyaml.Secret `yaml:"key" doc:"The key localized for engine-id, in hexadecimal digits. It is as long as the digest of the protocol."`
}

type rawPriv struct {
	Protocol usm.PrivProtocol  `yaml:"protocol" required:"yes" enum:"AES-128 AES-192 AES-256 AES-192-C AES-256-C DES" doc:"The protocol. AES-192-C and AES-256-C extend keys as Cisco does, AES-192 and AES-256 as net-snmp does. DES needs legacy: true."`
	Password strictyaml.Secret `yaml:"password" doc:"The password, at least 8 octets. It should differ from the password of auth. Either a password or a key is needed."`
	Key      strictyaml.Secret `yaml:"key" doc:"The key localized for engine-id, in hexadecimal digits. It is as long as the digest of the protocol of auth, or as the key of this protocol."`
}

type rawNotification struct {
	Name          nameText          `yaml:"name" required:"yes" doc:"For logs and statistics."`
	Address       targetText        `yaml:"address" required:"yes" doc:"Where notifications go: an IP address or host name, or host:port. Without a port it is port 162."`
	Version       wire.Version      `yaml:"version" required:"yes" enum:"v2c v3" doc:"The version of SNMP."`
	Type          string            `yaml:"type" default:"trap" enum:"trap inform" doc:"trap: sent once; inform: sent again until it is answered."`
	Community     strictyaml.Secret `yaml:"community" doc:"The community, for v2c."`
	User          string            `yaml:"user" default:"" min:"1" max:"32" doc:"The name of one of the responder's users. v3 needs it, v2c must not have it. The notify view of the user's group must have all of snmpTraps, 1.3.6.1.6.3.1.1.5."`
	EngineID      engineID          `yaml:"engine-id" default:"" doc:"The snmpEngineID of the receiver, for informs of v3. If missing, the receiver is asked for it."`
	SourceAddress netip.Addr        `yaml:"source-address" default:"" doc:"The address of this host that notifications are sent from. If missing, the system chooses. The target must be of its family, IPv4 or IPv6."`
	Timeout       time.Duration     `yaml:"timeout" default:"5s" min:"10ms" max:"1000s" doc:"How long an inform waits for its answer."`
	Retries       int               `yaml:"retries" default:"3" min:"0" max:"100" doc:"How often an inform is sent again."`
}
