// Package client sends TACACS+ accounting requests (RFC 8907 section 7) to the servers of a
// [Group], in order, and repeats them as the servers' schedules say until one accepts them.
//
// # Servers
//
// A [Client] has each server once, whichever groups name it ([Identity]). Its state
// belongs to the server, not to a group, and stays as long as any group has the server. Its statistics
// belong to its name, and stay while that is configured ([Client.SetNames]). At a reload,
// the new group is created before the old one is closed, so the state of an unchanged server
// survives. Package servers decides by a server's answers and failures which server is dead, and
// which one a request goes to ([servers.Health], [servers.Choose]).
//
// A host name is resolved for each connection, by [Dial].
//
// # Answers
//
// Only status SUCCESS delivers a request. ERROR and FOLLOW send it to the next server at once, without
// retransmissions and back-off; when there is none left, its result is [ErrRefused] (R42). They do
// not show that the server is useless: the fault may be in the one request. So a server is dead only
// when several different requests in a row had such an answer: DeadCriteria.Tries, or three; when
// all that answered so are dead, the result is [ErrNoResponse]. FOLLOW
// is not followed, because its servers are not configured (RFC 8907 section 10.5 advises against it).
//
// An answer must have the right version, type and seq_no, and be obfuscated. Nothing in it proves
// that the server knows the key: with another key, the lengths in its body do not add up, which is
// logged as such. After an answer with a fault the connection is closed, and the request goes to the
// next server. An answer of an unknown session is counted and dropped.
//
// # Transmissions
//
// Each member of a group has a Schedule. A request gets its normal transmissions to one server: one,
// and Retransmit more, Timeout apart. If the schedule has BackoffRetry, that many follow at intervals
// that double up to MaxDelay (R62). Then the request goes to the next server. This package times
// normal transmissions. The caller waits during the back-off: it calls Send again with the Progress
// of the [retry.Later]. In between the group does not know the request. A back-off transmission does
// not wait for the end of the hold-down: it is the probe of a dead server. If another probe is in
// flight, it is suppressed: it counts as made, but nothing is sent.
//
// A connection that cannot be opened, or that ends before the server has answered anything on it,
// ends the normal transmissions at once. The caller's schedule decides when a group with one server
// gets the request again.
//
// Timeout runs from the moment when a packet is sent. A request that waits for a connection times
// out when the server has answered nothing for Timeout.
//
// # Connections
//
// A server has a path for each local address of groups. A path has the requests that wait for a
// connection, and up to Connections connections:
//
//	          Dial            the first request     its answer agrees
//	dialing --------> fresh --------------> proving ----------------> kept --------.
//	   |                |                      |                        |          | reconfigured
//	   |                |                      | its answer does not    |          v
//	   '----------------+--------> ended <-----+------------------------+------ retiring
//
// Without single connection mode (RFC 8907 section 4.3), each request has a connection of its own.
// With it, the first packet of a connection has the flag, and nothing else is sent until its answer
// is there. If the answer has the flag too, the connection is kept and has many sessions at once,
// whose answers come in any order. Each request goes to the kept connection with the fewest
// requests. When each has 32 (busy), another connection is opened, one at a time.
//
// When a kept connection ends, the requests in flight are sent again at once, on another connection,
// and their server has not failed, unless it answered nothing on the connection. In either case each
// connection answers or fails at least one request, so nothing is repeated forever. A server that
// closes three kept connections in a row after a few answers (fewAnswers) does not keep them: for ten
// minutes single connection mode is not asked for.
//
// A connection on which nothing was heard between a request and its timeout is closed; what else
// was in flight is sent again on another one. On other connections a session stays known after its
// timeout. A late answer settles its request, if it is not settled yet. Otherwise
// GroupConfig.Heard tells the caller that the server answers.
//
// # Who owns what
//
// Each connection has two goroutines: one dials and reads answers, the other writes. The writer
// begins the sessions of all requests that wait for it, and writes their packets at once. Run of a
// group handles deadlines. Done is called by a reader, by a writer (ErrUnsendable), by Run, by the
// caller of Abandon or Close, or by its own goroutine, never with the mutex held. The client's mutex
// guards all mutable state of all servers and groups. Packets are encoded, decoded, sent and received
// without it. A connection is closed by ending its context, so that no lock is held over Close.
package client
