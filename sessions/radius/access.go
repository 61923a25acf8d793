package radius

import (
	"net/netip"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Relay forwards Access-Requests to servers.
type Relay interface {
	// Relay forwards a request and arranges that q.Answer or q.Drop is called exactly once, on any
	// goroutine. It does not block.
	Relay(q *AccessRequest)
	// Accepting returns nil if Relay would forward a request now, else the reason why not. It
	// decides whether a Status-Server is answered. It does not block.
	Accepting() error
}

// AccessRequest is an Access-Request of a NAS that waits for its answer. Its sender knows the
// secret, as far as the client's Signing proves that. The fields do not change.
type AccessRequest struct {
	// Packet is the request as it was received. Its octets belong to the AccessRequest.
	Packet radius.Packet
	// ClientName is the name of the client that owns the source address.
	ClientName string
	// Secret is the client's secret at the time of the request.
	Secret radius.Secret
	// NAS has the identifiers of the NAS that are in the request, its source address, and the local
	// address that the request was sent to.
	NAS sessions.NAS
	// SameClient reports whether a source address belongs to the same client.
	SameClient func(netip.Addr) bool
	// Kind is the kind of session that the request is for. It is sessions.Resource for a call
	// (preauthentication).
	Kind sessions.Kind
	// From is where the request came from.
	From netip.AddrPort
	// Received is when the request arrived.
	Received time.Time
}

// Answer answers the request. code is Access-Accept, Access-Reject or Access-Challenge. attrs are
// the attributes without Message-Authenticator and without the Proxy-States of the request; Answer
// adds both, and does not keep attrs. An answer of more than 4,096 octets is not sent.
func (q *AccessRequest) Answer(code radius.Code, attrs []byte) {}

// Drop leaves the request unanswered, for a reason that is counted and logged. A copy of the request
// that arrives later is a new request.
func (q *AccessRequest) Drop(reason error) {}
