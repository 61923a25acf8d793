package client

import (
	"net/netip"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	"aaasess/internal/retry"
)

// goldenExchange returns an exchange of a group without sockets. Its transmission to the first of
// two servers has the identifier of the golden packets, and is not armed yet.
func goldenExchange(t *testing.T) (g *Group, x *exchange, settled *int) {
	t.Helper()
	settled = new(int)
	g, err := newGroup(setup{
		Servers: every(0, -1,
			Server{Addr: documentationAddr, Secret: testSecret},
			Server{Addr: netip.AddrPortFrom(documentationAddr.Addr(), 1646), Secret: testSecret},
		),
		Now: func() time.Time { return at(1) }, MaxInFlight: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	x = newExchange(g, &fakeRequest{at: at(0), done: func(err error) {
		if err != nil {
			t.Errorf("done(%v)", err)
		}
		*settled++
	}}, retry.Progress{})
	if err := g.advance(x, at(0)); err != nil || x.server != 0 {
		t.Fatalf("goes to server %d: %v", x.server, err)
	}
	g.paths[0].conns = []Conn{nil, nil} // nothing is sent
	ids := &g.paths[0].ids
	ids.grow()
	slot := none
	for range 0x1d { // up to the identifier of the golden packets
		slot = ids.acquire(x, at(0), false)
	}
	g.beginTransmission(x, slot, at(0))
	return g, x, settled
}

func arm(t *testing.T, g *Group, x *exchange) {
	t.Helper()
	ids := &x.path().ids
	if !ids.arm(x.slot, ids.transmissions[x.slot].serial, radius.Authenticator(captured.Octets(t, captured.GoldenRequest)[4:radius.HeaderLen])) {
		t.Fatal("not armed")
	}
}

// next ends the current transmission and starts one with the next server.
func next(t *testing.T, g *Group, x *exchange) {
	t.Helper()
	if err := g.advance(x, at(1)); err != nil || x.server != 1 {
		t.Fatalf("goes to server %d: %v", x.server, err)
	}
	s := g.paths[1]
	s.ids.grow()
	g.beginTransmission(x, s.ids.acquire(x, at(1), false), at(1))
}

func TestHandle(t *testing.T) {
	for _, tc := range []struct {
		name    string
		before  func(t *testing.T, g *Group, x *exchange)
		packet  string
		socket  int
		settles bool
		drops   uint64 // expected PacketsDropped
	}{
		{"in time", arm, captured.GoldenResponse, 0, true, 0},
		{"signed", arm, captured.GoldenSigned, 0, true, 0},
		{"before the request is out", func(*testing.T, *Group, *exchange) {}, captured.GoldenResponse, 0, false, 1},
		{"on another socket", arm, captured.GoldenResponse, 1, false, 1},
		{"late, while the record is with the next server", func(t *testing.T, g *Group, x *exchange) {
			arm(t, g, x)
			next(t, g, x)
		}, captured.GoldenResponse, 0, true, 0},
		{"after the record was given up", func(t *testing.T, g *Group, x *exchange) {
			arm(t, g, x)
			g.settle(x)
		}, captured.GoldenResponse, 0, false, 0},
		{"after the identifier was given up", func(t *testing.T, g *Group, x *exchange) {
			arm(t, g, x)
			g.paths[0].ids.release(x.slot)
		}, captured.GoldenResponse, 0, false, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, x, settled := goldenExchange(t)
			tc.before(t, g, x)
			given := x.settled
			s := g.paths[0]
			s.handle(captured.Octets(t, tc.packet), nil, tc.socket, nil)
			if (*settled == 1) != tc.settles || x.settled != (tc.settles || given) {
				t.Errorf("done was called %d times, settled = %v", *settled, x.settled)
			}
			s.handle(captured.Octets(t, tc.packet), nil, tc.socket, nil) // a copy changes nothing
			if *settled > 1 {
				t.Error("done was called for the copy")
			}
			st := g.Stats().Servers
			if tc.settles && (g.deadlines.Len() != 0 || st[0].PendingRequests != 0 || st[1].PendingRequests != 0) {
				t.Errorf("left behind: %d deadlines, %+v", g.deadlines.Len(), st)
			}
			if copies := st[0].PacketsDropped - tc.drops; st[0].Responses != 2 || copies > 1 {
				t.Errorf("statistics %+v", st[0])
			}
			if right := !st[0].LastResponse.IsZero(); right != (tc.settles || given) {
				t.Errorf("LastResponse %v", st[0].LastResponse)
			}
		})
	}
}

// TestAnswerToReusedIdentifier: an answer was read before its identifier was reused, and is checked
// afterwards. It settles nothing.
func TestAnswerToReusedIdentifier(t *testing.T) {
	g, x, settled := goldenExchange(t)
	arm(t, g, x)
	s := g.paths[0]
	slot := x.slot
	was, ok := s.ids.pending(slot)
	if !ok {
		t.Fatal("no answer is expected")
	}
	g.endTransmission(x)
	s.ids.release(slot)
	if got, _ := s.answered(slot, was, at(1)); got != nil {
		t.Error("the answer settles an exchange through a free identifier")
	}
	for n := none; n != slot; {
		n = s.ids.acquire(&exchange{}, at(1), true)
	}
	if got, _ := s.answered(slot, was, at(1)); got != nil || *settled != 0 {
		t.Error("the answer settles an exchange through another's identifier")
	}
}

// FuzzHandle: whatever a server sends, in any state of the identifiers, nothing panics and only its
// answer settles a request.
func FuzzHandle(f *testing.F) {
	for _, s := range []string{captured.GoldenResponse, captured.GoldenSigned, captured.GoldenForged, captured.GoldenRequest, "05"} {
		f.Add(captured.Octets(f, s), byte(1))
		f.Add(captured.Octets(f, s), byte(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, state byte) {
		g, x, settled := goldenExchange(t)
		armed, withdrawn, socket := state&1 != 0, state&2 != 0, int(state>>2&1)
		if armed {
			arm(t, g, x)
		}
		if withdrawn {
			g.endTransmission(x)
		}
		g.paths[0].handle(b, nil, socket, nil)
		p, err := radius.Parse(b)
		right := err == nil && armed && socket == 0 && p.Code() == radius.CodeAccountingResponse && p.Identifier() == 0x1c
		if right {
			right, _ = p.Authentic(radius.Authenticator(captured.Octets(t, captured.GoldenRequest)[4:radius.HeaderLen]), testSecret, nil)
		}
		if (*settled == 1) != right {
			t.Errorf("%x in state %d: settled %d times, want %v", b, state, *settled, right)
		}
	})
}
