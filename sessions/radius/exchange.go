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
	errAuthenticator = errors.New("wrong authenticator or Message-Authenticator: check the shared secret")
	errCode          = &radius.MalformedError{Problem: "neither an Accounting-Request nor a Status-Server"}
)

// replier sends answers back to where their requests came from: a socket or a stream.
type replier interface {
	// reply queues an answer and reports whether there was room. It does not block.
	reply(x *exchange) bool
}

// arrival is where a request came from, and how to answer it.
type arrival struct {
	replies replier
	seen    *duplicateTable // requests received on this socket or stream
	status  radius.Code     // of the answer to a Status-Server; depends on the port (RFC 5997 section 3)
	from    netip.AddrPort
	sentTo  netip.Addr // the local address that it was sent to
	local   localAddr  // source address for the answer; set only on a wildcard socket
}

// exchange is a request that must be answered. It does not change after code and proxyState are
// set.
type exchange struct {
	arrival
	listener   *Listener
	client     *client
	key        requestKey
	code       radius.Code // code of the response
	proxyState string      // all Proxy-State attributes of the request, complete, in order
}

// handle processes one datagram: it drops it, repeats an answer, or passes an event to the sink.
// scratch is working memory and is returned for the next call.
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
		return x.handleAccounting(p, scratch, now)
	case radius.CodeStatusServer:
		return x.answerStatus(p, scratch, now)
	}
	l.drop(c, malformed, a.from, now, errCode)
	return scratch
}

// handleAccounting processes an Accounting-Request.
func (x *exchange) handleAccounting(p radius.Packet, scratch []byte, now time.Time) []byte {
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
	req.event.NAS.Local = x.sentTo
	x.client.setKind(&req.event)
	x.code, x.proxyState = radius.CodeAccountingResponse, req.proxyState
	switch x.seen.begin(x.key, req.event.Type == sessions.On || req.event.Type == sessions.Off, now) {
	case inProgress:
		l.count(x.client, duplicates)
	case answered:
		l.count(x.client, duplicates)
		x.answer()
	default:
		x.submit(&req)
	}
	return scratch
}

// submit passes a new request to the sink.
func (x *exchange) submit(req *accountingRequest) {
	l := x.listener
	l.pending.Add(1)
	req.event.SameClient = x.client.owns
	err := l.sink.Apply(req.event, x.done)
	if err != nil {
		x.done(err)
	}
}

// done is the sink's callback: the event is durable, or never will be. It does not block.
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

func (x *exchange) answer() {
	if !x.replies.reply(x) {
		x.listener.count(x.client, dropped)
	}
}

func (x *exchange) responseLen() int { return radius.HeaderLen + len(x.proxyState) }

// appendResponse appends the response to an Accounting-Request or a Status-Server (RFC 2866 section
// 4.2). The response has no Message-Authenticator, even if the request had one. No RFC defines how
// to compute it for Accounting-Responses (RFC 5997 section 3 allows it after a Status-Server but
// does not require it), FreeRADIUS and others differ, and a NAS drops an answer that it considers
// forged.
func (x *exchange) appendResponse(b []byte) []byte {
	at := len(b)
	b = radius.AppendHeader(b, x.code, x.key.identifier)
	b = append(b, x.proxyState...)
	radius.Seal(b[at:], 0, x.key.auth, x.client.Secret)
	return b
}
