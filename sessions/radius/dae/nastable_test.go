package dae

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/radiustest"
	"aaasess/sessions/termination"
)

// TestNASOnSocket: the counters of our own Disconnect-Requests to a NAS on the loopback, by IPv4 and IPv6.
func TestNASOnSocket(t *testing.T) {
	d, nas, _ := startDisconnector(t, Config{Clients: []nasradius.Client{clientWithoutTimestamp()}}, radiustest.ACK)
	six := radiustest.Listen(t, "[::1]:0", string(captured.Secret), radiustest.NAK(506))
	c4, c6 := clientWithoutTimestamp(), clientWithoutTimestamp()
	c4.DisconnectPort = nas.AddrPort().Port()
	c6.Prefix, c6.DisconnectPort = prefix("::1/128"), six.AddrPort().Port()
	if err := d.SetClients([]nasradius.Client{c4, c6}); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"127.0.0.2", "::1", "127.0.0.2"} {
		d.Disconnect(t.Context(), firstAttempt(hostapdSession(addr)))
	}
	list := d.NASView().List
	if len(list) != 2 || list[0].Addr != nas.AddrPort() || list[1].Addr != six.AddrPort() || list[0].Index != 1 || list[1].Index != 2 {
		t.Fatalf("%+v", list)
	}
	if m := (MessageStats{Requests: 2, ACKs: 2}); list[0].Disconnect != m || list[0].RoundTripTime <= 0 {
		t.Errorf("IPv4: %+v", list[0])
	}
	if m := (MessageStats{Requests: 1, NAKs: 1}); list[1].Disconnect != m || list[1].RoundTripTime <= 0 {
		t.Errorf("IPv6: %+v", list[1])
	}
}

// TestNASPortClosed: a report that the port is closed is neither an answer nor a timeout.
func TestNASPortClosed(t *testing.T) {
	d, nas, _ := startDisconnector(t, Config{Clients: []nasradius.Client{clientWithoutTimestamp()}}, radiustest.ACK)
	nas.Close()
	d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2")))
	if got := d.NASView().List; len(got) != 1 || got[0].Disconnect != (MessageStats{Requests: 1}) || got[0].RoundTripTime != 0 {
		t.Errorf("%+v", got)
	}
}

// TestNASPending: a request is pending until its answer, also after a retransmission. A view stays the
// same for 100 ms.
func TestNASPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, Config{}, 4*time.Second, func(n int, r radiustest.Request) []byte {
			if n != 3 { // one transmission is lost
				return radiustest.NAK(506)(r)
			}
			return nil
		})
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { w.d.Disconnect(t.Context(), firstAttempt(hostapdSession("127.0.0.2"))) })
		}
		synctest.Wait()
		first := w.d.NASView()
		time.Sleep(viewLifetime - 1)
		if w.d.NASView() != first {
			t.Error("another view within 100 ms")
		}
		pending := func(after time.Duration) MessageStats {
			time.Sleep(after)
			return w.d.NASView().List[0].Disconnect
		}
		if m := first.List[0].Disconnect; m != (MessageStats{Requests: 3, Pending: 3}) {
			t.Errorf("at the beginning: %+v", m)
		}
		if m := pending(3500 * time.Millisecond); m != (MessageStats{Requests: 3, Retransmissions: 3, Timeouts: 3, Pending: 3}) {
			t.Errorf("after the retransmission: %+v", m)
		}
		if m := pending(time.Second); m != (MessageStats{Requests: 3, Retransmissions: 3, Timeouts: 3, Pending: 1, NAKs: 2}) {
			t.Errorf("after the answers: %+v", m)
		}
		all.Wait()
		if m := pending(time.Minute); m.Pending != 0 || m.NAKs != 3 || m.Timeouts != 4 {
			t.Errorf("at the end: %+v", m)
		}
	})
}

// TestAnswerAtLastMoment: an answer that is received when the last transmission times out is the outcome,
// and there is no timeout. One that is received later is dropped.
func TestAnswerAtLastMoment(t *testing.T) {
	request := func() *pendingRequest {
		f := &pendingRequest{code: radius.CodeDisconnectRequest, nas: &nas{}, answer: make(chan response, 1)}
		f.transmitted(false)
		return f
	}
	ack := response{Outcome: termination.Outcome{Answer: termination.ACK}}
	f := request()
	if !f.claim() {
		t.Fatal("the first one cannot claim it")
	}
	go f.deliver(ack)
	if got := f.conclude(response{}, true); got.Answer != termination.ACK || f.messages().timeouts.Load() != 0 {
		t.Errorf("%v, %d timeouts", got, f.messages().timeouts.Load())
	}
	f = request()
	if got := f.conclude(response{}, true); got.Answer != termination.NoAnswer || f.claim() || f.messages().stats() != (MessageStats{Requests: 1, Timeouts: 1}) {
		t.Errorf("%v, %+v", got, f.messages().stats())
	}
}

// TestNASIsForgotten: beyond the limit, the NAS that has been idle for the longest has no row any more. A
// late answer of it moves nothing; its next request begins a new row.
func TestNASIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var late []byte
		w := newWire(t, Config{Retransmissions: -1}, 0, func(_ int, r radiustest.Request) []byte {
			if late == nil {
				late = radiustest.ACK(r)
			}
			return radiustest.ACK(r)
		})
		w.d.peers.nases.max = 2
		ask := func(host int) {
			w.d.Disconnect(t.Context(), firstAttempt(hostapdSession(fmt.Sprint("127.0.0.", host))))
			time.Sleep(viewLifetime)
		}
		rows := func() (s string) {
			for _, r := range w.d.NASView().List {
				s += fmt.Sprint(r.Index, "=", r.Addr.Addr(), " ")
			}
			return s
		}
		for _, step := range []struct {
			host int
			want string
		}{
			{1, "1=127.0.0.1 "},
			{2, "1=127.0.0.1 2=127.0.0.2 "},
			{1, "1=127.0.0.1 2=127.0.0.2 "},
			{3, "1=127.0.0.1 3=127.0.0.3 "},
			{4, "3=127.0.0.3 4=127.0.0.4 "},
			{1, "4=127.0.0.4 5=127.0.0.1 "},
		} {
			ask(step.host)
			if got := rows(); got != step.want {
				t.Fatalf("after a request to %d: %s, want %s", step.host, got, step.want)
			}
		}
		w.d.receive(late, netip.MustParseAddrPort("127.0.0.3:3799"), time.Now())
		time.Sleep(viewLifetime)
		v := w.d.NASView()
		if v.InvalidDisconnectAddresses != 0 || v.List[0].Disconnect.Dropped != 0 || v.List[1].Disconnect != (MessageStats{Requests: 1, ACKs: 1}) {
			t.Errorf("%+v", v)
		}
	})
}

// TestNASTableModel holds the table against one that keeps a list in the order of use.
func TestNASTableModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 4
		table := nasTable{max: limit}
		peers := make([]peer, 8)
		var used []*nas // those with a row; the latest used last
		inFlight := map[*nas]int{}
		var requests []*nas
		var newest uint32
		use := func(n *nas) {
			used = append(slices.DeleteFunc(used, func(o *nas) bool { return o == n }), n)
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(requests) > 0 && rapid.Bool().Draw(t, "ends") {
				i := rapid.IntRange(0, len(requests)-1).Draw(t, "request")
				n := requests[i]
				requests = slices.Delete(requests, i, i+1)
				table.leave(n)
				inFlight[n]--
				use(n)
				continue
			}
			i := rapid.IntRange(0, len(peers)-1).Draw(t, "peer")
			known := peers[i].nas != nil && slices.Contains(used, peers[i].nas)
			before := peers[i].nas
			n := table.enter(&peers[i], netip.AddrPort{}, "")
			if known != (n == before) || !known && n.index <= newest {
				t.Fatalf("peer %d: row %d, known %v", i, n.index, known)
			}
			newest = max(newest, n.index)
			for !known && len(used) >= limit {
				idle := slices.IndexFunc(used, func(o *nas) bool { return inFlight[o] == 0 })
				if idle < 0 {
					break
				}
				used = slices.Delete(used, idle, idle+1)
			}
			use(n)
			inFlight[n]++
			requests = append(requests, n)

			want := slices.Clone(used)
			slices.SortFunc(want, func(a, b *nas) int { return cmp.Compare(a.index, b.index) })
			if !slices.Equal(want, table.list) {
				t.Fatalf("%d rows, want %d", len(table.list), len(want))
			}
		}
	})
}

// TestNASViewWhileAsking: views that are read while many requests are asked never go back, and the last
// one has them all.
func TestNASViewWhileAsking(t *testing.T) {
	d := forwardTo(t, nil)
	d.send = func(b []byte, _ netip.Addr, to netip.AddrPort) error {
		out := radius.AppendHeader(nil, radius.Code(b[0])+1, b[1])
		radius.Seal(out, 0, radius.Authenticator(b[4:radius.HeaderLen]), captured.Secret)
		d.receive(out, to, time.Now())
		return nil
	}
	const nases, each = 20, 50
	var asking sync.WaitGroup
	done := make(chan struct{})
	for i := range nases {
		asking.Go(func() {
			for range each {
				d.Forward(t.Context(), hostapdSession(fmt.Sprint("127.0.1.", i)), Forwarded{Code: radius.CodeCoARequest, Secret: serverSecret})
			}
		})
	}
	var reading sync.WaitGroup
	for range 2 {
		reading.Go(func() {
			var before uint64
			for {
				d.view.current.Store(nil) // so that each view is a new one
				var all uint64
				for _, r := range d.NASView().List {
					all += r.CoA.ACKs
				}
				if all < before {
					t.Errorf("%d after %d", all, before)
				}
				before = all
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	asking.Wait()
	close(done)
	reading.Wait()
	d.view.current.Store(nil)
	list := d.NASView().List
	if len(list) != nases {
		t.Fatalf("%d NASes", len(list))
	}
	for _, r := range list {
		if r.CoA != (MessageStats{Requests: each, ACKs: each}) {
			t.Errorf("%+v", r)
		}
	}
}

// TestEachDatagramCountsOnce: whatever arrives moves exactly one counter, those of its sender if something
// was sent to that; only an unknown type from elsewhere moves none.
func TestEachDatagramCountsOnce(t *testing.T) {
	received := func(m MessageStats) uint64 {
		return m.ACKs + m.NAKs + m.Malformed + m.BadAuthenticators + m.Dropped
	}
	rapid.Check(t, func(t *rapid.T) {
		d, err := newDisconnector(Config{Clients: []nasradius.Client{local()}}, sendNothing)
		if err != nil {
			t.Fatal(err)
		}
		id, err := d.peers.acquire(context.Background(), nasAddr)
		if err != nil {
			t.Fatal(err)
		}
		code := rapid.SampledFrom([]radius.Code{radius.CodeDisconnectRequest, radius.CodeCoARequest}).Draw(t, "request")
		f := &pendingRequest{client: d.clients.Find(nasAddr.Addr()), code: code, answer: make(chan response, 1)}
		d.peers.register(nasAddr, id, f)
		var known, invalid, nothing uint64
		for range rapid.IntRange(1, 20).Draw(t, "datagrams") {
			b := radius.AppendHeader(nil, radius.Code(rapid.SampledFrom([]byte{2, 40, 41, 42, 43, 44, 45}).Draw(t, "code")), id)
			b = radius.AppendUint32(b, radius.ErrorCauseType, rapid.SampledFrom([]uint32{503, 506}).Draw(t, "cause"))
			radius.Seal(b, 0, f.request, captured.Secret)
			switch rapid.IntRange(0, 3).Draw(t, "damage") {
			case 1:
				b = b[:rapid.IntRange(0, len(b)).Draw(t, "length")]
			case 2:
				b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
			}
			_, isAnswer := kindOfAnswer(b)
			from := rapid.SampledFrom([]netip.AddrPort{nasAddr, netip.MustParseAddrPort("127.0.0.2:1"), netip.MustParseAddrPort("192.0.2.1:3799")}).Draw(t, "from")
			switch {
			case from == nasAddr:
				known++
			case isAnswer:
				invalid++
			default:
				nothing++
			}
			d.receive(b, from, time.Now())
		}
		d.view.current.Store(nil)
		v := d.NASView()
		got := received(v.List[0].Disconnect) + received(v.List[0].CoA) + v.List[0].UnknownTypes
		if got != known || v.InvalidDisconnectAddresses+v.InvalidCoAAddresses != invalid {
			t.Fatalf("%d of the NAS, want %d; %d and %d from elsewhere, want %d", got, known, v.InvalidDisconnectAddresses, v.InvalidCoAAddresses, invalid)
		}
		if s := d.Stats(); s.Malformed+s.BadAuthenticators+s.Unexpected+uint64(len(f.answer)) != known+invalid+nothing {
			t.Fatalf("%+v for %d datagrams", s, known+invalid+nothing)
		}
	})
}
