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

// outages is a daemon between NASes under load and the FreeRADIUS servers of two groups: A has the
// network sessions, B the exec sessions.
type outages struct {
	*inProcess
	load *outageLoad
	a    []*partner.FreeRADIUSProc
	b    *partner.FreeRADIUSProc
	away map[string][]span // when nobody of a group answered
}

// span is a time, since the load began.
type span struct{ from, to time.Duration }

// outagesConfig is plainConfig with groups of these servers, their names the groups' with a number.
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

// startOutages starts all of it. Until some records wait nobody answers, so that those must wait
// for the Accounting-On.
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
	t.Cleanup(func() { // before it is looked what the daemon has left running
		for _, fr := range append(o.a, o.b) {
			fr.Kill()
		}
	})
	o.load = startLoad(t, o.d.listener.Addr())
	ended := o.begins("A")
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
			again = true // the machine was slow; it would be a minute until the next
			if _, err := o.client().Perform(t.Context(), api.PerformRequest{Group: "A", Action: api.AcctOn}); err != nil {
				t.Fatal(err)
			}
		}
		return !o.group("A").AcctOnOff.Blocked
	})
	ended()
	return o
}

// begins notes that from now on nobody of a group answers. What it returns waits until the group's
// records are delivered again.
func (o *outages) begins(group string) (ended func()) {
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

// queue is what "show spool" tells of a group.
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

// takes waits until these servers have so many more records.
func (o *outages) takes(n int, servers ...*partner.FreeRADIUSProc) {
	o.t.Helper()
	count := func() (sum int) {
		for _, fr := range servers {
			sum += fr.Taken()
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

// lost has a server of group A not answer, by way of off, until it is dead, and then answer again.
// Meanwhile the other one takes all.
func (o *outages) lost(server int, off, on func()) {
	o.t.Helper()
	off()
	o.eventuallyIs(server, "down")
	o.takes(200, o.a[1-server])
	on()
	o.takes(100, o.a[server])
	o.eventuallyIs(server, "up")
}

// lostB stops B, and looks that A goes on.
func (o *outages) lostB() {
	o.t.Helper()
	o.b.Pause()
	ended := o.begins("B")
	eventually(o.t, "group B is down", func() bool { return !o.queue("B").DownSince.IsZero() })
	before := o.b.Taken()
	for range 3 {
		o.takes(150, o.a...)
		if q := o.queue("A"); !q.DownSince.IsZero() || q.Records > outageNASes*outageLines {
			o.t.Errorf("while B is stopped the queue of A is %+v", q)
		}
	}
	if got := o.b.Taken(); got != before {
		o.t.Errorf("B took %d records although it is stopped", got-before)
	}
	if q := o.queue("B"); q.DownSince.IsZero() || q.Records < 20 {
		o.t.Errorf("after a while the queue of B is %+v", q)
	}
	o.b.Resume()
	ended()
}

// lostA kills both servers of A, and looks that B goes on and NASes are answered.
func (o *outages) lostA() {
	o.t.Helper()
	ended := o.begins("A")
	for _, fr := range o.a {
		fr.Kill()
	}
	eventually(o.t, "group A is down", func() bool { return !o.queue("A").DownSince.IsZero() })
	answered := o.load.history.counted("answered network")
	eventually(o.t, "NASes are answered", func() bool { return o.load.history.counted("answered network") > answered+600 })
	o.takes(100, o.b)
	for _, fr := range o.a {
		fr.Start()
	}
	ended()
}

// settle lets the NASes finish and the daemon deliver all, and ends it.
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

// TestOutages stops, kills and restarts the servers of two groups under load: all that was answered
// to the NASes arrives, in order and where it belongs, and one group's outage does not concern the
// other.
func TestOutages(t *testing.T) {
	o := startOutages(t, "direct")
	o.takes(300, o.a[0])
	o.takes(100, o.b)
	before := o.a[1].Taken()
	o.takes(200, o.a[0])
	if n := o.a[1].Taken() - before; n > 50 { // it may, when the machine was slow
		t.Errorf("the second server of A took %d records while the first was there", n)
	}
	o.lost(0, o.a[0].Pause, o.a[0].Resume)
	o.lost(0, o.a[0].Kill, o.a[0].Start)
	o.lostB()
	o.takes(300, o.a...) // what was answered to NASes while B was away is no part of the next outage
	o.lostA()
	o.takes(300, o.a...)
	o.judge(o.settle())
}

// TestOutagesRoundRobin: both servers have a share, also after an outage.
func TestOutagesRoundRobin(t *testing.T) {
	o := startOutages(t, "round-robin")
	share := func() {
		t.Helper()
		before := [...]int{o.a[0].Taken(), o.a[1].Taken()}
		o.takes(300, o.a...)
		one, two := o.a[0].Taken()-before[0], o.a[1].Taken()-before[1]
		if min(one, two) < (one+two)/3 {
			t.Errorf("the servers of A took %d and %d records, want about as many", one, two)
		}
	}
	share()
	o.lost(0, o.a[0].Pause, o.a[0].Resume)
	o.lost(1, o.a[1].Kill, o.a[1].Start)
	share()
	o.judge(o.settle())
}

// TestBackoffStopped: a server is stopped, and goes on long after the normal transmissions of a
// record. They and those of the back-off have waited in its socket, and it takes each for a request
// of its own. Of its answers some may come when nobody waits for them; at the latest the next
// transmission counts.
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
		t.Errorf("delivered %v after the server went on: max-delay is 1s", took)
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

// transmissions is how often the first server of group A was sent anything.
func (l *inProcess) transmissions() int {
	l.t.Helper()
	s := l.group("A").Servers[0].Statistics
	return int(s.Requests + s.Retransmissions)
}
