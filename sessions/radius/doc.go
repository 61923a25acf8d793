// Package radius connects the session table and the authentication relay to the NASes. It receives
// accounting (RFC 2866, RFC 2869) and Access-Requests (RFC 2865, RFC 3579), and the Disconnect-Requests
// and CoA-Requests of servers (RFC 5176). Package dae sends such requests to NASes.
//
// # Listener
//
// A [Listener] receives Accounting-Requests on its UDP sockets. It checks each request in this
// order: the client that owns the source address, the framing, the Request Authenticator, the
// Message-Authenticator if there is one, the contents. A request that fails a check is dropped and
// counted. The listener logs at most one line a minute for each client, source address and reason.
// The number of such lines is bounded; drops beyond it share one summary line.
//
// A request that passes becomes a [sessions.Event] and goes to the [Sink]. The Accounting-Response
// leaves only after the sink has called back that the event is durable (R60). If the sink refuses
// the event, the listener does not answer, and the NAS sends the request again.
//
// The listener answers a Status-Server (RFC 5997) that has a Message-Authenticator with an
// Accounting-Response, as long as the sink accepts events. It never forwards a Status-Server.
//
// # AuthListener
//
// An [AuthListener] is the same for Access-Requests, which go to a [Relay]. Their authenticator is
// random, so only a Message-Authenticator proves that the NAS knows the secret. A wrong one is always
// dropped. The client's Signing says whether a request without one is dropped too. One with
// EAP-Message and without Message-Authenticator always is (RFC 3579 section 3.1).
//
// An answer has a Message-Authenticator first, then the attributes that the relay gives, then the
// Proxy-States of the request. It is encoded once, when the relay calls [AccessRequest.Answer]. The
// answer to a Status-Server is an Access-Accept (RFC 5997 section 3).
//
// # ChangeListener
//
// A [ChangeListener] is the same for Disconnect-Requests and CoA-Requests of servers, which go to a
// [Changer]. Its clients are servers. It drops a request whose Event-Timestamp is too far from our clock,
// and one with Event-Timestamp that was answered before (RFC 5176 section 6.3). It answers no
// Status-Server.
//
// # Duplicates
//
// There are two kinds. The first is the identical datagram, received again within 30 s of its
// answer (an Accounting-On or -Off: within 2 s). This package recognises it and repeats the answer.
// The second comes from a NAS that changes identifier and Acct-Delay-Time with each retransmission
// (hostapd): a new packet about an old event. The session table recognises that one.
//
// An Access-Request has only the first kind (RFC 5080 section 2.2.2), and so has a request of a server
// (RFC 5176 section 2.3). Its answer is kept for at least 10 s and sent again, octet for octet. If a NAS
// or server uses an identifier for another request before it has an answer to the first, it has given up
// the first one: that answer is not sent.
//
// # Who owns what
//
// Each listener is an endpoint, which has the sockets, and a service, which knows what a request
// means. Each socket has a reading and a writing goroutine. The reader owns its buffers and calls the
// sink or the relay; the writer sends the answers. Under load a system call receives or sends many
// (package udpbatch). A bounded queue connects the callback of the sink,
// or of the relay, to the writer, so neither waits for a socket. A [ClientTable] is replaced whole by
// SetClients. No lock is held over I/O, nor while the sink or the relay is called.
//
// Package aaasess/internal/radius has the packets. Accounting-Responses carry no
// Message-Authenticator (see exchange.go).
package radius
