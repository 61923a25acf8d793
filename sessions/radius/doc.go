// Package radius is the RADIUS side of the session table: what NASes report
// (RFC 2866, RFC 2869) and how their sessions are ended (RFC 5176).
//
// # Listener
//
// A [Listener] takes Accounting-Requests on its UDP sockets. Each is checked in
// this order: the client that owns the source address, the framing, the Request
// Authenticator, the Message-Authenticator if there is one, the contents. What
// fails is dropped and counted. A line about it is logged at most once a minute
// per client, source address and reason; the number of such lines is bounded, and
// one line more speaks for the rest. What passes becomes a [sessions.Event] and
// goes to the [Sink]; the Accounting-Response leaves only after the sink has called
// back that the event is durable (R60). A request that the sink does not take is
// not answered: the NAS sends it again.
//
// A Status-Server (RFC 5997) with a Message-Authenticator is answered with an
// Accounting-Response as long as the sink would take an event. It is never forwarded.
//
// # Duplicates
//
// There are two kinds. A datagram that comes again octet for octet within 30 s of
// its answer, an Accounting-On or -Off within 2 s, is recognised here and its answer
// repeated. A NAS that changes identifier and Acct-Delay-Time with each
// retransmission (hostapd) sends a new packet about an old event: that is for the
// table to recognise.
//
// # Disconnector
//
// A [Disconnector] sends Disconnect-Requests from one socket for each address
// family and matches the answers by peer, identifier and Response Authenticator.
// A request leaves from the address that the NAS sends its accounting to
// (IP_PKTINFO, IPV6_PKTINFO). A retransmission is the identical packet (RFC 5176
// section 2.3). At most 256 requests to one NAS are on their way at once; more
// wait for an identifier. That nobody listens at the NAS's port is read from the
// sockets' error queues (IP_RECVERR, IPV6_RECVERR).
//
// A NAS that refuses a request, or is silent, is asked in other words: ladder is
// the machine that decides which, and when a NAK 503 is believed (R33).
//
// # Who owns what
//
// Each socket of a Listener has a reading goroutine, which owns its buffers and
// calls the sink, and a writing one, which makes and sends the answers. Between
// the sink's callback and the writer is a bounded queue: the committer never
// waits for a socket. Both lists of clients are immutable and swapped whole by
// SetClients. The Disconnector's lock covers its table of identifiers; no lock
// is held over I/O.
//
// Package aaasess/internal/radius has the packets. Accounting-Responses carry no
// Message-Authenticator (see exchange.go).
package radius
