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

// replier takes answers to where their requests came from: a socket, or a stream.
type replier interface {
	// reply takes an answer, and reports whether there was room for it. It does not wait.
	reply(x *exchange) bool
}

// arrival is how a request came, and the way back.
type arrival struct {
	replies replier
	seen    *duplicateTable // of requests that came this way
	status  radius.Code     // of the answer to a Status-Server; it belongs to the port (RFC 5997 section 3)
	from    netip.AddrPort
	here    netip.Addr // the address of this host that it was sent to
	local   localAddr  // the replier's own
}

// exchange is a request that is to be answered. It does not change after it was made.
type exchange struct {
	arrival
	listener   *Listener
	client     *client
	key        requestKey
	code       radius.Code // of the response
	proxyState string      // the Proxy-State attributes of the request, whole, in order
}

// handle takes one datagram: it is dropped, answered again or passed to the sink. scratch is memory to work in; it is
// returned for the next time.
func (l *Listener) handle(b []byte, a arrival, scratch []byte, now time.Time) []byte {
	c := l.clients.Load().find(a.from.Addr())
	l.count(c, requests)
	if c == nil {
		l.drop(nil, unknownClients, a.from, now, errUnknownClient)
		return scratch
	}
	p, err := radius.Parse(b)
	if err != nil {
		l.drop(c, malformed, a.from, now, err)
		return scratch
	}
	x := &exchange{arrival: a, listener: l, client: c, key: keyOf(p, a.from)}
	switch p.Code() {
	case radius.CodeAccountingRequest:
		return x.account(p, scratch, now)
	case radius.CodeStatusServer:
		return x.answerStatus(p, scratch, now)
	}
	l.drop(c, malformed, a.from, now, errCode)
	return scratch
}

// account takes an Accounting-Request.
func (x *exchange) account(p radius.Packet, scratch []byte, now time.Time) []byte {
	l := x.listener
	ok, scratch := p.Authentic(radius.Authenticator{}, x.client.Secret, scratch)
	if !ok {
		l.drop(x.client, badAuthenticators, x.from, now, errAuthenticator)
		return scratch
	}
	req, scratch, err := parseAccounting(p.Attributes(), x.from.Addr(), now, scratch)
	if err != nil {
		l.drop(x.client, malformed, x.from, now, err)
		return scratch
	}
	if req.leftOut != nil {
		l.drop(x.client, leftOut, x.from, now, req.leftOut)
	}
	req.event.NAS.Local = x.here
	x.code, x.proxyState = radius.CodeAccountingResponse, req.proxyState
	switch x.seen.begin(x.key, req.event.Type == sessions.On || req.event.Type == sessions.Off, now) {
	case inProgress:
		l.count(x.client, duplicates)
	case answered:
		l.count(x.client, duplicates)
		x.answer()
	default:
		x.pass(&req)
	}
	return scratch
}

// pass gives a new request to the sink.
func (x *exchange) pass(req *accountingRequest) {
	l := x.listener
	l.pending.Add(1)
	req.event.SameClient = x.client.owns
	err := l.sink.Apply(req.event, x.done)
	if err != nil {
		x.done(err)
	}
}

// done is called by the sink: the event is durable, or never will be. It does not wait.
func (x *exchange) done(err error) {
	l, now := x.listener, time.Now()
	x.seen.end(x.key, err == nil, now)
	if err == nil {
		x.answer()
	} else {
		l.drop(x.client, refused, x.from, now, err)
	}
	l.pending.Add(-1)
}

// answer queues the response.
func (x *exchange) answer() {
	if !x.replies.reply(x) {
		x.listener.count(x.client, dropped)
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
