// Package relay forwards Access-Requests of NASes to servers, and their answers back (RFC 2865
// section 2.3). It authenticates nobody itself.
//
//	NAS ──► radius.AuthListener ──► Relay ──► client.Group ──► server
//	NAS ◄────────────── Answer ◄── Relay ◄────── Done ◄─────── server
//	                                 │
//	                                 └─ Ask, Accept, Reject ─► Admissions
//
// # Which server
//
// The client of a request has a list of methods: server groups, in order ([Routes]). A request goes
// to the first group. The next group gets it only if the one before gave no response (R42) or cannot
// take it: all its servers are dead, its window is full, or it is blocked ([Config.Blocked], R63). If
// no group is left, the NAS gets no answer, so it fails over or sends its request again. A list's last
// group is asked even if all its servers are dead.
//
// A request with a State that we know goes only to the server that sent this State in an
// Access-Challenge, because only this server knows the conversation. All rounds of an EAP login
// therefore have one server (conversations.go). A request with an unknown State is handled like one
// without.
//
// # The request
//
// The Access-Request to the server has these attributes, in this order:
//
//	Message-Authenticator   ours; that of the NAS is left out
//	all others of the NAS   in their order and octet for octet, with these exceptions: encrypted values
//	                        are encrypted again; an Acct-Session-Id that Admissions.Ask replaces is left out
//	Acct-Session-Id, Class  as Admissions.Ask says
//	CHAP-Challenge          the NAS's Request Authenticator, if there is a CHAP-Password without
//	                        CHAP-Challenge (RFC 2865 section 2.2): ours is another one
//	Proxy-State             ours, behind those of the NAS (RFC 2865 section 5.33), if there is room
//
// Our Proxy-State is the same in all requests of a client. A request of the client that comes with it
// has been in a loop of proxies and is dropped.
//
// # The answer
//
// Encrypted values (Tunnel-Password, MS-MPPE-Send-Key, MS-MPPE-Recv-Key, and all that the dictionary
// says are encrypted) are encrypted again, for the NAS. The server's Message-Authenticator and all
// Proxy-States are left out: the AuthListener adds its own Message-Authenticator and the NAS's
// Proxy-States. Everything else stays octet for octet. If a value cannot be encrypted again, the whole
// answer is dropped.
//
// # Why not layeh.com/radius for encryption
//
// [radius.Recrypter] encrypts again in place. layeh's functions end a password at its first zero
// octet, reject salts that other servers send, remove padding, and allocate each value twice. Tests
// hold ours against them.
//
// # Order of events
//
// Admissions hears of an Accept before the NAS does, so an accounting start that follows at once
// finds it. A Reject waits until its stop record is durable, but at most a second (R64).
//
// # Memory
//
// The requests in flight are bounded for each group, by its window, and in total, by number and
// octets; one group has at most half of the total. So a group whose servers do not answer leaves
// room for the others. A login in flight needs about 2 kB, with all that the listener and the client
// have of it. Conversations are bounded in number and time.
//
// # Who owns what
//
// [Relay.Relay] runs on the reading goroutine of the AuthListener, and Done on one of the client's
// package. There is no goroutine for a request. Routes are immutable and replaced as a whole; a
// request that a closed group gives back continues with the routes of that moment. The only mutex is
// that of the conversations.
package relay
