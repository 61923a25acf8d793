package dae

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc3576"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/radiustest"
)

var (
	nasAddr    = netip.MustParseAddrPort("127.0.0.2:3799")
	answerTime = 25 * time.Millisecond // of the fake NAS
)

// datagram is what a fake NAS sends. from is another address than its own, unless it is zero.
type datagram struct {
	b     []byte
	from  netip.AddrPort
	after time.Duration // 0: answerTime; atOnce: before the sender waits for it
}

const atOnce = -1

// nasEvent is something that happens to one request, and the counters that it moves.
type nasEvent struct {
	name  string
	attrs []byte // of the request
	// answer returns what the NAS sends for the n-th transmission, from 1 on; nil: nothing.
	answer func(n int, r radiustest.Request) []datagram
	// fails returns the error of the n-th transmission; nil: none fails.
	fails func(n int) error
	// ctx returns the context of the request; nil: one that does not end.
	ctx   func(context.Context) (context.Context, context.CancelFunc)
	ended func(transmissions int) bool // Forwarded.Ended

	want         MessageStats // of the kind of the request
	other        MessageStats // of the other kind
	unknownTypes uint64
	invalid      uint64 // InvalidDisconnectAddresses, or InvalidCoAAddresses
	roundTrip    time.Duration
}

// by makes an answer of a Handler.
func by(h radiustest.Handler) func(int, radiustest.Request) []datagram {
	return func(_ int, r radiustest.Request) []datagram {
		if b := h(r); b != nil {
			return []datagram{{b: b}}
		}
		return nil
	}
}

// nth answers the n-th transmission by the n-th Handler.
func nth(handlers ...radiustest.Handler) func(int, radiustest.Request) []datagram {
	return func(n int, r radiustest.Request) []datagram { return by(handlers[n-1])(n, r) }
}

// changed makes an ACK whose octets are changed.
func changed(change func(b []byte) []byte) func(int, radiustest.Request) []datagram {
	return by(func(r radiustest.Request) []byte { return change(radiustest.ACK(r)) })
}

// nakAuthorizeOnly is a Handler that answers as RFC 5176 section 3.1 wants it for Authorize-Only.
func nakAuthorizeOnly(r radiustest.Request) []byte {
	p := r.Packet.Response(r.Packet.Code + 2)
	_ = rfc2865.ServiceType_Set(p, rfc3576.ServiceType_Value_AuthorizeOnly)
	_ = rfc3576.ErrorCause_Set(p, rfc3576.ErrorCause_Value_RequestInitiated)
	b, err := p.Encode()
	if err != nil {
		panic(err)
	}
	return b
}

var errNoRoute = errors.New("no route")

// nasEvents are run for Disconnect-Requests and CoA-Requests, with one retransmission after a second.
var nasEvents = []nasEvent{
	{name: "ACK", answer: by(radiustest.ACK), want: MessageStats{Requests: 1, ACKs: 1}, roundTrip: answerTime},
	{name: "NAK", answer: by(radiustest.NAK(506)), want: MessageStats{Requests: 1, NAKs: 1}, roundTrip: answerTime},
	{name: "NAK without Error-Cause", answer: by(radiustest.NAK(0)), want: MessageStats{Requests: 1, NAKs: 1}, roundTrip: answerTime},
	{
		name: "no session context, then ACK to another request", answer: nth(radiustest.NAK(503), radiustest.ACK),
		want: MessageStats{Requests: 2, ACKs: 1, NAKs: 1, NoContextNAKs: 1}, roundTrip: answerTime,
	},
	{
		name: "Authorize-Only", attrs: radius.AppendUint32(nil, radius.ServiceType, 17), answer: by(nakAuthorizeOnly),
		want: MessageStats{Requests: 1, AuthorizeOnlyRequests: 1, NAKs: 1, AuthorizeOnlyNAKs: 1}, roundTrip: answerTime,
	},
	{
		name: "Authorize-Only, silence", attrs: radius.AppendUint32(nil, radius.ServiceType, 17), answer: by(radiustest.Silence),
		want: MessageStats{Requests: 1, AuthorizeOnlyRequests: 1, Retransmissions: 1, Timeouts: 2},
	},
	{
		name: "another Service-Type", attrs: radius.AppendUint32(nil, radius.ServiceType, 2), answer: by(radiustest.ACK),
		want: MessageStats{Requests: 1, ACKs: 1}, roundTrip: answerTime,
	},
	{name: "silence", answer: by(radiustest.Silence), want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 2}},
	{
		name: "the retransmission is answered", answer: nth(radiustest.Silence, radiustest.ACK),
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 1, ACKs: 1}, roundTrip: answerTime,
	},
	{
		name: "the first transmission is answered after the second", answer: func(n int, r radiustest.Request) []datagram {
			if n > 1 {
				return nil
			}
			return []datagram{{b: radiustest.ACK(r), after: 1100 * time.Millisecond}}
		},
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 1, ACKs: 1}, roundTrip: 100 * time.Millisecond,
	},
	{
		name: "both transmissions are answered", answer: func(n int, r radiustest.Request) []datagram {
			return []datagram{{b: radiustest.ACK(r), after: [...]time.Duration{1100 * time.Millisecond, 500 * time.Millisecond}[n-1]}}
		},
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 1, ACKs: 1, Dropped: 1}, roundTrip: 100 * time.Millisecond,
	},
	{
		name: "answered twice", answer: func(_ int, r radiustest.Request) []datagram {
			return []datagram{{b: radiustest.ACK(r)}, {b: radiustest.NAK(503)(r), after: 2 * answerTime}}
		},
		want: MessageStats{Requests: 1, ACKs: 1, Dropped: 1}, roundTrip: answerTime,
	},
	{
		name: "answered twice before the first answer is read", answer: func(_ int, r radiustest.Request) []datagram {
			return []datagram{{b: radiustest.ACK(r), after: atOnce}, {b: radiustest.NAK(503)(r), after: atOnce}}
		},
		want: MessageStats{Requests: 1, ACKs: 1, Dropped: 1}, roundTrip: 1, // not 0, which means no answer
	},
	{
		name: "answered too late", answer: func(_ int, r radiustest.Request) []datagram {
			return []datagram{{b: radiustest.ACK(r), after: time.Minute}}
		},
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 2, Dropped: 2},
	},
	{
		name: "a wrong authenticator, then ACK", answer: nth(radiustest.WrongAuthenticator, radiustest.ACK),
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 1, BadAuthenticators: 1, ACKs: 1}, roundTrip: answerTime,
	},
	{
		name: "a Length field that is too large", answer: changed(func(b []byte) []byte { b[3]++; return b }),
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 2, Malformed: 2},
	},
	{
		name: "one octet", answer: changed(func(b []byte) []byte { return b[:1] }),
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 2, Malformed: 2},
	},
	{
		name: "no octet", answer: changed(func(b []byte) []byte { return b[:0] }),
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 2}, unknownTypes: 2,
	},
	{
		name: "an Access-Accept", answer: changed(func(b []byte) []byte { b[0] = 2; return b }),
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 2}, unknownTypes: 2,
	},
	{
		name: "half an Access-Accept", answer: changed(func(b []byte) []byte { b[0] = 2; return b[:7] }),
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 2}, unknownTypes: 2,
	},
	{
		name: "an ACK of the other kind", answer: changed(func(b []byte) []byte { b[0] ^= 41 ^ 44; return b }),
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 2}, other: MessageStats{Dropped: 2},
	},
	{
		name: "another identifier", answer: changed(func(b []byte) []byte { b[1]++; return b }),
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 2, Dropped: 2},
	},
	{
		name: "from another port", answer: func(_ int, r radiustest.Request) []datagram {
			return []datagram{{b: radiustest.ACK(r), from: netip.AddrPortFrom(nasAddr.Addr(), 3800)}}
		},
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 2}, invalid: 2,
	},
	{
		name: "from another address, and malformed", answer: func(_ int, r radiustest.Request) []datagram {
			return []datagram{{b: radiustest.NAK(503)(r)[:19], from: netip.MustParseAddrPort("127.0.0.3:3799")}}
		},
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 2}, invalid: 2,
	},
	{
		name: "an Access-Accept from another address", answer: func(_ int, r radiustest.Request) []datagram {
			return []datagram{{b: append([]byte{2}, radiustest.ACK(r)[1:]...), from: netip.MustParseAddrPort("127.0.0.3:3799")}}
		},
		want: MessageStats{Requests: 1, Retransmissions: 1, Timeouts: 2},
	},
	{name: "cannot be sent", answer: by(radiustest.Silence), fails: func(int) error { return errNoRoute }},
	{
		name: "cannot be sent again", answer: by(radiustest.Silence), fails: func(n int) error {
			if n == 1 {
				return nil
			}
			return errNoRoute
		},
		want: MessageStats{Requests: 1, Timeouts: 1},
	},
	{
		name: "canceled", answer: by(radiustest.Silence), ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(500*time.Millisecond, cancel)
			return ctx, cancel
		},
		want: MessageStats{Requests: 1},
	},
	{
		name: "out of time", answer: by(radiustest.Silence), ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 500*time.Millisecond)
		},
		want: MessageStats{Requests: 1, Timeouts: 1},
	},
	{
		name: "the session ends before the retransmission", answer: by(radiustest.Silence), ended: func(n int) bool { return n == 1 },
		want: MessageStats{Requests: 1, Timeouts: 1},
	},
	{name: "the session ends before the request", answer: by(radiustest.Silence), ended: func(int) bool { return true }},
}

// run forwards one request of an event, and returns the view a minute later.
func (e *nasEvent) run(t *testing.T, code radius.Code) *NASView {
	t.Helper()
	var d *Disconnector
	var sent atomic.Int64
	d, err := newDisconnector(Config{Clients: []nasradius.Client{clientWithoutTimestamp()}, Timeout: time.Second, Retransmissions: 1},
		func(b []byte, _ netip.Addr, to netip.AddrPort) error {
			n := int(sent.Add(1))
			if e.fails != nil && e.fails(n) != nil {
				return e.fails(n)
			}
			p, err := layeh.Parse(b, []byte(captured.Secret))
			if err != nil {
				return err
			}
			for _, a := range e.answer(n, radiustest.Request{Data: b, Packet: p}) {
				if !a.from.IsValid() {
					a.from = to
				}
				switch a.after {
				case atOnce:
					d.receive(a.b, a.from, time.Now())
					continue
				case 0:
					a.after = answerTime
				}
				time.AfterFunc(a.after, func() { d.receive(a.b, a.from, time.Now()) })
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if e.ctx != nil {
		var cancel context.CancelFunc
		ctx, cancel = e.ctx(ctx)
		defer cancel()
	}
	f := Forwarded{Code: code, Attrs: e.attrs, Secret: serverSecret}
	if e.ended != nil {
		f.Ended = func() bool { return e.ended(int(sent.Load())) }
	}
	d.Forward(ctx, hostapdSession("127.0.0.2"), f)
	time.Sleep(2 * time.Minute) // for late answers
	return d.NASView()
}

// TestNASCounters: what happens to a request moves exactly these counters of its NAS. The octets are
// those of a NAS.
func TestNASCounters(t *testing.T) {
	for _, e := range nasEvents {
		for _, code := range []radius.Code{radius.CodeDisconnectRequest, radius.CodeCoARequest} {
			t.Run(strings.ReplaceAll(code.String(), " ", "-")+" "+e.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					got := e.run(t, code)
					row := NASStats{Index: 1, Addr: nasAddr, Identifier: "hostapd-wired-1", Since: began, RoundTripTime: e.roundTrip, UnknownTypes: e.unknownTypes}
					want := &NASView{Now: got.Now, List: []NASStats{row}}
					if code == radius.CodeCoARequest {
						want.List[0].CoA, want.List[0].Disconnect, want.InvalidCoAAddresses = e.want, e.other, e.invalid
					} else {
						want.List[0].Disconnect, want.List[0].CoA, want.InvalidDisconnectAddresses = e.want, e.other, e.invalid
					}
					if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
						t.Error(diff)
					}
				})
			})
		}
	}
}
