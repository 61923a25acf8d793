package radius

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

var errLongAnswer = errors.New("the answer is longer than 4096 octets")

// Relay forwards Access-Requests to servers.
type Relay interface {
	// Relay forwards a request and arranges that q.Answer or q.Drop is called exactly once, on any
	// goroutine. It does not block.
	Relay(q *AccessRequest)
	// Accepting returns nil if Relay would forward a request now, else the reason why not. It
	// decides whether a Status-Server is answered. It does not block.
	Accepting() error
}

// BatchRelay is a Relay for which several requests at once are less work.
type BatchRelay interface {
	Relay
	// RelayAll is Relay for each of the requests. It does not keep the slice.
	RelayAll(batch []*AccessRequest)
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

	exchange exchange
	ended    atomic.Bool // by Answer or Drop
}

// Answer answers the request. code is Access-Accept, Access-Reject or Access-Challenge. attrs are
// the attributes without Message-Authenticator and without the Proxy-States of the request; Answer
// adds both, and does not keep attrs. An answer of more than 4,096 octets is not sent. After the
// first call of Answer or Drop, further ones have no effect.
func (q *AccessRequest) Answer(code radius.Code, attrs []byte) {
	if q.ended.Swap(true) {
		return
	}
	if code != radius.CodeAccessAccept && code != radius.CodeAccessReject && code != radius.CodeAccessChallenge {
		q.exchange.abandon(refused, fmt.Errorf("%v is no answer to an Access-Request", code))
		return
	}
	q.exchange.complete(code, attrs)
}

// complete answers a request of the loginTable with these attributes, if the answer is not too long.
func (x *exchange) complete(code radius.Code, attrs []byte) {
	size := x.responseLen() + len(attrs)
	if size > radius.MaxPacket {
		x.abandon(dropped, errLongAnswer)
		return
	}
	x.code = code
	buffer := x.endpoint.buffer()
	*buffer = x.encode((*buffer)[:0], attrs)
	now := time.Now()
	kept, waits := x.logins.end(x, loginAnswer{code, *buffer}, now)
	x.endpoint.buffers.Put(buffer)
	if x.encoded = kept; waits {
		x.answeredFirst(now)
		x.answer(outcomeAnswered, now)
	} else {
		x.endpoint.count(x.client, dropped)
		x.trace(outcomeSuperseded, nil, now)
	}
	x.endpoint.pending.Add(-1)
}

// Drop leaves the request unanswered, for a reason that is counted and logged. A copy of the request
// that arrives later is a new request.
func (q *AccessRequest) Drop(reason error) {
	if !q.ended.Swap(true) {
		q.exchange.abandon(refused, reason)
	}
}

// abandon ends a request of the loginTable without an answer.
func (x *exchange) abandon(what counter, why error) {
	now := time.Now()
	x.logins.end(x, loginAnswer{}, now)
	x.drop(what, now, why)
	x.endpoint.pending.Add(-1)
}
