package dynauth

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/radius/radiustest"
	"aaasess/sessions/sessionstest"
)

// TestCountersOfNAS: a request of a server moves the counters of the NAS that it is passed on to. A refusal
// of our own moves none, because nothing reaches the NAS.
func TestCountersOfNAS(t *testing.T) {
	at := netip.MustParseAddr("127.9.0.2")
	nas := radiustest.Listen(t, netip.AddrPortFrom(at, 0).String(), "of the NAS", radiustest.ACK)
	d, err := dae.New(dae.Config{Clients: []nasradius.Client{{
		Name: "nas", Prefix: netip.PrefixFrom(at, 32), Secret: "of the NAS", DisconnectPort: nas.AddrPort().Port(),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	radiustest.Run(t, d.Run)
	table := newTable(t)
	ev := sessions.Event{
		Type: sessions.Start, NAS: sessions.NAS{Addr: at, Identifier: "bras"}, AcctSessionID: "a", Kind: sessions.Network, At: time.Now(),
		Attrs: radius.Attributes(attr(radius.AcctSessionID, "a") + attr(radius.UserName, "alice")),
	}
	sessionstest.Await(t, func(done func(error)) error { return table.Apply(ev, done) })
	f := New(Config{Table: table, Forward: d.Forward, MayChange: func(string, *sessions.Session) bool { return true }})
	radiustest.Run(t, f.Run)
	s := listen(t, f)

	s.sendOnly(attr(radius.AcctSessionID, "00000007"))
	if _, cause := s.receive(); cause != radius.SessionContextNotFound || len(d.NASView().List) != 0 {
		t.Fatalf("cause %v, NASes %+v", cause, d.NASView().List)
	}
	authorizeOnly := string(radius.AppendUint32(nil, radius.ServiceType, 17))
	for _, code := range []radius.Code{radius.CodeDisconnectRequest, radius.CodeCoARequest, radius.CodeCoARequest} {
		s.code = code
		s.sendOnly(attr(radius.AcctSessionID, "00000001"), authorizeOnly)
		s.receive()
	}
	want := []dae.NASStats{{
		Index: 1, Addr: nas.AddrPort(), Identifier: "bras",
		Disconnect: dae.MessageStats{Requests: 1, AuthorizeOnlyRequests: 1, ACKs: 1},
		CoA:        dae.MessageStats{Requests: 2, AuthorizeOnlyRequests: 2, ACKs: 2},
	}}
	var got []dae.NASStats
	radiustest.WaitFor(t, func() bool { // a view may be older
		got = d.NASView().List
		return len(got) == 1 && got[0].CoA.ACKs == 2
	})
	got = append([]dae.NASStats(nil), got...)
	got[0].Since, got[0].RoundTripTime = time.Time{}, 0
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}
