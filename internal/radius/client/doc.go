// Package client sends RADIUS requests to servers: to those of a [Group] in order, again and again as their schedules
// say, until one answers. What a request is for is its caller's business: accounting, or a relay of authentication.
//
// # Servers
//
// A [Client] has each server once, whatever groups name it ([Identity]): its state and statistics are those of the
// server, not of a group, and stay as long as any group has it. A group that replaces another one at a reload is made
// before the other ends, so a reload that does not change a server changes nothing that is known of it.
//
// A server whose Host is a name is looked up by itself, every few minutes. While it has no address, groups leave it
// out. When it moves, what is under way goes to the new address at once, and nothing is held against it.
//
//	          criteria met                            HoldDown over,
//	.------.  --------------->  .-------------------.  a request sent .-------------------.
//	|  up  |                    | dead, held down   | --------------> | dead, being probed|
//	'------'  <---------------  '-------------------' <-------------- '-------------------'
//	   ^        a right answer      for HoldDown         unanswered             |
//	   '------------------------------------------------------------------------'
//	                              a right answer
//
// The criteria are those of the group whose request was not answered; by default, that a request had all of its normal
// transmissions and nothing was heard of the server since the first, else [DeadCriteria] (state.go). While any server is
// up, requests skip the dead ones, but for one at a time to each whose hold-down is over: its probe. When all are dead
// the request goes to the next in order that may be probed, or else to the next. For a group without a hold-down no
// server is dead.
//
// # Attempts
//
// Each member of a group has a Schedule. A request goes to one server by its normal transmissions, Timeout apart, once
// and Retransmit times more; then, if that has BackoffRetry, by as many at intervals that double up to MaxDelay (R62);
// then to the next server in the order of the [Algorithm] (exchange.go, algorithm.go). When all had their chances the
// request gets [ErrNoResponse]: to keep it and to come again is for the caller. So, with a Timeout of 5 s:
//
//	Send            retry.Later{10 s}  Send       retry.Later{15 s}  Send
//	|                    |       |               |       |
//	0    5    10    15   20      25         30           45   ...  last + 5
//	x    x    x     x            x                       x         next server
//	'---- normal ----'           '----- back-off, one transmission for each Send
//
// A normal transmission is timed here; the waits of the back-off are the caller's, who Sends the request again with the
// Progress of its [retry.Later]. In between the group knows nothing of it. A transmission of a back-off has its server
// already, and does not wait for the hold-down: it is the probe of a dead server. While there is another probe it is
// suppressed: it counts as made, and nothing is sent. So a backlog is probed with one request (R62), and one request
// alone is sent on its schedule.
//
// What a request sends may change with each attempt (Acct-Delay-Time), so each takes an identifier and an authenticator
// of its own (RFC 2866 sections 4.1 and 5.2, R61). The identifiers of earlier attempts stay reserved, for half a minute
// or as long as a request is with a server, and a late answer to any of them settles the request too; only when no more
// Conns may be opened is the oldest given up before. An answer during the wait of a back-off does not settle the
// request. It tells that the server is up, and GroupConfig.Heard that the request may be sent again at once.
//
// Of an answer the framing, the code, the authenticator and, if there is one, the Message-Authenticator (RFC 3579
// section 3.2) are checked. What is wrong is counted and dropped, and the attempt waits on.
//
// # Who owns what
//
// A server has a path for each local address that groups send from. An identifier belongs to one [Conn] of one path;
// Conns are opened when identifiers run out, up to two for each 256 requests of the groups' windows (identifiers.go,
// path.go). One reader goroutine per Conn takes answers; Run of a group looks after deadlines and repeats; what is due
// when it comes is sent by the caller of Send or Announce. Done is called by a reader, by Run, by who calls Abandon or Close, or by a goroutine of its
// own, never with the mutex held. The client's mutex guards all that changes, of all of its servers and groups; packets
// are made, checked, sent and received without it. Between taking an identifier and arming it the attempt is
// "preparing" and no answer can be right.
package client
