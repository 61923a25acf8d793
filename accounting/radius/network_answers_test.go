package radius_test

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
	"aaasess/sessions"
)

// The same host with another port is another server (R43).
func TestSameHostOtherPort(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b := w.add(radiusnet.Server{Handle: silent}), w.add(radiusnet.Server{})
		w.start(acctradius.Config{}, once)
		if a.Addr.Addr() != b.Addr.Addr() || a.Addr.Port() == b.Addr.Port() {
			t.Fatal(a.Addr, b.Addr)
		}
		w.one(1)
		w.one(2)
		w.want(arrival{0, "a", "00000001"}, arrival{5, "b", "00000001"}, arrival{5, "b", "00000002"})
		if st := w.group.Stats().Servers; st[0].State != servers.Dead || st[1].State != servers.Up {
			t.Errorf("%+v", st)
		}
	})
}

// Each attempt has its own identifier, authenticator and Acct-Delay-Time, in a back-off too.
func TestAttemptsDiffer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.add(radiusnet.Server{Handle: silent})
		w.start(acctradius.Config{}, retry.Schedule{BackoffRetry: 5})
		w.one(1)
		type key struct {
			from       netip.AddrPort
			identifier byte
		}
		identifiers, authenticators, delays := map[key]bool{}, map[[16]byte]bool{}, map[uint32]bool{}
		for _, a := range w.net.Arrivals() {
			identifiers[key{a.From, a.Identifier}] = true
			authenticators[a.Authenticator] = true
			delays[a.DelayTime] = true
		}
		if len(identifiers) != 9 || len(authenticators) != 9 || len(delays) != 9 {
			t.Errorf("9 attempts: %d identifiers, %d authenticators, %d delays", len(identifiers), len(authenticators), len(delays))
		}
	})
}

// A wrong answer from the server is counted and ignored.
func TestWrongAnswersIgnored(t *testing.T) {
	elsewhere := netip.MustParseAddrPort("192.0.2.1:9999")
	other := netip.MustParseAddrPort("192.0.2.2:1813")
	for _, tc := range []struct {
		name     string
		reaction radiusnet.Reaction
		count    func(client.Stats) uint64
	}{
		{"from another port", radiusnet.Reaction{From: elsewhere}, func(s client.Stats) uint64 { return s.InvalidServerAddresses }},
		{"from another host", radiusnet.Reaction{From: other}, func(s client.Stats) uint64 { return s.InvalidServerAddresses }},
		{"another secret", radiusnet.Reaction{Answer: radiusnet.WrongSecret}, func(s client.Stats) uint64 { return s.Servers[0].BadAuthenticators }},
		{"another identifier", radiusnet.Reaction{Answer: radiusnet.WrongIdentifier}, func(s client.Stats) uint64 { return s.Servers[0].PacketsDropped }},
		{"another code", radiusnet.Reaction{Answer: radiusnet.WrongCode}, func(s client.Stats) uint64 { return s.Servers[0].UnknownTypes }},
		{"cut off", radiusnet.Reaction{Answer: radiusnet.CutOff}, func(s client.Stats) uint64 { return s.Servers[0].MalformedResponses }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.add(radiusnet.Server{Handle: func([]byte, radiusnet.Arrival) radiusnet.Reaction { return tc.reaction }})
				w.add(radiusnet.Server{})
				w.start(acctradius.Config{}, retry.Schedule{})
				if got := w.one(1); got != (result{20, nil}) {
					t.Errorf("%+v, want b's answer", got)
				}
				st := w.group.Stats()
				if a := st.Servers[0]; tc.count(st) != 4 || a.Successes != 0 || a.Failures != 1 || a.State != servers.Dead || a.TimedResponses != 0 {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

// 2,000 records in flight need eight sockets, and no socket uses an identifier twice.
func TestSocketCount(t *testing.T) {
	inWorld(t, func(w *world) {
		w.add(radiusnet.Server{Handle: func([]byte, radiusnet.Arrival) radiusnet.Reaction {
			return radiusnet.Reaction{After: 4 * time.Second}
		}})
		w.start(acctradius.Config{MaxInFlight: 2000}, retry.Schedule{})
		for i := range 2000 {
			w.group.Send(record(sessions.ID(i+1), time.Now()), retry.Progress{}, func(err error) {
				if err != nil {
					t.Error(err)
				}
			})
			if open, _ := w.net.Sockets(); open != (i+256)/256 {
				t.Fatalf("%d sockets for %d records", open, i+1)
			}
		}
		if st := w.group.Stats().Servers[0]; st.PendingRequests != 2000 {
			t.Errorf("%d pending", st.PendingRequests)
		}
		type key struct {
			from       netip.AddrPort
			identifier byte
		}
		keys := map[key]bool{}
		for _, a := range w.net.Arrivals() {
			keys[key{a.From, a.Identifier}] = true
		}
		w.sleep(4)
		if st := w.group.Stats().Servers[0]; len(keys) != 2000 || st.Successes != 2000 || st.PendingRequests != 0 || st.Retransmissions != 0 {
			t.Errorf("%d identifiers; %+v", len(keys), st)
		}
	})
}

// The sockets close with the group, and a waiting record gets its error.
func TestStoppedInBackoff(t *testing.T) {
	inWorld(t, func(w *world) {
		w.add(radiusnet.Server{Handle: silent})
		w.start(acctradius.Config{}, s4)
		var got []error
		w.group.Send(record(1, time.Now()), retry.Progress{Tried: 1, Transmissions: 7}, func(err error) { got = append(got, err) })
		w.sleep(1)
		if err := w.group.Close(); err != nil {
			t.Error(err)
		}
		if len(got) != 1 || !errors.Is(got[0], accounting.ErrStopped) {
			t.Errorf("done with %v", got)
		}
		if open, ever := w.net.Sockets(); open != 0 || ever != 1 {
			t.Errorf("%d sockets of %d are open", open, ever)
		}
	})
}

func TestResponseTimesAndStates(t *testing.T) {
	inWorld(t, func(w *world) {
		delay := 8 * time.Millisecond
		a := w.add(radiusnet.Server{Link: radiusnet.Link{Delay: delay / 2}})
		w.start(acctradius.Config{}, once)
		check := func(want servers.Stats) {
			t.Helper()
			st := w.group.Stats().Servers[0]
			got := servers.Stats{
				State: st.State, StateSince: st.StateSince, PreviousState: st.PreviousState, TotalDeadTime: st.TotalDeadTime,
				DeadCount: st.DeadCount, Successes: st.Successes, Failures: st.Failures, TimedResponses: st.TimedResponses, ResponseTime: st.ResponseTime,
			}
			if d := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
				t.Error(d)
			}
		}
		check(servers.Stats{State: servers.Unknown, StateSince: w.began})
		w.one(1)
		check(servers.Stats{State: servers.Up, StateSince: w.began, Successes: 1, TimedResponses: 1, ResponseTime: delay})
		a.SetLink(radiusnet.Link{Delay: delay})
		w.one(2)
		check(servers.Stats{State: servers.Up, StateSince: w.began, Successes: 2, TimedResponses: 2, ResponseTime: 3 * delay})
		a.SetLink(radiusnet.Link{Delay: 3 * time.Second}) // an answer after 6 s is late: no response time is measured, but the server is up
		w.sleep(10)
		w.one(3)
		check(servers.Stats{
			State: servers.Dead, StateSince: w.at(15), PreviousState: 15 * time.Second, DeadCount: 1,
			Successes: 2, Failures: 1, TimedResponses: 2, ResponseTime: 3 * delay,
		})
		w.sleep(60)
		check(servers.Stats{
			State: servers.Up, StateSince: w.at(16), PreviousState: time.Second, TotalDeadTime: time.Second, DeadCount: 1,
			Successes: 2, Failures: 1, TimedResponses: 2, ResponseTime: 3 * delay,
		})
	})
}

// Over a bad network, each record arrives and is settled once.
func TestBadNetwork(t *testing.T) {
	inWorld(t, func(w *world) {
		w.add(radiusnet.Server{Link: radiusnet.Link{
			Delay: 20 * time.Millisecond, Jitter: 300 * time.Millisecond, Loss: 0.1, Duplicate: 0.1,
			Dead: []radiusnet.Interval{{From: 30 * time.Second, To: 90 * time.Second}},
		}})
		w.start(acctradius.Config{}, retry.Schedule{Timeout: time.Second, BackoffRetry: 14})
		const records = 1000
		var settled atomic.Int64
		for id := range records {
			w.sleep(id / 10)
			w.deliver(sessions.ID(id+1), func(r result) {
				if r.Err != nil {
					t.Errorf("record %d: %v", id, r.Err)
				}
				settled.Add(1)
			})
		}
		w.sleep(20_000)
		seen := map[string]bool{}
		for _, a := range w.net.Arrivals() {
			seen[a.SessionID] = true
		}
		st := w.group.Stats().Servers[0]
		if len(seen) != records || settled.Load() != records || st.PendingRequests != 0 || st.Successes != records || st.Failures != 0 {
			t.Errorf("%d arrived, %d settled: %+v", len(seen), settled.Load(), st)
		}
		if st.DeadCount == 0 || st.PacketsDropped == 0 || len(w.net.Arrivals()) == records {
			t.Errorf("the network is too good: %+v", st)
		}
	})
}
