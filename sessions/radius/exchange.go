package radius

import (
	"errors"
	"net/netip"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/udpsocket"
)

var (
	errUnknownClient = errors.New("unknown client")
	errAuthenticator = errors.New("wrong authenticator or Message-Authenticator: check the shared secret")
)

// replier sends answers back to where their requests came from: a socket or a stream.
type replier interface {
	// reply queues an answer and reports whether there was room. It does not block.
	reply(x *exchange) bool
}

// arrival is where a request came from, and how to answer it.
type arrival struct {
	replies replier
	seen    *duplicateTable // Accounting-Requests received on this socket or stream
	logins  *loginTable     // Access-Requests received on it
	from    netip.AddrPort
	sentTo  netip.Addr      // the local address that it was sent to
	local   udpsocket.Local // source address for the answer; set only on a wildcard socket
}

// exchange is a request that must be answered. It does not change once it is being answered.
type exchange struct {
	arrival
	endpoint   *endpoint
	client     *client
	received   time.Duration // when the request was, since the endpoint was opened
	key        requestKey
	request    radius.Code // code of the request
	session    string      // the NAS's Acct-Session-Id, "" if there is none
	user       string      // User-Name, for lines of level debug; "" if there is none or the log has none
	code       radius.Code // code of the response
	proxyState string      // all Proxy-State attributes of the request, complete, in order
	encoded    []byte      // the response, if it is encoded already
}

// answer answers the request; outcome is for the log.
func (x *exchange) answer(outcome string, now time.Time) {
	if !x.replies.reply(x) {
		x.endpoint.count(x.client, dropped)
		outcome = outcomeNotSent
	}
	x.trace(outcome, nil, now)
}

// answeredFirst counts how long the NAS or server has waited for the first answer to its request.
func (x *exchange) answeredFirst(now time.Time) {
	x.client.stats.answerTime.Observe(now.Sub(x.endpoint.opened) - x.received)
}

// sentAs returns what a response counts as, once it has been sent: which answer
// it is to a request that can be refused, or just a response.
func (x *exchange) sentAs() counter {
	switch {
	case x.request == radius.CodeStatusServer:
	case x.code == radius.CodeAccessAccept, x.code == radius.CodeDisconnectACK, x.code == radius.CodeCoAACK:
		return accepts
	case x.code == radius.CodeAccessReject, x.code == radius.CodeDisconnectNAK, x.code == radius.CodeCoANAK:
		return rejects
	case x.code == radius.CodeAccessChallenge:
		return challenges
	}
	return responses
}

func (x *exchange) responseLen() int {
	switch {
	case x.encoded != nil:
		return len(x.encoded)
	case x.endpoint.signs:
		return radius.HeaderLen + radius.SignatureLen + len(x.proxyState)
	}
	return radius.HeaderLen + len(x.proxyState)
}

// appendResponse appends the response. An Accounting-Response (RFC 2866 section 4.2) has no
// Message-Authenticator, even if the request had one. No RFC defines how to compute it for
// Accounting-Responses (RFC 5997 section 3 allows it after a Status-Server but does not require it),
// FreeRADIUS and others differ, and a NAS drops an answer that it considers forged.
func (x *exchange) appendResponse(b []byte) []byte {
	if x.encoded != nil {
		return append(b, x.encoded...)
	}
	return x.encode(b, nil)
}

// encode appends the response with these attributes and the Proxy-States of the request.
func (x *exchange) encode(b, attrs []byte) []byte {
	at := len(b)
	if x.endpoint.signs {
		b = radius.AppendSignedHeader(b, x.code, x.key.identifier)
		b = append(append(b, attrs...), x.proxyState...)
		radius.SealResponse(b[at:], x.key.auth, x.client.Secret)
		return b
	}
	b = radius.AppendHeader(b, x.code, x.key.identifier)
	b = append(append(b, attrs...), x.proxyState...)
	radius.Seal(b[at:], 0, x.key.auth, x.client.Secret)
	return b
}

// proxyStates returns all Proxy-State attributes of a packet, complete, in order.
func proxyStates(p radius.Packet) string {
	var states []byte
	for rest := p.Attributes(); len(rest) > 0; rest = rest[rest[1]:] {
		if radius.Type(rest[0]) == radius.ProxyState {
			states = append(states, rest[:rest[1]]...)
		}
	}
	return string(states)
}
