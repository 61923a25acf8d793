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

// exchange is a request that must be answered. It does not change after code, proxyState and
// session are set.
type exchange struct {
	arrival
	listener   *Listener
	client     *client
	key        requestKey
	request    radius.Code // code of the request
	session    string      // the NAS's Acct-Session-Id, "" if there is none
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
		(&exchange{arrival: a, listener: l}).trace(outcomeDropped, errUnknownClient)
		return scratch
	}
	p, err := radius.Parse(b)
	if err != nil {
		l.drop(c, malformed, a.from, now, err)
		(&exchange{arrival: a, listener: l, client: c}).trace(outcomeDropped, err)
		return scratch
	}
	x := &exchange{arrival: a, listener: l, client: c, key: keyOf(p, a.from), request: p.Code()}
	switch p.Code() {
	case radius.CodeAccountingRequest:
		return x.handleAccounting(p, scratch, now)
	case radius.CodeStatusServer:
		return x.answerStatus(p, scratch, now)
	}
	x.drop(malformed, now, errCode)
	return scratch
}

// handleAccounting processes an Accounting-Request.
func (x *exchange) handleAccounting(p radius.Packet, scratch []byte, now time.Time) []byte {
	l := x.listener
	ok, scratch := p.Authentic(radius.Authenticator{}, x.client.Secret, scratch)
	if !ok {
		x.drop(badAuthenticators, now, errAuthenticator)
		return scratch
	}
	req, scratch, err := parseAccounting(p.Attributes(), x.from.Addr(), now, scratch)
	if err != nil {
		x.drop(malformed, now, err)
		return scratch
	}
	if req.leftOut != nil {
		l.drop(x.client, leftOut, x.from, now, req.leftOut)
	}
	req.event.NAS.Local = x.sentTo
	x.client.setKind(&req.event)
	x.code, x.proxyState, x.session = radius.CodeAccountingResponse, req.proxyState, req.event.AcctSessionID
	switch x.seen.begin(x.key, req.event.Type == sessions.On || req.event.Type == sessions.Off, now) {
	case inFlight:
		l.count(x.client, duplicates)
		x.trace(outcomeInProgress, nil)
	case answered:
		l.count(x.client, duplicates)
		x.answer(outcomeAnsweredAgain)
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
		x.answer(outcomeAnswered)
	} else {
		x.drop(refused, now, err)
	}
	l.pending.Add(-1)
}

// answer answers the request; outcome is for the log.
func (x *exchange) answer(outcome string) {
	if !x.replies.reply(x) {
		x.listener.count(x.client, dropped)
		outcome = outcomeNotSent
	}
	x.trace(outcome, nil)
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
