// Package radius delivers accounting records to RADIUS servers (RFC 2866): a
// [Group] is the servers of one server group as an [accounting.Method].
//
// A [Spec] is such a group as the configuration has it. If a server has a name
// there, what the Spec opens looks it up when it runs, and again now and then, and
// puts a Group of the addresses that it finds in the place of the one before
// (named.go).
//
// # The request
//
// A request is the record's attributes and, last, Acct-Delay-Time. It has no
// Proxy-State and no Message-Authenticator. Of an answer the framing, the code,
// the authenticator and, if there is one, the Message-Authenticator (RFC 2869
// section 5.14) are checked; the attributes mean nothing (RFC 2866 section 4.2).
// What is wrong is counted and dropped, and the attempt waits on.
//
// # Attempts
//
// Each server has a Schedule. A record goes to one server by its normal
// transmissions, Timeout apart, once and Retransmit times more; then, if that has
// BackoffRetry, by as many at intervals that double up to MaxDelay (R62); then to
// the next server in the order of the [Algorithm] (exchange.go, algorithm.go).
// When all had their chances the record gets [accounting.ErrNoResponse]: to keep
// it and to come again is for the caller. So, with a Timeout of 5 s:
//
//	Send            Later{10 s}  Send       Later{15 s}  Send
//	|                    |       |               |       |
//	0    5    10    15   20      25         30           45   ...  last + 5
//	x    x    x     x            x                       x         next server
//	'---- normal ----'           '----- back-off, one transmission for each Send
//
// A normal transmission is timed here; the waits of the back-off are the caller's,
// who Sends the record again with the Progress of its [accounting.Later]. In
// between the group knows nothing of it.
//
// Acct-Delay-Time grows with each attempt, so each takes an identifier and an
// authenticator of its own (RFC 2866 sections 4.1 and 5.2, R61). The identifiers
// of earlier attempts stay reserved, for half a minute or as long as a record is
// with a server, and a late answer to any of them settles the record too; only
// when no more sockets may be opened is the oldest given up before. An answer
// during the wait of a back-off does not settle the record. It tells that the
// server is up, and Config.Heard that the record may be sent again at once.
//
// An Accounting-On or -Off ([Group.Announce], R63) has the normal transmissions of
// each server, dead or not, and no back-off.
//
// # Servers
//
//	          criteria met                            HoldDown over,
//	.------.  --------------->  .-------------------.  a record sent  .-------------------.
//	|  up  |                    | dead, held down   | --------------> | dead, being probed|
//	'------'  <---------------  '-------------------' <-------------- '-------------------'
//	   ^        a right answer      for HoldDown         unanswered             |
//	   '------------------------------------------------------------------------'
//	                              a right answer
//
// The criteria are, by default, that a record had all of its normal transmissions
// and nothing was heard of the server since the first, else [DeadCriteria]
// (server_state.go). While any server is up, records skip the dead ones, but for
// one at a time to each whose hold-down is over: its probe. When all are dead the
// record goes to the next in order that may be probed, or else to the next.
//
// A transmission of a back-off has its server already, and does not wait for the
// hold-down: it is the probe of a dead server. While there is another probe it is
// suppressed: it counts as made, and nothing is sent. So a backlog is probed with
// one record (R62), and one record alone is sent on its schedule.
//
// # Who owns what
//
// An identifier belongs to one socket of one server; sockets are opened when
// identifiers run out, up to two for each 256 records of the window
// (identifiers.go, socket.go). One reader goroutine per socket takes answers; Run
// looks after deadlines and repeats; what is due when it comes is sent by the
// caller of Send or Announce. done is called by a reader, by Run or by a goroutine
// of its own, never with the mutex held. The group's mutex guards all that
// changes; packets are made, checked, sent and received without it. Between taking
// an identifier and arming it the attempt is "preparing" and no answer can be
// right.
//
// Of a group whose servers have names Run owns the look-ups. Its mutex guards which
// Group there is, and what came before the first look-up was over; no function of
// a Group is called with it held.
//
// The record and its attributes are the caller's, and only read.
package radius
