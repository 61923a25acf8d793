// Package dae ends sessions at their NASes, and forwards what servers want of the NASes (RFC 5176,
// Dynamic Authorization Extensions to RADIUS).
//
// A [Disconnector] sends Disconnect-Requests, and CoA-Requests of servers (package dynauth), from one
// socket for each address family. It matches answers by peer, identifier and Response Authenticator. A
// request leaves from the address that the NAS sends its accounting to (IP_PKTINFO, IPV6_PKTINFO). A
// retransmission is the identical packet (RFC 5176 section 2.3). At most 256 requests to one NAS are in
// flight; further requests wait for an identifier. The sockets' error queues (IP_RECVERR, IPV6_RECVERR)
// report when the NAS's port is closed.
//
// If a NAS refuses a request or does not answer, the Disconnector sends one with other attributes. The
// type ladder decides which attributes, and when a NAK with Error-Cause 503 means that the session is
// over (R33).
//
// Each NAS address and port has counters, [NASView], as radiusDynAuthServerTable wants them (RFC 4672). They
// are atomic, except for the list of NASes, which has the lock of the identifiers.
//
// # Who owns what
//
// Each socket has a reading goroutine. The callers of Disconnect and Forward send, and wait for their
// answers. The table of clients is replaced whole; one lock covers the table of identifiers, another
// the list of sockets. No lock is held over I/O.
package dae
