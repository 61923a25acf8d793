package radius

import (
	"errors"
	"fmt"
	"time"

	"aaasess/internal/radius"
)

// AuthPort is the UDP port that NASes send Access-Requests to (RFC 2865 section 3).
const AuthPort = 1812

var (
	errUnsigned    = errors.New("no Message-Authenticator: if the NAS cannot send one, set message-authenticator of this client to auto or legacy")
	errNoLonger    = errors.New("no Message-Authenticator, but this client has sent them before: if its NASes differ, set message-authenticator of this client to legacy")
	errNoneYet     = errors.New("Proxy-State without Message-Authenticator: if the NAS cannot send one, set message-authenticator of this client to legacy")
	errUnsignedEAP = errors.New("EAP-Message without Message-Authenticator")
)

// AuthListener receives Access-Requests from NASes. Its methods may be called from any goroutine.
type AuthListener struct {
	endpoint
	relay Relay
}

// NewAuthListener opens the sockets of an AuthListener. The sockets queue requests until Run reads
// them. An error names the address or client that caused it.
func NewAuthListener(cfg Config, relay Relay) (*AuthListener, error) {
	l := &AuthListener{relay: relay}
	l.service, l.messages = l, messages{"access request", "access request dropped"}
	l.requests, l.status, l.signs = []radius.Code{radius.CodeAccessRequest}, radius.CodeAccessAccept, true
	if b, ok := relay.(BatchRelay); ok {
		l.relayAll = b.RelayAll
	}
	if err := l.open(cfg); err != nil {
		return nil, err
	}
	return l, nil
}

// String names the AuthListener for a log.
func (l *AuthListener) String() string {
	return fmt.Sprint("radius authentication listener ", l.Addrs())
}

// Stats returns a copy of the statistics.
func (l *AuthListener) Stats() AuthStats {
	s := AuthStats{AuthCounters: l.counters.authSnapshot()}
	l.eachClient(func(c *client, counted *counters) {
		s.Clients = append(s.Clients, AuthClientCounters{c.Name, c.Prefix.String(), c.stats.lastAnswered(), counted.authSnapshot()})
	})
	return s
}

func (l *AuthListener) accepting() error { return l.relay.Accepting() }

// serve processes an Access-Request.
func (l *AuthListener) serve(checked exchange, p radius.Packet, scratch []byte, now time.Time) []byte {
	c := checked.client
	if p.HasMessageAuthenticator() {
		var ok bool
		if ok, scratch = p.Signed(p.Authenticator(), c.Secret, scratch); !ok {
			checked.drop(badAuthenticators, now, errAuthenticator)
			return scratch
		}
		c.stats.learn(p)
	} else if c.Signing.Requires(p, c.stats.signs.Load()) {
		checked.drop(unsigned, now, c.whyUnsigned(p))
		return scratch
	}
	if checked.isCopy(now) {
		return scratch
	}
	return l.submit(checked, p, scratch, now)
}

// isCopy reports whether the loginTable knows the request. It answers a copy of an answered one.
func (x *exchange) isCopy(now time.Time) bool {
	progress, kept := x.logins.find(x.key, now)
	switch progress {
	case inFlight:
		x.endpoint.count(x.client, duplicates)
		x.trace(outcomeInProgress, nil, now)
	case answered:
		x.endpoint.count(x.client, duplicates)
		again := &exchange{}
		*again = *x
		again.code, again.encoded = kept.code, kept.encoded
		again.answer(outcomeAnsweredAgain, now)
	}
	return progress != newRequest
}

// submit passes a new request to the relay.
func (l *AuthListener) submit(x exchange, p radius.Packet, scratch []byte, now time.Time) []byte {
	q := &AccessRequest{
		Packet: p.Clone(), ClientName: x.client.Name, Secret: x.client.Secret, SameClient: x.client.owns,
		From: x.from, Received: now, exchange: x,
	}
	scratch = q.setNAS(scratch)
	q.exchange.proxyState, q.exchange.user = proxyStates(p), l.userOf(p)
	l.pending.Add(1)
	x.logins.begin(&q.exchange)
	if s, ok := x.replies.(*socket); ok && l.relayAll != nil && (len(s.together) > 0 || s.in.Buffered() > 0) {
		s.together = append(s.together, q)
		return scratch
	}
	l.relay.Relay(q)
	return scratch
}

// setNAS sets what the attributes say of the NAS and of the kind of session. It ignores attributes
// of a wrong length.
func (q *AccessRequest) setNAS(scratch []byte) []byte {
	var n numbers
	texts := scratch[:0]
	for rest := q.Packet.Attributes(); len(rest) > 0; rest = rest[rest[1]:] {
		t, value := radius.Type(rest[0]), rest[2:rest[1]]
		if checkLength(t, value) != nil {
			continue
		}
		n.add(t, value)
		switch t {
		case radius.NASIdentifier, radius.NASIPv6Address, radius.AcctSessionID:
			texts = append(texts, rest[:rest[1]]...)
		}
	}
	x := &q.exchange
	attrs := radius.Attributes(texts)
	x.session = attrs.Text(radius.AcctSessionID)
	q.NAS = nasOf(attrs, &n, x.from.Addr())
	q.NAS.Local = x.sentTo
	if q.Kind = kindOf(&n); !n.has(radius.ServiceType) {
		q.Kind = x.client.Kind
	}
	return texts
}

// learn records that the client sends Message-Authenticators, if p proves it: RFC 3579 demands one
// with an EAP-Message, also of NASes that otherwise send none.
func (s *clientStats) learn(p radius.Packet) {
	if !s.signs.Load() && p.ShowsSigning() {
		s.signs.Store(true)
	}
}

// whyUnsigned returns why a request without Message-Authenticator is dropped.
func (c *client) whyUnsigned(p radius.Packet) error {
	switch {
	case p.Has(radius.EAPMessage):
		return errUnsignedEAP
	case c.Signing == radius.SigningAuto && !c.stats.signs.Load():
		return errNoneYet
	case c.Signing == radius.SigningAuto:
		return errNoLonger
	}
	return errUnsigned
}
