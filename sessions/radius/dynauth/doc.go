// Package dynauth lets servers end and change sessions through us (RFC 5176 section 3.1, R33).
//
//	server ──► radius.ChangeListener ──► Forwarder ──► dae.Disconnector ──► NAS
//	server ◄────────────── Answer ◄── Forwarder ◄──────── Reply ◄────────── NAS
//
// A server knows a session by what its accounting records had: our Acct-Session-Id, the User-Name of
// the Access-Accept, and the rest as the NAS sent it. The NAS knows it by its own values. So the
// attributes that identify session and NAS are not passed on. [Forwarder] finds the session by them,
// and dae.Disconnector.Forward identifies it for the NAS by the profile of its client.
//
// # What is passed on
//
// All other attributes of the request go to the NAS, in their order and octet for octet; encrypted
// values are encrypted again. Message-Authenticator, Proxy-State and Event-Timestamp are not passed on:
// many NASes refuse them, and the profile has those that this NAS takes. The answer of the NAS goes to
// the server in the same way. An Acct-Session-Id in it becomes ours.
//
// # Refusals of our own
//
//	402  the request has nothing that identifies a session
//	403  the session has another NAS than the request says
//	404  there are several Acct-Session-Ids, or an empty one
//	407  an encrypted value cannot be encrypted again
//	501  the server does not account the session ([Config.MayChange])
//	502  the NAS is no client, nothing can end or change the session, or nothing could be sent to it
//	503  no session matches
//	506  a limit is reached
//	508  several sessions match
//
// If the NAS does not answer, the server gets no answer either, and its next copy is a new request.
//
// # The end of a session
//
// The stop of the NAS counts, with its cause; nothing is marked in the table, so casnDisconnectedSessions
// does not count it (R6). If no stop follows an ACK in [Config.StopWait], Forwarder makes the stop from the
// last counters (R31). It does so at once if the NAS answers a Disconnect-Request with 503, unless the
// NAS may have the session all the same: it was not asked with all that is known, or the request had
// attributes of the server that were passed on. These waits are not durable: after a restart such a
// session lives until its NAS, or an operator, ends it.
//
// # Who owns what
//
// Each request has a goroutine until it is answered; their number is limited. At each NAS a limited
// number of requests is under way, and the others wait for their turn. No lock is held over I/O.
package dynauth
