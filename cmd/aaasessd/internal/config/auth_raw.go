package config

import (
	"net/netip"
	"time"

	"aaasess/accounting"
)

type rawAuthListener struct {
	Listen []netip.AddrPort `yaml:"listen" default:"0.0.0.0:1812 [::]:1812" min:"1" max:"64" restart:"yes" doc:"Addresses and ports, as radius.accounting.listen. They are opened only if the section authentication is there."`
}

type rawAttribute44 struct {
	IncludeInAccessReq bool `yaml:"include-in-access-req" default:"false" doc:"Whether an Access-Request has the Acct-Session-Id that the session's accounting will have (radius-server attribute 44 include-in-access-req of Cisco IOS). Its number is then reserved until the start, or for authentication.start-wait. It replaces an Acct-Session-Id of the NAS, except with sync-with-client."`
	ExtendWithAddr     bool `yaml:"extend-with-addr" default:"false" doc:"Whether the IPv4 address of the NAS, as eight hexadecimal digits, is put in front of each Acct-Session-Id that goes to servers (radius-server attribute 44 extend-with-addr). It is NAS-IP-Address, or else the address that the packets come from. It is not put there twice. A session keeps the Acct-Session-Id that it began with."`
	SyncWithClient     bool `yaml:"sync-with-client" default:"false" doc:"Whether the NAS's own Acct-Session-Id goes to the servers, instead of that of aaasess (radius-server attribute 44 sync-with-client). Where it ends in at most eight hexadecimal digits whose number is free, this is also the number of the session in the session table. A session keeps the Acct-Session-Id that it began with."`
}

type rawTest struct {
	Username       string        `yaml:"username" default:"" min:"1" max:"253" doc:"The User-Name of the test requests: an Access-Request with a random password on auth-port, and an Accounting-Request on acct-port. Any valid answer, also an Access-Reject, shows that the server is up. It is needed unless status-server is true."`
	IdleTime       time.Duration `yaml:"idle-time" default:"60m" min:"1s" max:"596h" doc:"After how long without an answer from it a server that is not dead is tested."`
	StatusServer   bool          `yaml:"status-server" default:"false" doc:"Whether the test requests are Status-Server packets (RFC 5997). They need no user, but not all servers answer them."`
	IgnoreAuthPort bool          `yaml:"ignore-auth-port" default:"false" doc:"Whether auth-port is not tested."`
	IgnoreAcctPort bool          `yaml:"ignore-acct-port" default:"false" doc:"Whether acct-port is not tested."`
}

type rawAuthentication struct {
	Lists     map[string]rawAuthList `yaml:"lists" required:"yes" keys:"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" wants:"the name of a list" doc:"Method lists. The list default, which must be there, applies to all clients that apply does not name."`
	Apply     []rawAuthApply         `yaml:"apply" max:"4096" doc:"Where the other lists apply. A client is in at most one entry."`
	StartWait time.Duration          `yaml:"start-wait" default:"2m" min:"1s" max:"24h" doc:"How long what an Access-Accept says of a user is kept for the accounting start, and a reserved session number too. After that, the user counts as one that was accepted and whose session has never started."`
}

type rawAuthList struct {
	Methods []accounting.MethodName `yaml:"methods" max:"4" required:"yes" doc:"The methods, in the order in which they are tried: group NAME of RADIUS servers, or group radius (all RADIUS servers that are not private). The next one is tried only if no server of the one before answers; an Access-Reject is an answer. If empty, nothing is authenticated: Access-Requests are dropped."`
}

type rawAuthApply struct {
	Clients []nameText `yaml:"clients" required:"yes" min:"1" max:"4096" doc:"Names of radius.clients."`
	List    nameText   `yaml:"list" required:"yes" doc:"Name of the list for the Access-Requests of these clients."`
}
