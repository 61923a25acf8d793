package radius

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
)

// timestampWindow is how far the Event-Timestamp of a Disconnect-Request or CoA-Request may be from
// our clock (RFC 5176 section 6.3).
const timestampWindow = 300 * time.Second

var errNoTimestamp = errors.New("no Event-Timestamp, which require-event-timestamp demands")

// Changer changes and ends sessions for servers.
type Changer interface {
	// Change does what a request says, and arranges that q.Answer or q.Drop is called exactly once, on
	// any goroutine. It does not block.
	Change(q *ChangeRequest)
}

// ChangeConfig configures a ChangeListener.
type ChangeConfig struct {
	// Config has the servers as its Clients. Only their Name, Prefix and Secret count.
	Config
	// RequireTimestamp drops requests without Event-Timestamp: they can be replayed at any time.
	RequireTimestamp bool
}

// ChangeListener receives Disconnect-Requests and CoA-Requests from servers. Its methods may be called
// from any goroutine.
type ChangeListener struct {
	endpoint
	changer          Changer
	requireTimestamp atomic.Bool
	replays          replays
}

// NewChangeListener opens the sockets of a ChangeListener. The sockets queue requests until Run reads
// them. An error names the address or server that caused it.
func NewChangeListener(cfg ChangeConfig, changer Changer) (*ChangeListener, error) {
	l := &ChangeListener{changer: changer, replays: newReplays()}
	l.service, l.messages = l, messages{"dynamic authorization request", "dynamic authorization request dropped"}
	l.requests, l.signs = []radius.Code{radius.CodeDisconnectRequest, radius.CodeCoARequest}, true
	l.RequireTimestamp(cfg.RequireTimestamp)
	if err := l.open(cfg.Config); err != nil {
		return nil, err
	}
	return l, nil
}

// RequireTimestamp replaces ChangeConfig.RequireTimestamp.
func (l *ChangeListener) RequireTimestamp(on bool) { l.requireTimestamp.Store(on) }

// ForgetAnswered frees memory as those of the other listeners do, and that of replays whose
// Event-Timestamp is too old by now.
func (l *ChangeListener) ForgetAnswered(now time.Time) (forgotten int) {
	return l.endpoint.ForgetAnswered(now) + l.replays.forget(now)
}

// String names the ChangeListener for a log.
func (l *ChangeListener) String() string {
	return fmt.Sprint("radius dynamic authorization listener ", l.Addrs())
}

// accepting is not called: no Status-Server is answered on this port (RFC 5997 section 3).
func (l *ChangeListener) accepting() error { return nil }

// serve processes a Disconnect-Request or a CoA-Request. Its Request Authenticator is computed like
// that of an Accounting-Request (RFC 5176 section 2.3).
func (l *ChangeListener) serve(checked exchange, p radius.Packet, scratch []byte, now time.Time) []byte {
	ok, scratch := p.Authentic(radius.Authenticator{}, checked.client.Secret, scratch)
	switch {
	case !ok:
		checked.drop(badAuthenticators, now, errAuthenticator)
	case checked.isCopy(now):
	default:
		if what, err := l.checkTimestamp(p, now); err != nil {
			checked.drop(what, now, err)
			return scratch
		}
		stamped := p.Has(radius.EventTimestamp)
		if stamped && !l.replays.begin(checked.key, now) {
			checked.drop(stale, now, errReplay)
			return scratch
		}
		l.submit(checked, p, stamped, now)
	}
	return scratch
}

// checkTimestamp checks the Event-Timestamp of a request. An error comes with what to count.
func (l *ChangeListener) checkTimestamp(p radius.Packet, now time.Time) (what counter, err error) {
	for rest := p.Attributes(); len(rest) > 0; rest = rest[rest[1]:] {
		t, value := radius.Type(rest[0]), rest[2:rest[1]]
		if t != radius.EventTimestamp {
			continue
		}
		if err := checkLength(t, value); err != nil {
			return malformed, err
		}
		stamp, _ := radius.Attributes(rest[:rest[1]]).Uint32(t)
		// The difference of the seconds modulo 2^32, so that it is right after 2106 too.
		if off := time.Duration(int32(uint32(now.Unix())-stamp)) * time.Second; off.Abs() > timestampWindow {
			return stale, errStale
		}
		return 0, nil
	}
	if l.requireTimestamp.Load() {
		return stale, errNoTimestamp
	}
	return 0, nil
}

var errStale = fmt.Errorf("its Event-Timestamp is more than %.0f s from the clock of this host: a replay, or a clock is wrong", timestampWindow.Seconds())

var errReplay = errors.New("it is in progress or was answered before: a replay")

// submit passes a new request to the Changer.
func (l *ChangeListener) submit(x exchange, p radius.Packet, stamped bool, now time.Time) {
	q := &ChangeRequest{
		Packet: p.Clone(), ServerName: x.client.Name, Secret: x.client.Secret, Local: x.sentTo, Received: now,
		listener: l, exchange: x, stamped: stamped,
	}
	q.exchange.proxyState = proxyStates(p)
	q.exchange.user = l.userOf(p)
	q.exchange.session = radius.Attributes(p.Attributes()).Text(radius.AcctSessionID)
	l.pending.Add(1)
	x.logins.begin(&q.exchange)
	l.changer.Change(q)
}

// ChangeRequest is a Disconnect-Request or a CoA-Request of a server, which waits for its answer. Its
// sender knows the secret. The fields do not change.
type ChangeRequest struct {
	// Packet is the request as it was received. Its octets belong to the ChangeRequest.
	Packet radius.Packet
	// ServerName is the Name of the Client that owns the source address.
	ServerName string
	// Secret is the secret of that server at the time of the request.
	Secret radius.Secret
	// Local is the address of this host that the request was sent to.
	Local netip.Addr
	// Received is when the request arrived.
	Received time.Time

	listener *ChangeListener
	exchange exchange
	stamped  bool        // it has an Event-Timestamp, and is in replays
	ended    atomic.Bool // by Answer or Drop
}

// Answer answers the request with an ACK or a NAK. attrs are the attributes without
// Message-Authenticator and without the Proxy-States of the request; Answer adds both, and does not
// keep attrs. An answer of more than 4,096 octets is not sent. After the first call of Answer or Drop,
// further ones have no effect.
func (q *ChangeRequest) Answer(ack bool, attrs []byte) {
	if q.ended.Swap(true) {
		return
	}
	code := radius.CodeDisconnectNAK
	switch isCoA := q.Packet.Code() == radius.CodeCoARequest; {
	case isCoA && ack:
		code = radius.CodeCoAACK
	case isCoA:
		code = radius.CodeCoANAK
	case ack:
		code = radius.CodeDisconnectACK
	}
	q.endReplay(true)
	q.exchange.complete(code, attrs)
}

// Drop leaves the request unanswered, for a reason that is counted and logged. A copy of the request
// that arrives later is a new request.
func (q *ChangeRequest) Drop(reason error) {
	if !q.ended.Swap(true) {
		q.endReplay(false)
		q.exchange.abandon(refused, reason)
	}
}

// endReplay ends the request in replays. It comes before the end of the exchange: until that, a copy is
// one of a request in flight.
func (q *ChangeRequest) endReplay(isAnswered bool) {
	if q.stamped {
		q.listener.replays.end(q.exchange.key, isAnswered, q.Received)
	}
}

// ChangeCounters counts events since the ChangeListener was created. Requests minus Duplicates,
// Malformed, BadAuthenticators, Stale and UnknownClients is the number of requests passed to the
// Changer.
type ChangeCounters struct {
	Requests          uint64 // datagrams received
	Responses         uint64 // answers sent, including repeated ones
	ACKs              uint64 // Disconnect-ACKs and CoA-ACKs among the Responses
	NAKs              uint64 // Disconnect-NAKs and CoA-NAKs among the Responses
	Duplicates        uint64 // identical datagrams: answered again or still in flight
	Malformed         uint64 // requests that could not be parsed, or are of another code
	BadAuthenticators uint64 // wrong Request Authenticators or Message-Authenticators
	Stale             uint64 // requests whose Event-Timestamp is too far from our clock or missing, and replays
	UnknownClients    uint64 // datagrams from an address of no server; not in ChangeServerCounters
	Refused           uint64 // requests that the Changer left unanswered
	// Dropped counts answers that could not be sent: too many waited, they were longer than 4,096
	// octets, or the server had sent another request with the same identifier.
	Dropped uint64
}

func (c *counters) changeSnapshot() ChangeCounters {
	return ChangeCounters{
		Requests:          c[requests].Load(),
		Responses:         c[responses].Load(),
		ACKs:              c[accepts].Load(),
		NAKs:              c[rejects].Load(),
		Duplicates:        c[duplicates].Load(),
		Malformed:         c[malformed].Load(),
		BadAuthenticators: c[badAuthenticators].Load(),
		Stale:             c[stale].Load(),
		UnknownClients:    c[unknownClients].Load(),
		Refused:           c[refused].Load(),
		Dropped:           c[dropped].Load(),
	}
}

// ChangeServerCounters are the counters of one address or prefix of a server.
type ChangeServerCounters struct {
	Name   string
	Prefix string
	ChangeCounters
}

// ChangeStats are a ChangeListener's statistics at one moment: in total, and for each Client in the
// configured order.
type ChangeStats struct {
	ChangeCounters
	Servers []ChangeServerCounters
}

// Stats returns a copy of the statistics.
func (l *ChangeListener) Stats() ChangeStats {
	s := ChangeStats{ChangeCounters: l.counters.changeSnapshot()}
	l.eachClient(func(c *client, counted *counters) {
		s.Servers = append(s.Servers, ChangeServerCounters{c.Name, c.Prefix.String(), counted.changeSnapshot()})
	})
	return s
}
