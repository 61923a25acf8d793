package usm_test

import (
	"strings"
	"testing"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

// exchange repeats one request and its answer of about size octets in the same memory.
type exchange struct {
	model   *usm.USM
	request []byte
	whole   []byte
	msg     wire.Message
	session usm.Session
	frame   wire.Frame
	header  wire.HeaderV3
	vb      mib.Varbind
}

func newExchange(t testing.TB, u usm.User, requestSize, answerSize int) *exchange {
	model, _ := newUSM(t, u)
	m := newManager(t, u)
	m.size = requestSize
	x := &exchange{model: model, request: m.request(), header: wire.HeaderV3{MaxSize: 65507}, vb: mib.Varbind{Name: sysUpTime}}
	x.vb.Value.SetOctets(strings.Repeat("x", answerSize))
	x.whole = make([]byte, len(x.request))
	return x
}

func (x *exchange) incoming() error {
	copy(x.whole, x.request)
	if err := x.msg.Parse(x.whole); err != nil {
		return err
	}
	_, err := x.model.Incoming(x.whole, &x.msg, &x.session)
	return err
}

func (x *exchange) outgoing() error {
	x.frame.Reset()
	x.frame.AppendVarbind(&x.vb)
	x.frame.ClosePDU(wire.Response, requestID, 0, 0)
	x.frame.CloseScoped(testEngineID, nil)
	return x.model.Outgoing(&x.frame, &x.session, x.session.Level, &x.header)
}

// TestAllocations: receiving and answering a message allocates nothing, in any combination.
func TestAllocations(t *testing.T) {
	for _, u := range combinations() {
		x := newExchange(t, u, 0, 1400)
		got := testing.AllocsPerRun(200, func() {
			if err := x.incoming(); err != nil {
				t.Fatal(err)
			}
			if err := x.outgoing(); err != nil {
				t.Fatal(err)
			}
		})
		if got != 0 {
			t.Errorf("%s: %v allocations", u.Name, got)
		}
	}
}

// TestAllocationsRefused: rejecting a message allocates nothing either, otherwise a flood would
// cost more than answers. (A message that cannot be decrypted is authentic, and may cost the
// allocations that detect the invalid scopedPDU.)
func TestAllocationsRefused(t *testing.T) {
	for _, tt := range steps() {
		if tt.want == "" || tt.want == malformed {
			continue
		}
		engine, c := newEngine(t, testBoots, testTime)
		c.advance(tt.move)
		x := &exchange{model: usm.New(engine, newUsers(t, stepUsers...)), request: tt.message(t)}
		x.whole = make([]byte, len(x.request))
		most := 0.0
		if tt.want == decryptionErrors {
			most = 1
		}
		if got := testing.AllocsPerRun(100, func() {
			if x.incoming() == nil {
				t.Fatal("accepted")
			}
		}); got > most {
			t.Errorf("%s: %v allocations", tt.name, got)
		}
	}
}

// BenchmarkExchange receives a short request and sends an answer of 1,400 octets.
func BenchmarkExchange(b *testing.B) { benchmark(b, 100, (*exchange).incoming, (*exchange).outgoing) }

// BenchmarkIncoming receives a message of 1,400 octets; BenchmarkOutgoing sends one.
func BenchmarkIncoming(b *testing.B) { benchmark(b, 1200, (*exchange).incoming) }
func BenchmarkOutgoing(b *testing.B) { benchmark(b, 1200, (*exchange).outgoing) }

func benchmark(b *testing.B, request int, parts ...func(*exchange) error) {
	for _, u := range []usm.User{
		newUser("none", usm.NoAuth, usm.NoPriv),
		newUser("SHA", usm.HMACSHA, usm.NoPriv),
		newUser("SHA-AES-128", usm.HMACSHA, usm.AES128),
		newUser("SHA-256-AES-256", usm.HMACSHA256, usm.AES256),
		newUser("SHA-512-AES-256", usm.HMACSHA512, usm.AES256),
		newUser("MD5-DES", usm.HMACMD5, usm.DES),
	} {
		b.Run(u.Name, func(b *testing.B) {
			x := newExchange(b, u, request, 1290)
			if err := x.incoming(); err != nil {
				b.Fatal(err)
			}
			if err := x.outgoing(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, part := range parts {
					if err := part(x); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkParallel is BenchmarkExchange on all processors, with the keys of one user.
func BenchmarkParallel(b *testing.B) {
	u := newUser("wes", usm.HMACSHA, usm.AES128)
	shared := newExchange(b, u, 100, 1290)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		x := &exchange{model: shared.model, request: shared.request, whole: make([]byte, len(shared.request)), header: shared.header, vb: shared.vb}
		for pb.Next() {
			if err := x.incoming(); err != nil {
				b.Fatal(err)
			}
			if err := x.outgoing(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
