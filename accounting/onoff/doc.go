// Package onoff tells the servers of a group that accounting begins and ends: Accounting-On and
// Accounting-Off, RFC 2866 section 5.1. Spec R63; S3 ("acct-on-off").
//
// # What is sent
//
// A [Sender] per server group sends the On to one server after the other until one answers, and
// again a minute after a round that nobody answered. The Off is sent once, at the end of the daemon
// or when the group leaves the configuration. The states are those of S3:
//
//	unknown ---> sendAcctOn ---> on ---> sendAcctOff ---> off
//	                ^                        |
//	                |                        +----------> OffNoResp
//	                +-- an On is asked for, in any state
//
// An On/Off sequence has one Acct-Session-Id, and a record the same octets in all its rounds.
// These records are not of a session and never in the store: after a restart a new sequence begins.
//
// With oper-state-change a server group is blocked until its On is answered ([Status], [Block]). A
// group of groups ([Group]) has one server group that sends, and others that are blocked with it.
// This package only says who is blocked; the caller keeps the records back.
//
// # Who owns what
//
// machine.go is the whole life as a pure function: an event and a moment in, a new machine and what
// to do out. [Sender] has the lock around it, the timer and the log. [Sender.Run]'s goroutine alone
// hands records to [Announce] and calls [Config].Changed; the lock is never held over either.
// Who announces owns sockets and retransmissions, and reports how each round ended.
package onoff
