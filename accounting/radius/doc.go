// Package radius delivers accounting records to RADIUS servers (RFC 2866): a
// [Group] is the servers of one server group as an [accounting.Method].
//
// # The packet
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Code      |  Identifier   |            Length             |  Code 4: Accounting-Request
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+       5: Accounting-Response
//	|                         Authenticator                         |
//	|                          (16 octets)                          |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Type      |    Length     |  Value ...                       attributes, Length <= 4096 in all
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
//
//	Request Authenticator  = MD5(Code + Identifier + Length + 16 zeros + attributes + secret)
//	Response Authenticator = MD5(Code + Identifier + Length + Request Authenticator + attributes + secret)
//
// A request is the record's attributes and, last, Acct-Delay-Time. It has no
// Proxy-State and no Message-Authenticator. Of an answer the framing, the code,
// the authenticator and, if there is one, the Message-Authenticator (RFC 2869
// section 5.14) are checked; the attributes mean nothing (RFC 2866 section 4.2).
// What is wrong is counted and dropped, and the attempt waits on.
//
// # Attempts
//
// A record goes to the first server of the group that is not held down, Timeout
// apart, once and Retransmit times more; then to the next one in order
// (exchange.go, server_state.go). Acct-Delay-Time grows with each attempt, so
// each takes an identifier and an authenticator of its own (RFC 2866 sections
// 4.1 and 5.2, R61). The identifiers of earlier attempts stay reserved, for half
// a minute or as long as a record is with a server, and a late answer to any of
// them settles the record too; only when no more sockets may be opened is the
// oldest given up before. When all servers had their chances the record gets
// [accounting.ErrNoResponse]: to keep it and to come again is for the caller.
//
// A server that failed a record and has answered nothing since the record was
// sent there is held down: new records skip it for HoldDown, unless all servers
// are. Any right answer of its ends that.
//
// # Who owns what
//
// An identifier belongs to one socket of one server; sockets are opened when
// identifiers run out, up to two for each 256 records of the window
// (identifiers.go). One reader goroutine per socket takes answers; Run looks
// after deadlines and repeats; first attempts are sent by the caller of Send.
// done is called by a reader or by Run, never with the mutex held. The group's
// mutex guards all that changes; packets are made, checked, sent and received
// without it. Between taking an identifier and arming it the attempt is
// "preparing" and no answer can be right.
//
// The record and its attributes are the caller's, and only read.
package radius
