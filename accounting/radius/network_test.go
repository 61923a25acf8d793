package radius_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
	"aaasess/sessions"
)

// world is a whole group on a network in memory, in a bubble. Its seconds count from its creation.
type world struct {
	*testing.T
	net   *radiusnet.Network
	group *acctradius.Group
	began time.Time
	hosts []*radiusnet.Host
}

// silent is a server that receives everything and answers nothing.
func silent([]byte, radiusnet.Arrival) radiusnet.Reaction {
	return radiusnet.Reaction{Answer: radiusnet.Silent}
}

// until answers nothing before a second, and everything after it.
func until(w *world, second int) func([]byte, radiusnet.Arrival) radiusnet.Reaction {
	return func(_ []byte, a radiusnet.Arrival) radiusnet.Reaction {
		if a.At.Before(w.at(second)) {
			return radiusnet.Reaction{Answer: radiusnet.Silent}
		}
		return radiusnet.Reaction{}
	}
}

// inWorld runs a test with a network. The test adds servers and starts the group.
func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, net: radiusnet.New(1), began: time.Now()}
		test(w)
		for _, err := range w.net.Faults() {
			t.Error(err)
		}
	})
}

// add adds a server: "a", "b", ... at one port after the other of the same host.
func (w *world) add(s radiusnet.Server) *radiusnet.Host {
	s.Name = string(rune('a' + len(w.hosts)))
	s.Addr = netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(1813+len(w.hosts)))
	s.Secret = radius.Secret("secret of " + s.Name)
	w.hosts = append(w.hosts, w.net.Add(s))
	return w.hosts[len(w.hosts)-1]
}

// newGroup creates the group of the servers. schedules are theirs; the last one is for all further
// servers.
func (w *world) newGroup(cfg acctradius.Config, schedules ...retry.Schedule) {
	w.Helper()
	for i, h := range w.hosts {
		var s retry.Schedule
		if n := len(schedules); n > 0 {
			s = schedules[min(i, n-1)]
		}
		cfg.Servers = append(cfg.Servers, acctradius.ServerOf(h.Member(s)))
	}
	cfg.Listen = w.net.Listen
	g, err := acctradius.NewGroup(cfg)
	if err != nil {
		w.Fatal(err)
	}
	w.group = g
}

// servers returns the identity of the servers that a Later of this group has. It uses a group that
// cannot send.
func (w *world) servers() uint32 {
	w.Helper()
	cfg := acctradius.Config{Listen: func(string, netip.AddrPort) (client.Socket, error) { return nil, errors.ErrUnsupported }}
	for i, h := range w.hosts {
		cfg.Servers = append(cfg.Servers, acctradius.ServerOf(h.Member(retry.Schedule{Timeout: 1, Retransmit: -1, BackoffRetry: 1 - i})))
	}
	g, err := acctradius.NewGroup(cfg)
	if err != nil {
		w.Fatal(err)
	}
	go func() { _ = g.Run(context.Background()) }()
	defer g.Close()
	ends := make(chan error)
	g.Send(record(1, time.Now()), retry.Progress{}, func(err error) { ends <- err })
	later := (*retry.Later)(nil)
	if err := <-ends; !errors.As(err, &later) {
		w.Fatal(err)
	}
	w.began = time.Now()
	return later.At.Servers
}

// run runs the group until the test ends.
func (w *world) run() {
	ctx, cancel := context.WithCancel(w.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.group.Run(ctx) }()
	w.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.Error(err)
		}
	})
	<-w.group.Ready()
}

func (w *world) start(cfg acctradius.Config, schedules ...retry.Schedule) {
	w.Helper()
	w.newGroup(cfg, schedules...)
	w.run()
}

func (w *world) at(second int) time.Time { return w.began.Add(time.Duration(second) * time.Second) }

// sleep sleeps until a second, then waits until nothing happens any more.
func (w *world) sleep(second int) {
	time.Sleep(time.Until(w.at(second)))
	synctest.Wait()
}

// result is the result of a record.
type result struct {
	Second int
	Err    error
}

// deliver sends a record of session id, again after each Later, until it is settled. It does not
// block; it calls done at the end.
func (w *world) deliver(id sessions.ID, done func(result)) {
	rec := record(id, time.Now())
	var send func(at retry.Progress)
	send = func(at retry.Progress) {
		w.group.Send(rec, at, func(err error) {
			if later := (*retry.Later)(nil); errors.As(err, &later) {
				time.AfterFunc(later.After, func() { send(later.At) })
				return
			}
			done(result{int(time.Since(w.began) / time.Second), err})
		})
	}
	send(retry.Progress{})
}

// one delivers one record, and waits for the result.
func (w *world) one(id sessions.ID) result {
	ch := make(chan result)
	w.deliver(id, func(r result) { ch <- r })
	return <-ch
}

func record(id sessions.ID, at time.Time) *accounting.Record {
	attrs := radius.AppendUint32(nil, radius.AcctStatusType, uint32(sessions.Start))
	attrs = radius.AppendAttribute(attrs, radius.AcctSessionID, id.String())
	attrs = radius.AppendAttribute(attrs, radius.UserName, "nemo")
	return &accounting.Record{Session: id, Type: sessions.Start, At: at, List: "network/default", Attrs: radius.Attributes(attrs)}
}

// arrival is a request: its second, server and session.
type arrival struct {
	Second int
	Server string
	ID     string
}

func (w *world) arrivals() (all []arrival) {
	for _, a := range w.net.Arrivals() {
		all = append(all, arrival{int(a.At.Sub(w.began) / time.Second), a.Server, a.SessionID})
	}
	return all
}

func (w *world) want(want ...arrival) {
	w.Helper()
	if diff := cmp.Diff(want, w.arrivals()); diff != "" {
		w.Error(diff)
	}
}

var (
	s4   = retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Hour, BackoffRetry: 32}
	once = retry.Schedule{Retransmit: -1}
	// far is a link with a delay, so that requests of one moment are all sent before any answer.
	far = radiusnet.Link{Delay: time.Millisecond}
)

// The example of S4, to the second, then the next server.
func TestExampleOfS4(t *testing.T) {
	inWorld(t, func(w *world) {
		w.add(radiusnet.Server{Handle: silent})
		w.add(radiusnet.Server{})
		w.start(acctradius.Config{}, s4, retry.Schedule{})
		second := 12325 + 21*3600 + 5
		if got := w.one(1); got != (result{second, nil}) {
			t.Errorf("%+v, want an answer in second %d", got, second)
		}
		var want []arrival
		for _, s := range []int{0, 5, 10, 15, 25, 45, 85, 165, 325, 645, 1285, 2565, 5125, 8725, 12325} {
			want = append(want, arrival{s, "a", "00000001"})
		}
		for len(want) < 36 {
			want = append(want, arrival{want[len(want)-1].Second + 3600, "a", "00000001"})
		}
		w.want(append(want, arrival{second, "b", "00000001"})...)
		for _, a := range w.net.Arrivals() {
			if at := w.began.Add(time.Duration(a.DelayTime) * time.Second); !a.At.Equal(at) {
				t.Errorf("at %v: Acct-Delay-Time %d", a.At.Sub(w.began), a.DelayTime)
			}
		}
		st := w.group.Stats().Servers
		if a := st[0]; a.Requests != 1 || a.Retransmissions != 35 || a.Timeouts != 36 || a.Failures != 1 || a.PendingRequests != 0 {
			t.Errorf("statistics of a: %+v", a)
		}
		if b := st[1]; b.Requests != 1 || b.Retransmissions != 0 || b.Successes != 1 || b.Failures != 0 || b.State != servers.Up {
			t.Errorf("statistics of b: %+v", b)
		}
	})
}

func TestSchedulesOfTheirOwn(t *testing.T) {
	inWorld(t, func(w *world) {
		for range 3 {
			w.add(radiusnet.Server{Handle: silent})
		}
		w.start(acctradius.Config{},
			retry.Schedule{Timeout: 2 * time.Second, Retransmit: 1},
			retry.Schedule{Timeout: time.Second, Retransmit: -1, MaxDelay: 4 * time.Second, BackoffRetry: 4},
			once)
		if got := w.one(1); got.Second != 24 || !errors.Is(got.Err, accounting.ErrNoResponse) {
			t.Errorf("%+v", got)
		}
		const id = "00000001"
		w.want(arrival{0, "a", id}, arrival{2, "a", id},
			arrival{4, "b", id}, arrival{6, "b", id}, arrival{10, "b", id}, arrival{14, "b", id}, arrival{18, "b", id},
			arrival{19, "c", id})
	})
}

func TestOrder(t *testing.T) {
	for _, tc := range []struct {
		algorithm client.Algorithm
		want      []string // per record
	}{
		{client.Direct, []string{"abc", "abc", "abc", "abc"}},
		{client.RoundRobin, []string{"abc", "bca", "cab", "abc"}},
		{client.LeastOutstanding, []string{"abc", "abc", "abc", "abc"}}, // none is outstanding when the next one begins
	} {
		t.Run(tc.algorithm.String(), func(t *testing.T) {
			inWorld(t, func(w *world) {
				for range 3 {
					w.add(radiusnet.Server{Handle: silent})
				}
				w.start(acctradius.Config{Algorithm: tc.algorithm, HoldDown: -1}, once)
				for i := range tc.want {
					w.one(sessions.ID(i + 1))
				}
				got := make([]string, len(tc.want))
				for i, c := range w.arrivals() {
					got[i/3] += c.Server
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// Both criteria must hold; then records skip the server.
func TestDeadByCriteria(t *testing.T) {
	inWorld(t, func(w *world) {
		w.add(radiusnet.Server{Link: radiusnet.Link{Dead: []radiusnet.Interval{{From: time.Second}}}})
		w.add(radiusnet.Server{})
		w.start(acctradius.Config{DeadCriteria: servers.DeadCriteria{Time: 12 * time.Second, Tries: 2}}, retry.Schedule{})
		if got := w.one(1); got != (result{0, nil}) {
			t.Fatalf("%+v", got)
		}
		for i, second := range []int{1, 12, 17} {
			time.AfterFunc(time.Duration(second)*time.Second, func() { w.deliver(sessions.ID(i+2), func(result) {}) })
		}
		w.sleep(15) // timeouts at 6, 11 and 16
		if st := w.group.Stats().Servers[0]; st.State != servers.Up {
			t.Errorf("at 15 s: %+v", st)
		}
		w.sleep(60)
		st := w.group.Stats().Servers[0]
		if st.State != servers.Dead || st.DeadCount != 1 || !st.StateSince.Equal(w.at(16)) || st.TotalDeadTime != 44*time.Second || st.PreviousState != 16*time.Second {
			t.Errorf("at 60 s: %+v", st)
		}
		w.want(arrival{0, "a", "00000001"}, // server a gets none of the others
			arrival{17, "b", "00000004"}, arrival{21, "b", "00000002"}, arrival{32, "b", "00000003"})
	})
}

func TestHoldDownThenOneProbe(t *testing.T) {
	inWorld(t, func(w *world) {
		w.add(radiusnet.Server{Handle: until(w, 100), Link: far})
		w.add(radiusnet.Server{Link: far})
		w.start(acctradius.Config{}, retry.Schedule{})
		id := sessions.ID(0)
		burst := func(second int) {
			w.sleep(second)
			for range 3 {
				id++
				w.deliver(id, func(result) {})
			}
		}
		burst(0)   // to a; at 20 a is dead until 50, and b answers
		burst(49)  // to b
		burst(50)  // one is a's probe
		burst(60)  // the probe is in flight; it fails at 70
		burst(99)  // to b
		burst(100) // the probe is answered
		burst(101) // a is up
		w.sleep(200)
		all := w.arrivals()
		slices.SortFunc(all, func(a, b arrival) int { return strings.Compare(a.Server, b.Server) })
		count := map[int]string{}
		for _, c := range all {
			count[c.Second] += c.Server
		}
		want := map[int]string{
			0: "aaa", 5: "aaa", 10: "aaa", 15: "aaa", 20: "bbb", 49: "bbb", 50: "abb", 55: "a", 60: "abbb", 65: "a", 70: "b",
			99: "bbb", 100: "abb", 101: "aaa",
		}
		if diff := cmp.Diff(want, count); diff != "" {
			t.Error(diff)
		}
	})
}

// A record that waits when the group is created continues where its Progress says.
func TestBackoffBeforeRun(t *testing.T) {
	inWorld(t, func(w *world) {
		w.add(radiusnet.Server{Handle: silent})
		w.add(radiusnet.Server{})
		w.newGroup(acctradius.Config{}, s4, retry.Schedule{})
		servers := w.servers()
		settled := make(chan string, 3)
		for _, attempt := range []uint16{34, 35, 36} {
			w.group.Send(record(sessions.ID(attempt), time.Now()), retry.Progress{Tried: 1, Transmissions: attempt, Servers: servers}, func(err error) {
				settled <- fmt.Sprint(attempt, err)
			})
		}
		w.sleep(1)
		w.run()
		w.sleep(10)
		const waits = "no response yet, next transmission in 59m55s"
		want := []string{"36 <nil>", "34 " + waits, "35 <nil>"} // 36 to b, 35 was the last to a
		got := []string{<-settled, <-settled, <-settled}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		w.want(arrival{1, "a", "00000022"}, arrival{1, "a", "00000023"}, arrival{1, "b", "00000024"}, arrival{6, "b", "00000023"})
	})
}

// One record of a backlog at a time is sent to a dead server, and all when the server is back.
func TestBacklogIsProbedWithOne(t *testing.T) {
	inWorld(t, func(w *world) {
		w.add(radiusnet.Server{Handle: until(w, 600), Link: far})
		w.start(acctradius.Config{}, s4)
		var settled atomic.Int64
		for i := range 100 {
			w.deliver(sessions.ID(i+1), func(r result) {
				if r.Err != nil {
					t.Error(r.Err)
				}
				settled.Add(1)
			})
		}
		w.sleep(3600)
		count := map[int]int{}
		for _, c := range w.arrivals() {
			count[c.Second]++
		}
		want := map[int]int{
			0: 100, 5: 100, 10: 100, 15: 100, 25: 1, 45: 1, 85: 1, 165: 1, 325: 1, 645: 1, 1285: 99,
		}
		if diff := cmp.Diff(want, count); diff != "" || settled.Load() != 100 {
			t.Errorf("%d settled: %s", settled.Load(), diff)
		}
	})
}
