// Package client sends RADIUS requests to the servers of a [Group], in order, and repeats them as
// the servers' schedules say until one answers. A group has a [Purpose]: accounting, or an
// authentication relay. What is in a request is its caller's business.
//
// # Servers
//
// A [Client] has each server once, whichever groups name it ([Identity]). Its state and its
// addresses belong to the server, not to a group, and stay as long as any group has the server. So
// an Access-Request without an answer makes a server dead for accounting too, as in Cisco IOS. But
// each port has a [servers.Health] of its own: answers on one port do not hide that nobody answers
// on the other one. At a reload, the new group is created before the old one is closed, so the
// state of an unchanged server survives. The statistics of each purpose belong to the name of the
// server, and stay as long as the name is configured ([Client.SetNames]).
//
// A server whose Host is a name resolves it independently, every few minutes. While it has no
// address, groups skip it. When its address changes, requests in flight are sent to the new address
// at once, and the server starts with a clean state there.
//
// Package servers decides by a server's answers and timeouts which server is dead, and which one a
// request goes to ([servers.Health], [servers.Choose]). A server may have an active [Test]: an idle
// or dead port gets a request that no user has made, from the Run of the first group that has the
// port and finds that a test is due. It has the schedule and the rules of that group, but does not
// count in its window (activetest.go).
//
// # Transmissions
//
// Each member of a group has a Schedule. A request gets its normal transmissions to one server:
// one, and Retransmit more, Timeout apart. If the schedule has BackoffRetry, that many follow at
// intervals that double up to MaxDelay (R62). Then the request goes to the next server in the order
// of the [Algorithm] (exchange.go, algorithm.go). When all servers had their transmissions, the
// request gets [ErrNoResponse]; the caller must keep it and send it again later. With a Timeout of
// 5 s:
//
//	Send            retry.Later{10 s}  Send       retry.Later{15 s}  Send
//	|                    |       |               |       |
//	0    5    10    15   20      25         30           45   ...  last + 5
//	x    x    x     x            x                       x         next server
//	'---- normal ----'           '----- back-off, one transmission for each Send
//
// This package times normal transmissions. The caller waits during the back-off: it calls Send
// again with the Progress of the [retry.Later]. In between the group does not know the request. A
// back-off transmission already has its server, and does not wait for the end of the hold-down: it
// is the probe of a dead server. If another probe is in flight, it is suppressed: it counts as
// made, but nothing is sent. So one request probes for a whole backlog (R62), and a single request
// is sent on its schedule.
//
// An Accounting-Request's contents may change with each transmission (Acct-Delay-Time), so each
// transmission has its own identifier and authenticator (RFC 2866 sections 4.1 and 5.2, R61). An
// Access-Request is repeated as it is, from the same Conn, because the server must know it again
// (RFC 5080 section 2.2.1): the exchange keeps its octets until it leaves the server. It has no
// back-off. The identifiers of earlier transmissions stay reserved for half a minute, or as long as
// a request may be with a server, and a late answer to any of them settles the request too. An
// identifier is reused earlier only if no more Conns may be opened. An answer during the wait of a
// back-off does not settle the request. It marks the server up, and GroupConfig.Heard tells the
// caller that the request may be sent again at once.
//
// Each answer's framing, code, authenticator and, if there is one, Message-Authenticator (RFC 3579
// section 3.2) are checked. An answer on the AuthPort must have one as the server's Signing says. An
// invalid answer is counted and dropped, and the transmission keeps waiting.
//
// # Who owns what
//
// A server has a path for each purpose and each local address that groups send from. An identifier
// belongs to one [Conn] of one path. Conns are opened when identifiers run out, up to two for each
// 256 requests of the groups' windows (identifiers.go, path.go). One reader goroutine for each Conn
// receives answers. Run of a group handles deadlines and retransmissions; the caller of Send or
// Announce makes a transmission that is due immediately, or adds it to its [Batch]. Done is called
// by a reader, by Run, by the caller of Abandon or Close, or by its own goroutine, never with the
// mutex held. The client's mutex guards all mutable state of all servers and groups. Packets are
// encoded, checked, sent and received without it. Between allocating an identifier and arming it,
// the transmission is "preparing" and accepts no answer.
package client
