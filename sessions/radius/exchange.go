package radius

import (
	"errors"
	"net/netip"
	"time"
)

var (
	errUnknownClient = errors.New("unknown client")
	errAuthenticator = errors.New("wrong authenticator or Message-Authenticator: is the secret the same?")
	errCode          = &malformedError{problem: "not an Accounting-Request"}
)

// exchange is a request that is to be answered. It does not change after it was made.
type exchange struct {
	socket     *socket
	client     *client
	to         netip.AddrPort
	local      localAddr
	key        requestKey
	proxyState string
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
	p, err := parsePacket(b)
	if err == nil && p.code() != codeAccountingRequest {
		err = errCode
	}
	if err != nil {
		l.drop(c, malformed, from, now, err)
		return
	}
	var ok bool
	if ok, r.scratch = p.authentic(zeros, c.Secret, r.scratch); !ok {
		l.drop(c, badAuthenticators, from, now, errAuthenticator)
		return
	}
	var req accountingRequest
	if req, r.scratch, err = parseAccounting(p.attributes(), from.Addr(), now, r.scratch); err != nil {
		l.drop(c, malformed, from, now, err)
		return
	}
	req.event.NAS.Local = s.localOf(local, from.Addr().Zone())
	x := &exchange{s, c, from, local, keyOf(p, from), req.proxyState}
	switch s.seen.begin(x.key, now) {
	case inProgress:
		l.count(c, duplicates)
	case answered:
		l.count(c, duplicates)
		x.answer()
	default:
		x.pass(&req, now)
	}
}

// pass gives a new request to the sink.
func (x *exchange) pass(req *accountingRequest, now time.Time) {
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
	l := x.socket.listener
	x.socket.seen.end(x.key, err == nil)
	if err == nil {
		x.answer()
	} else {
		l.drop(x.client, refused, x.to, time.Now(), err)
	}
	l.pending.Add(-1)
}

// answer queues the Accounting-Response.
func (x *exchange) answer() {
	if !x.socket.answers.push(x) {
		x.socket.listener.count(x.client, dropped)
	}
}

// responseLen is the length of the Accounting-Response.
func (x *exchange) responseLen() int { return headerLen + len(x.proxyState) }

// appendResponse appends the Accounting-Response (RFC 2866 section 4.2) to b. It has no
// Message-Authenticator, also when the request had one: no RFC says how it would be made, FreeRADIUS
// and others differ, and a NAS drops an answer that it thinks is forged.
func (x *exchange) appendResponse(b []byte) []byte {
	at := len(b)
	b = beginPacket(b, codeAccountingResponse, x.key.identifier)
	b = append(b, x.proxyState...)
	seal(b[at:], 0, x.key.auth, x.client.Secret)
	return b
}
