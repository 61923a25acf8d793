// Package onoff tells the servers of a group when accounting begins and ends, with Accounting-On
// and Accounting-Off (RFC 2866 section 5.1). Spec R63; S3 ("acct-on-off").
//
// # What is sent
//
// Each server group has a [Sender]. It sends the On to one server after the other until one
// answers. If no server answers, the next round starts a minute later. The Off is sent once, at the
// end of the daemon or when the group is removed from the configuration. The states are those of
// S3:
//
//	unknown ---> sendAcctOn ---> on ---> sendAcctOff ---> off
//	                ^                        |
//	                |                        +----------> OffNoResp
//	                +-- an On is requested, in any state
//
// An On and the Off after it form a sequence and have the same Acct-Session-Id. A record has the
// same octets in all of its rounds. These records belong to no session and are never in the store:
// a restart begins a new sequence.
//
// With oper-state-change, a server group is blocked until its On is answered ([Status], [Block]).
// An acct-on-off-group ([Group]) has one server group that sends, and others that are blocked
// together with it. This package only says which groups are blocked; the caller holds the records.
//
// # Concurrency
//
// machine.go is the whole life cycle as a pure function: an event and a time in, a new machine and
// its effects out. [Sender] adds the lock, the timer and the log. Only the goroutine of
// [Sender.Run] passes records to [Announce] and calls [Config].Changed. It never holds the lock
// over these calls. The implementation of Announce owns sockets and retransmissions, and reports
// how each round ended.
package onoff
