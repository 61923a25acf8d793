//go:build partners

package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/internal/partner"
)

// outages is a daemon between NASes under load and the FreeRADIUS servers of two groups. A receives
// the network sessions, B the exec sessions.
type outages struct {
	*inProcess
	load *outageLoad
	a    []*partner.FreeRADIUSProc
	b    *partner.FreeRADIUSProc
	away map[string][]span // when no server of a group answered
}

// span is a time span since the load began.
type span struct{ from, to time.Duration }

// outagesConfig returns plainConfig with groups of these servers. Their names are those of the
// groups with a number.
func outagesConfig(t *testing.T, groups string, servers map[string][]*partner.FreeRADIUSProc) string {
	t.Helper()
	text := "  nas-identifier: relay-1\n  timeout: 300ms\n  retransmit: 2\n  hold-down: 1s\n  servers:\n"
	for group, all := range servers {
		for i, fr := range all {
			at := netip.MustParseAddrPort(fr.Addr)
			text += fmt.Sprintf("    - {name: %s%d, address: %s, port: %d, secret: %q}\n", group, i+1, at.Addr(), at.Port(), fr.Secret)
		}
	}
	return with(t, plainConfig, "accounting:\n  network", text+groups+"accounting:\n  network")
}

// startOutages starts the daemon and its partners. No server answers until some records wait, so
// that these must wait for the Accounting-On.
func startOutages(t *testing.T, algorithm string) *outages {
	t.Helper()
	o := &outages{away: map[string][]span{}, b: partner.FreeRADIUS(t, partner.FreeRADIUSOptions{Secret: "of B"})}
	for i := range 2 {
		o.a = append(o.a, partner.FreeRADIUS(t, partner.FreeRADIUSOptions{Secret: fmt.Sprint("of A", i)}))
		o.a[i].Pause()
	}
	groups := `  groups:
    - {name: A, servers: [A1, A2], access-algorithm: ` + algorithm + `, acct-on-off: {oper-state-change: true}}
    - {name: B, servers: [B1]}
`
	text := outagesConfig(t, groups, map[string][]*partner.FreeRADIUSProc{"A": o.a, "B": {o.b}})
	o.inProcess = launch(t, with(t, text, "network: {default: {record: start-stop, methods: [local]}}",
		"network: {default: {record: start-stop, methods: [group A]}}\n  exec: {default: {record: start-stop, methods: [group B]}}"), environment{})
	t.Cleanup(func() { // runs before launch checks what the daemon has left running
		for _, fr := range append(o.a, o.b) {
			fr.Kill()
		}
	})
	o.load = startLoad(t, o.d.listener.Addr())
	ended := o.startOutage("A")
	eventually(t, "records wait for the Accounting-On", func() bool {
		g := o.group("A")
		return g.AcctOnOff.Blocked && *g.Waiting >= 20
	})
	for _, fr := range o.a {
		fr.Resume()
	}
	again := false
	eventually(t, "group A is not blocked any more", func() bool {
		if !again && strings.Contains(o.log.String(), "no server answers the Accounting-On") {
			again = true // the machine was slow, and the next Accounting-On would come only a minute later
			if _, err := o.client().Perform(t.Context(), api.PerformRequest{Group: "A", Action: api.AcctOn}); err != nil {
				t.Fatal(err)
			}
		}
		return !o.group("A").AcctOnOff.Blocked
	})
	ended()
	return o
}

// startOutage notes that no server of a group answers from now on. The function that it returns
// waits until the records of the group are delivered again.
func (o *outages) startOutage(group string) (ended func()) {
	began := time.Since(o.load.history.began)
	return func() {
		o.t.Helper()
		var q api.Queue
		eventually(o.t, "the records of group "+group+" are delivered again", func() bool {
			q = o.queue(group)
			return q.DownSince.IsZero() && q.Records <= outageNASes*outageLines
		}, &q)
		o.away[group] = append(o.away[group], span{began, time.Since(o.load.history.began)})
	}
}

// queue returns the status of a group's queue.
func (o *outages) queue(group string) api.Queue { return o.spoolQueue("group/" + group) }

func (l *inProcess) spoolQueue(name string) api.Queue {
	l.t.Helper()
	spool, err := l.client().Spool(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, q := range spool.Queues {
		if q.Queue == name {
			return q
		}
	}
	l.t.Fatalf("the spool has no %s: %+v", name, spool)
	return api.Queue{}
}

// awaitReceived waits until these servers have received n more records.
func (o *outages) awaitReceived(n int, servers ...*partner.FreeRADIUSProc) {
	o.t.Helper()
	count := func() (sum int) {
		for _, fr := range servers {
			sum += fr.Received()
		}
		return sum
	}
	want := count() + n
	got := 0
	eventually(o.t, fmt.Sprintf("%d more records arrive, that is %d", n, want), func() bool {
		got = count()
		return got >= want
	}, &got)
}

// eventuallyIs waits until a server of group A is up or down.
func (o *outages) eventuallyIs(server int, state string) {
	o.t.Helper()
	eventually(o.t, fmt.Sprintf("server %d of A is %s", server+1, state), func() bool {
		return o.group("A").Servers[server].OperState == state
	})
}

// lost makes a server of group A silent, by calling off, until it is dead, and then lets it answer
// again. Meanwhile the other server receives everything.
func (o *outages) lost(server int, off, on func()) {
	o.t.Helper()
	off()
	o.eventuallyIs(server, "down")
	o.awaitReceived(200, o.a[1-server])
	on()
	o.awaitReceived(100, o.a[server])
	o.eventuallyIs(server, "up")
}

// lostB stops B, and checks that A continues.
func (o *outages) lostB() {
	o.t.Helper()
	o.b.Pause()
	ended := o.startOutage("B")
	eventually(o.t, "group B is down", func() bool { return !o.queue("B").DownSince.IsZero() })
	before := o.b.Received()
	for range 3 {
		o.awaitReceived(150, o.a...)
		if q := o.queue("A"); !q.DownSince.IsZero() || q.Records > outageNASes*outageLines {
			o.t.Errorf("while B is stopped the queue of A is %+v", q)
		}
	}
	if got := o.b.Received(); got != before {
		o.t.Errorf("B received %d records although it is stopped", got-before)
	}
	if q := o.queue("B"); q.DownSince.IsZero() || q.Records < 20 {
		o.t.Errorf("after a while the queue of B is %+v", q)
	}
	o.b.Resume()
	ended()
}

// lostA kills both servers of A, and checks that B continues and NASes are answered.
func (o *outages) lostA() {
	o.t.Helper()
	ended := o.startOutage("A")
	for _, fr := range o.a {
		fr.Kill()
	}
	eventually(o.t, "group A is down", func() bool { return !o.queue("A").DownSince.IsZero() })
	answered := o.load.history.counted("answered network")
	eventually(o.t, "NASes are answered", func() bool { return o.load.history.counted("answered network") > answered+600 })
	o.awaitReceived(100, o.b)
	for _, fr := range o.a {
		fr.Start()
	}
	ended()
}

// settle waits until the NASes have ended and the daemon has delivered everything, and ends the
// daemon.
func (o *outages) settle() (spool *api.SpoolStatus) {
	o.t.Helper()
	o.load.finish()
	eventually(o.t, "all is delivered", func() bool { return o.queue("A").Records+o.queue("B").Records == 0 })
	spool, err := o.client().Spool(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	if err := o.stop(); err != nil {
		o.t.Fatal(err)
	}
	return spool
}

// TestOutages stops, kills and restarts the servers of two groups under load. Every answered record
// arrives at its group and in order, and an outage of one group does not affect the other.
func TestOutages(t *testing.T) {
	o := startOutages(t, "direct")
	o.awaitReceived(300, o.a[0])
	o.awaitReceived(100, o.b)
	before := o.a[1].Received()
	o.awaitReceived(200, o.a[0])
	if n := o.a[1].Received() - before; n > 50 { // possible on a slow machine
		t.Errorf("the second server of A received %d records while the first was up", n)
	}
	o.lost(0, o.a[0].Pause, o.a[0].Resume)
	o.lost(0, o.a[0].Kill, o.a[0].Start)
	o.lostB()
	o.awaitReceived(300, o.a...) // the records that were answered while B was down do not belong to the next outage
	o.lostA()
	o.awaitReceived(300, o.a...)
	o.check(o.settle())
}

// TestOutagesRoundRobin: both servers receive records, also after an outage.
func TestOutagesRoundRobin(t *testing.T) {
	o := startOutages(t, "round-robin")
	share := func() {
		t.Helper()
		before := [...]int{o.a[0].Received(), o.a[1].Received()}
		o.awaitReceived(300, o.a...)
		one, two := o.a[0].Received()-before[0], o.a[1].Received()-before[1]
		if min(one, two) < (one+two)/3 {
			t.Errorf("the servers of A received %d and %d records, want about the same number", one, two)
		}
	}
	share()
	o.lost(0, o.a[0].Pause, o.a[0].Resume)
	o.lost(1, o.a[1].Kill, o.a[1].Start)
	share()
	o.check(o.settle())
}

// TestOutagesLeastOutstanding: while one server is away the other gets the records, and none is lost.
// How many each gets depends on how fast they answer.
func TestOutagesLeastOutstanding(t *testing.T) {
	o := startOutages(t, "least-outstanding, batch-size: 5")
	o.awaitReceived(300, o.a...)
	o.lost(0, o.a[0].Pause, o.a[0].Resume)
	o.lost(1, o.a[1].Kill, o.a[1].Start)
	o.awaitReceived(300, o.a...)
	o.check(o.settle())
}

// TestBackoffStopped: a server process is paused, and continues long after the normal transmissions
// of a record. All transmissions have waited in its socket, and the server treats each as a new
// request. Some of its answers may be too late; at the latest, the next transmission is answered in
// time.
func TestBackoffStopped(t *testing.T) {
	fr := partner.FreeRADIUS(t, partner.FreeRADIUSOptions{})
	group := "  groups:\n    - {name: A, servers: [A1], timeout: 100ms, retransmit: 1, backoff: {max-delay: 1s, retry: 20}}\n"
	text := outagesConfig(t, group, map[string][]*partner.FreeRADIUSProc{"A": {fr}})
	l := launch(t, with(t, text, "methods: [local]", "methods: [group A]"), environment{})
	fr.Pause()
	began := time.Now()
	l.mustAccount(packet(acctStart, "S1", "alice"))

	// Sent at 0, 100, 300, 700, 1500 and 2500 ms.
	var q, first api.Queue
	eventually(t, "it is to be sent again after more than 3 s", func() bool {
		q = l.spoolQueue("group/A")
		if q.Records != 1 || q.Delivered != 0 {
			t.Fatalf("while the server is stopped the queue is %+v", q)
		}
		if q.DownSince.IsZero() {
			return false
		}
		if first.DownSince.IsZero() {
			first = q
		}
		if !q.DownSince.Equal(first.DownSince) || q.DownSince.Before(began) {
			t.Fatalf("it is down since %v, and was since %v", q.DownSince, first.DownSince)
		}
		if late := time.Until(q.NextProbe); late > time.Second {
			t.Fatalf("the next transmission is after %v, max-delay is 1s", late)
		}
		return q.NextProbe.Sub(began) > 3*time.Second
	}, &q)
	if n := l.transmissions(); n < 4 || n > 6 {
		t.Errorf("%d transmissions in the first 3 s, want 6, or less if this machine is slow", n)
	}

	resumed := time.Now()
	fr.Resume()
	eventually(t, "it is delivered", func() bool { q = l.spoolQueue("group/A"); return q.Records == 0 }, &q)
	if took := time.Since(resumed); took > 5*time.Second {
		t.Errorf("delivered %v after the server continued: max-delay is 1s", took)
	}
	if q.Delivered != 1 || !q.DownSince.IsZero() || !q.NextProbe.IsZero() || q.SetAside != 0 {
		t.Errorf("after all the queue is %+v", q)
	}
	l.mustAccount(packet(acctStop, "S1", "alice"))
	var got []string
	eventually(t, "the stop arrives", func() bool {
		got = statuses(fr)
		return len(got) > 0 && got[len(got)-1] == "Stop 00000001"
	}, &got)
	if n := l.transmissions(); len(got) != n {
		t.Errorf("%d transmissions were made, and %d arrived: %q", n, len(got), got)
	}
	delay := -1
	for i, a := range merged([]*partner.FreeRADIUSProc{fr}) {
		n, err := strconv.Atoi(a.Record.Get("Acct-Delay-Time"))
		if err != nil || i < len(got)-1 && (n < delay || got[i] != "Start 00000001") {
			t.Errorf("transmission %d: Acct-Delay-Time %d after %d, %v: %v", i, n, delay, err, a.Record)
		}
		if i == len(got)-2 && n < 2 {
			t.Errorf("the last transmission of the start, %d of %d, has Acct-Delay-Time %d", i, len(got), n)
		}
		delay = n
	}
	t.Logf("%d transmissions, delivered %v after the server went on; %+v", l.transmissions(), time.Since(resumed), l.group("A").Servers[0].Statistics)
}

// transmissions returns how many packets the first server of group A was sent.
func (l *inProcess) transmissions() int {
	l.t.Helper()
	s := l.group("A").Servers[0].Statistics
	return int(s.Requests + s.Retransmissions)
}
