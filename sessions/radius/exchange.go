package radius

import (
	"errors"
	"net/netip"
	"time"

	"aaasess/sessions"

	"aaasess/internal/radius"
)

var (
	errUnknownClient = errors.New("unknown client")
	errAuthenticator = errors.New("wrong authenticator or Message-Authenticator: is the secret the same?")
	errCode          = &radius.MalformedError{Problem: "neither an Accounting-Request nor a Status-Server"}
)

// exchange is a request that is to be answered. It does not change after it was made.
type exchange struct {
	socket     *socket
	client     *client
	to         netip.AddrPort
	local      localAddr
	key        requestKey
	code       radius.Code // of the response
	proxyState string      // the Proxy-State attributes of the request, whole, in order
}

// handle takes one datagram: it is dropped, answered again or passed to the sink.
func (s *socket) handle(r *receiver, b []byte, from netip.AddrPort, local localAddr, now time.Time) {
	l := s.listener
	c := l.clients.Load().find(from.Addr())
	l.count(c, requests)
	if c == nil {
		l.drop(nil, unknownClients, from, now, errUnknownClient)
		return
	}
	p, err := radius.Parse(b)
	if err != nil {
		l.drop(c, malformed, from, now, err)
		return
	}
	x := &exchange{socket: s, client: c, to: from, local: local, key: keyOf(p, from)}
	switch p.Code() {
	case radius.CodeAccountingRequest:
		x.account(r, p, now)
	case radius.CodeStatusServer:
		x.status(r, p, now)
	default:
		l.drop(c, malformed, from, now, errCode)
	}
}

// account takes an Accounting-Request.
func (x *exchange) account(r *receiver, p radius.Packet, now time.Time) {
	l := x.socket.listener
	var ok bool
	if ok, r.scratch = p.Authentic(radius.Authenticator{}, x.client.Secret, r.scratch); !ok {
		l.drop(x.client, badAuthenticators, x.to, now, errAuthenticator)
		return
	}
	var req accountingRequest
	var err error
	if req, r.scratch, err = parseAccounting(p.Attributes(), x.to.Addr(), now, r.scratch); err != nil {
		l.drop(x.client, malformed, x.to, now, err)
		return
	}
	if req.leftOut != nil {
		l.drop(x.client, leftOut, x.to, now, req.leftOut)
	}
	req.event.NAS.Local = x.socket.localOf(x.local, x.to.Addr().Zone())
	x.code, x.proxyState = radius.CodeAccountingResponse, req.proxyState
	switch x.socket.seen.begin(x.key, req.event.Type == sessions.On || req.event.Type == sessions.Off, now) {
	case inProgress:
		l.count(x.client, duplicates)
	case answered:
		l.count(x.client, duplicates)
		x.answer()
	default:
		x.pass(&req)
	}
}

// pass gives a new request to the sink.
func (x *exchange) pass(req *accountingRequest) {
	l := x.socket.listener
	l.pending.Add(1)
	req.event.SameClient = x.client.owns
	err := l.sink.Apply(req.event, x.done)
	if err != nil {
		x.done(err)
	}
}

// done is called by the sink: the event is durable, or never will be. It does not wait.
func (x *exchange) done(err error) {
	l, now := x.socket.listener, time.Now()
	x.socket.seen.end(x.key, err == nil, now)
	if err == nil {
		x.answer()
	} else {
		l.drop(x.client, refused, x.to, now, err)
	}
	l.pending.Add(-1)
}

// answer queues the response.
func (x *exchange) answer() {
	if !x.socket.answers.push(x) {
		x.socket.listener.count(x.client, dropped)
	}
}

// responseLen is the length of the response.
func (x *exchange) responseLen() int { return radius.HeaderLen + len(x.proxyState) }

// appendResponse appends the response to b: an Accounting-Response (RFC 2866 section 4.2), whether to an
// Accounting-Request or a Status-Server. It has no Message-Authenticator, also when the request had one: for
// Accounting-Responses no RFC says how it would be made (RFC 5997 section 3 allows it after a Status-Server and does not
// ask for it), FreeRADIUS and others differ, and a NAS drops an answer that it thinks is forged.
func (x *exchange) appendResponse(b []byte) []byte {
	at := len(b)
	b = radius.AppendHeader(b, x.code, x.key.identifier)
	b = append(b, x.proxyState...)
	radius.Seal(b[at:], 0, x.key.auth, x.client.Secret)
	return b
}
