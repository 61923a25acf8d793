//go:build partners

package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aaasess/cmd/aaasessd/internal/crashtest"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/internal/partner"
	"aaasess/sessions"
)

// receivers are the FreeRADIUS servers of groups, by group.
type receivers map[string][]*partner.FreeRADIUSProc

// startReceivers starts so many servers for each group.
func startReceivers(t *testing.T, sizes map[string]int) receivers {
	t.Helper()
	r := receivers{}
	for group, n := range sizes {
		for i := range n {
			r[group] = append(r[group], partner.FreeRADIUS(t, partner.FreeRADIUSOptions{Secret: fmt.Sprint("of ", group, i+1)}))
		}
	}
	return r
}

// config returns plainConfig with these groups, and with accounting keys in place of its own.
func (r receivers) config(t *testing.T, accounting string) string {
	t.Helper()
	groups := "  groups:\n"
	for group, servers := range r {
		var names []string
		for i := range servers {
			names = append(names, fmt.Sprint(group, i+1))
		}
		groups += fmt.Sprintf("    - {name: %s, servers: [%s]}\n", group, strings.Join(names, ", "))
	}
	return with(t, outagesConfig(t, groups, r), "  network: {default: {record: start-stop, methods: [local]}}\n", accounting)
}

// received returns how many records the servers of some groups have received.
func (r receivers) received(groups ...string) (n int) {
	for _, group := range groups {
		for _, fr := range r[group] {
			n += fr.Received()
		}
	}
	return n
}

// awaitReceived waits until each of these groups has received n more records.
func (r receivers) awaitReceived(t *testing.T, n int, groups ...string) {
	t.Helper()
	for _, group := range groups {
		got := r.received(group)
		want := got + n
		eventually(t, fmt.Sprintf("group %s has %d records", group, want), func() bool {
			got = r.received(group)
			return got >= want
		}, &got)
	}
}

// broadcastTest is a daemon between NASes under load and the servers of groups.
type broadcastTest struct {
	*inProcess
	receivers
	load *outageLoad
}

func startBroadcast(t *testing.T, r receivers, accounting string) *broadcastTest {
	t.Helper()
	b := &broadcastTest{receivers: r, inProcess: launch(t, r.config(t, accounting), environment{})}
	t.Cleanup(r.kill) // runs before launch checks what the daemon has left running
	b.load = startLoad(t, b.d.listener.Addr())
	return b
}

func (r receivers) kill() {
	for _, servers := range r {
		for _, fr := range servers {
			fr.Kill()
		}
	}
}

// down waits until a group answers nothing.
func (b *broadcastTest) down(group string) {
	b.t.Helper()
	eventually(b.t, "group "+group+" is down", func() bool { return !b.queue("group/" + group).DownSince.IsZero() })
}

// goOn checks that some groups receive records, and that these do not wait.
func (b *broadcastTest) goOn(groups ...string) {
	b.t.Helper()
	for range 3 {
		b.receivers.awaitReceived(b.t, 100, groups...)
		for _, group := range groups {
			if q := b.queue("group/" + group); !q.DownSince.IsZero() || q.Records > outageNASes*outageLines {
				b.t.Errorf("the queue of %s is %+v", group, q)
			}
		}
	}
}

// delivered waits until the queue of a group has only what the load has just added.
func (b *broadcastTest) delivered(group string) {
	b.t.Helper()
	var q api.Queue
	eventually(b.t, "the records of group "+group+" are delivered", func() bool {
		q = b.queue("group/" + group)
		return q.DownSince.IsZero() && q.Records <= outageNASes*outageLines
	}, &q)
}

// settle waits until the NASes have ended and the daemon has delivered everything, and ends the
// daemon. It returns how many interims of a group's queue were superseded.
func (b *broadcastTest) settle(group string) (superseded uint64) {
	b.t.Helper()
	b.load.finish()
	awaitDelivered(b.t, b.client())
	superseded = b.queue("group/" + group).Superseded
	if err := b.stop(); err != nil {
		b.t.Fatal(err)
	}
	return superseded
}

// awaitDelivered waits until no queue has records, and none is set aside.
func awaitDelivered(t *testing.T, c *apiclient.Client) {
	t.Helper()
	var left uint64
	eventually(t, "all is delivered", func() bool {
		spool, err := c.Spool(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		left = 0
		for _, q := range spool.Queues {
			left += q.Records
		}
		if spool.SetAside > 0 {
			t.Fatalf("%d records are set aside", spool.SetAside)
		}
		return left == 0
	}, &left)
}

// arrival is a record that a server has received, and when, if that is known.
type arrival struct {
	crashtest.Observation
	at time.Time
}

// arrivalsAt returns what some servers together have received.
func arrivalsAt(t *testing.T, servers []*partner.FreeRADIUSProc) (all []arrival) {
	t.Helper()
	for _, a := range merged(servers) {
		got, err := arrivedRecord(a.Record)
		if err != nil {
			t.Errorf("%v: %v", err, a.Record)
			continue
		}
		all = append(all, arrival{got, a.At})
	}
	return all
}

// arrivalTimes are when records of network sessions first arrived at some servers, since the load
// began.
type arrivalTimes map[crashtest.Record]time.Duration

// checkArrivals checks what the servers of one place have received: every answered record of a
// network session, the records of a session in order and with one number, and nothing else. Interims
// that have a later record may be missing; complete says that these too must be there. numbers has
// the numbers of sessions that are known.
func (o *outageLoad) checkArrivals(t *testing.T, where string, received []arrival, complete bool, numbers map[string]uint32) arrivalTimes {
	t.Helper()
	h := o.history
	own := newCrashHistory()
	h.mu.Lock()
	entries, times := slices.Clone(h.entries), slices.Clone(h.times)
	h.mu.Unlock()
	add := func(o crashtest.Observation, at time.Duration) {
		own.add(o)
		own.times[len(own.times)-1] = at
	}
	for i, e := range entries {
		if strings.HasPrefix(e.Record.Session, sessions.Network.String()) {
			add(e, times[i])
		}
	}
	first := arrivalTimes{}
	for _, got := range received {
		at := got.at.Sub(h.began)
		add(got.Observation, at)
		if _, twice := first[got.Record]; !twice {
			first[got.Record] = at
		}
		if known, ok := numbers[got.Record.Session]; ok && known != got.Number {
			t.Errorf("%s arrived at %s with number %d, elsewhere with %d", got.Record, where, got.Number, known)
		}
		numbers[got.Record.Session] = got.Number
	}
	own.add(crashtest.Observation{Kind: crashtest.Drained})
	if len(own.violations()) > 0 {
		t.Errorf("at %s:\n%s", where, own.report())
	}
	if len(first) < 300 {
		t.Errorf("%d records at %s prove little", len(first), where)
	}
	for _, e := range entries {
		if _, came := first[e.Record]; complete && !came && e.Kind == crashtest.Answered && strings.HasPrefix(e.Record.Session, sessions.Network.String()) {
			t.Errorf("%s never arrived at %s", e.Record, where)
		}
	}
	t.Logf("at %s: %s", where, own.summary())
	return first
}

// checkDelay checks that the records that were answered in a time span arrived at once.
func (o *outageLoad) checkDelay(t *testing.T, where string, arrived arrivalTimes, while span) {
	t.Helper()
	h := o.history
	h.mu.Lock()
	defer h.mu.Unlock()
	n, latest := 0, time.Duration(0)
	for i, e := range h.entries {
		at, came := arrived[e.Record]
		if e.Kind != crashtest.Answered || !came || h.times[i] < while.from || h.times[i] > while.to {
			continue
		}
		n++
		if latest = max(latest, at-h.times[i]); at-h.times[i] > outageSlack {
			t.Errorf("%s arrived at %s %v after its answer", e.Record, where, at-h.times[i])
		}
	}
	if n < 100 {
		t.Errorf("at %s %d records arrived from %v to %v: this proves little", where, n, while.from, while.to)
	}
	t.Logf("at %s %d records arrived from %v to %v, %v after their answers at the latest", where, n, while.from, while.to, latest)
}

// TestBroadcastOutage: of three groups that get every record, one loses its first server, and its
// backup takes over; then another loses its only server, and gets its records when that is back.
// The other groups are not affected (S1: "each server group can define its backup servers for
// failover independently of other groups").
func TestBroadcastOutage(t *testing.T) {
	r := startReceivers(t, map[string]int{"A": 2, "B": 1, "C": 1})
	b := startBroadcast(t, r, "  network: {default: {record: start-stop, broadcast: true, methods: [group A, group B, group C]}}\n")
	now := func() time.Duration { return time.Since(b.load.history.began) }
	b.goOn("A", "B", "C")

	backup, withoutA1 := r["A"][1].Received(), span{from: now()}
	r["A"][0].Kill()
	b.goOn("B", "C")
	eventually(t, "the backup of A takes over", func() bool { return r["A"][1].Received() > backup+200 })
	b.goOn("A", "B", "C")
	withoutA1.to = now()
	r["A"][0].Start()
	eventually(t, "the first server of A is up", func() bool { return b.group("A").Servers[0].OperState == "up" })

	before, withoutC := r.received("C"), span{from: now()}
	r["C"][0].Kill()
	b.down("C")
	b.goOn("A", "B")
	if q := b.queue("group/C"); q.DownSince.IsZero() || q.Records < 50 || r.received("C") > before+outageNASes*outageLines {
		t.Errorf("without its server the queue of C is %+v, and C received %d more records", q, r.received("C")-before)
	}
	withoutC.to = now()
	r["C"][0].Start()
	b.delivered("C")
	b.goOn("A", "B", "C")
	superseded := b.settle("C")

	numbers, arrived := map[string]uint32{}, map[string]arrivalTimes{}
	for group, servers := range r {
		arrived[group] = b.load.checkArrivals(t, group, arrivalsAt(t, servers), group != "C", numbers)
	}
	if missing := len(arrived["A"]) - len(arrived["C"]); missing < 0 || uint64(missing) > superseded {
		t.Errorf("%d records never arrived at C, and %d were superseded", missing, superseded)
	}
	b.load.checkDelay(t, "B", arrived["B"], withoutA1)
	b.load.checkDelay(t, "C", arrived["C"], withoutA1)
	b.load.checkDelay(t, "A", arrived["A"], withoutC)
	b.load.checkDelay(t, "B", arrived["B"], withoutC)
}

// TestFirstMethodKilled: the only server of a list's first method is killed. The second method gets
// the records until the server is back (R42).
func TestFirstMethodKilled(t *testing.T) {
	r := startReceivers(t, map[string]int{"A": 1, "B": 1})
	b := startBroadcast(t, r, "  network: {default: {record: start-stop, methods: [group A, group B]}}\n")
	b.goOn("A")
	if n := r.received("B"); n > 0 { // possible only if A was silent for a second
		t.Logf("the second method received %d records while the first was up", n)
	}
	r["A"][0].Kill()
	before := r.received("A")
	r.awaitReceived(t, 300, "B")
	if n := r.received("A"); n != before {
		t.Errorf("the killed server received %d records", n-before)
	}
	r["A"][0].Start()
	r.awaitReceived(t, 300, "A")
	b.delivered("A")
	superseded := b.settle("A") // only if the second method was silent too, on a slow machine
	b.load.checkArrivals(t, "A and B", arrivalsAt(t, append(r["A"], r["B"]...)), superseded == 0, map[string]uint32{})
}

// TestBroadcastKilled: the daemon is killed (SIGKILL) several times under load. Every answered
// record arrives at each group of the broadcast.
func TestBroadcastKilled(t *testing.T) {
	r := startReceivers(t, map[string]int{"A": 1, "B": 1, "C": 1})
	addr := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(partner.FreeUDPPort(t)))
	text := r.config(t, "  network: {default: {record: start-stop, broadcast: true, methods: [group A, group B, group C]}}\n")
	dir, out := t.TempDir(), &lines{}
	file := filepath.Join(dir, "aaasess.yaml")
	text = with(t, text, `listen: ["127.0.0.1:0"]`, fmt.Sprintf("listen: [%q]", addr.String()))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	life := func() func(syscall.Signal) {
		cmd := process(t, dir, out, "--config", file)
		return func(sig syscall.Signal) {
			_ = cmd.Process.Signal(sig)
			if err := cmd.Wait(); err != nil && sig != syscall.SIGKILL {
				t.Errorf("the daemon ended with %v", err)
			}
		}
	}
	load := startLoad(t, addr)
	end := life()
	for i := range 5 {
		if i == 2 {
			r["C"][0].Pause() // the queues are not the same at the next kill
		}
		r.awaitReceived(t, 100+30*i, "A", "B")
		end(syscall.SIGKILL)
		end = life()
		if i == 3 {
			r["C"][0].Resume()
		}
	}
	r.awaitReceived(t, 100, "A", "B", "C")
	load.finish()
	awaitDelivered(t, apiclient.New(filepath.Join(dir, "ctl.sock"), limit))
	end(syscall.SIGTERM)
	numbers := map[string]uint32{}
	for group, servers := range r {
		load.checkArrivals(t, group, arrivalsAt(t, servers), false, numbers)
	}
	if load.history.counted("retransmissions of NASes") == 0 {
		t.Error("no NAS sent anything again: this proves little")
	}
}
