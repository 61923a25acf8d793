package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
)

// awaitResync waits until the resync of a group has ended.
func (l *inProcess) awaitResync(group string) *api.Resync {
	l.t.Helper()
	var got *api.Resync
	eventually(l.t, "the resync has ended", func() bool {
		r, err := l.client().Resync(l.t.Context(), group)
		if err != nil {
			l.t.Fatal(err)
		}
		got = r
		return r.State != "running"
	}, &got)
	return got
}

// ignoreTimes compares resyncs without their times.
var ignoreTimes = cmpopts.IgnoreFields(api.Resync{}, "Began", "Ended")

// TestResync: only the group that is named gets records of the live sessions whose lists send
// records to it, in the order of their numbers.
func TestResync(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	var atA, atB journal
	a.observe(atA.add)
	b.observe(atB.add)
	groups := map[string]*upstream{"a": a, "b": b}
	l := launch(t, listsConfig(t, toA, groups), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStart, "S2", "bob"))
	for i, list := range []string{
		"{default: {record: stop-only, methods: [group a]}}",
		"{default: {record: start-stop, methods: [group b, group a]}}",
		"{default: {record: start-stop, broadcast: true, broadcast-interims: false, methods: [group b, group a]}}",
		"{default: {record: start-stop, methods: [group b]}}",
		"{default: {record: none}}",
	} {
		l.reload(listsConfig(t, list, groups), "configuration loaded")
		l.mustAccount(packet(acctStart, fmt.Sprint("S", i+3), "carol"))
	}
	l.reload(strings.Replace(listsConfig(t, toA, groups), "accounting:\n  network", "accounting:\n  suppress-null-username: true\n  network", 1), "configuration loaded")
	l.mustAccount(packet(acctStart, "S8", ""))
	l.mustAccount(packet(acctStop, "S2", "bob"))
	atA.await(t, storeRecord(acctStart, 1), storeRecord(acctStop, 2), storeRecord(acctStart, 5))
	atB.await(t, storeRecord(acctStart, 4), storeRecord(acctStart, 5), storeRecord(acctStart, 6))
	beforeA, beforeB := len(a.all()), len(b.all())

	if _, err := l.client().BeginResync(t.Context(), "a", api.ResyncRequest{Rate: 100_000}); err != nil {
		t.Fatal(err)
	}
	want := &api.Resync{
		Group: "a", State: "done", Type: "interim", Rate: 100_000, Total: 7, Sessions: 7, Records: 2,
		LeftOut: api.ResyncLeftOut{Elsewhere: 2, StopOnly: 1, Fallback: 1, NullUsername: 1},
	}
	if diff := cmp.Diff(want, l.awaitResync("a"), ignoreTimes); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	// The list of session 5 sends its interims only to b.
	sent := []string{storeRecord(acctInterim, 1), storeRecord(acctStart, 5)}
	var got []string
	eventually(t, "the records arrive", func() bool {
		got = slices.Sorted(slices.Values(a.all()[beforeA:])) // records of several sessions have no order
		return slices.Equal(got, sent)
	}, &got)
	if got := b.all()[beforeB:]; len(got) > 0 {
		t.Errorf("the other group got %q", got)
	}
}

// TestResyncRefused: what cannot be carried out has a clear error.
func TestResyncRefused(t *testing.T) {
	up := listen(t, "127.0.0.1:0")
	l := launch(t, relayConfig(t, "isp", up), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	check := func(name string, err error, code int, text string) {
		t.Helper()
		if refused, ok := errors.AsType[*apiclient.ResponseError](err); !ok || refused.Code != code || refused.Text != text {
			t.Errorf("%s: %v", name, err)
		}
	}
	begin := func(group string, req api.ResyncRequest) error {
		_, err := l.client().BeginResync(t.Context(), group, req)
		return err
	}
	cancel := func() error {
		_, err := l.client().CancelResync(t.Context(), "isp")
		return err
	}
	check("no such group", begin("x", api.ResyncRequest{}), http.StatusNotFound, `server group "x": no such server group`)
	check("type", begin("isp", api.ResyncRequest{Type: "stop"}), http.StatusBadRequest, `body: type "stop": want interim or start`)
	check("rate", begin("isp", api.ResyncRequest{Rate: -1}), http.StatusBadRequest, "body: rate -1: want 1 to 100000")
	check("cancel before the first", cancel(), http.StatusNotFound, `server group "isp": no resync was begun`)
	if err := begin("isp", api.ResyncRequest{}); err != nil {
		t.Fatal(err)
	}
	l.awaitResync("isp")
	check("cancel after the end", cancel(), http.StatusConflict, `server group "isp": no resync is running`)
}

// TestResyncRestart: a resync waits while its group is away, continues after a restart, and can be
// canceled. In the queue no record is there twice.
func TestResyncRestart(t *testing.T) {
	up := listen(t, "127.0.0.1:0")
	l := launch(t, relayConfig(t, "isp", up), environment{})
	const n = 40
	for i := range n {
		l.mustAccount(packet(acctStart, fmt.Sprint("S", i), "alice"))
	}
	eventually(t, "the starts arrive", func() bool { return len(up.kinds()) == n })
	up.setSilent(true)
	begin := func() {
		t.Helper()
		if _, err := l.client().BeginResync(t.Context(), "isp", api.ResyncRequest{Type: api.ResyncStart, Rate: 20}); err != nil {
			t.Fatal(err)
		}
	}
	records := func() (n uint64) {
		t.Helper()
		r, err := l.client().Resync(t.Context(), "isp")
		if err != nil {
			t.Fatal(err)
		}
		return r.Records
	}
	begin()
	eventually(t, "some records are made", func() bool { return records() >= 5 })
	l.restart(relayConfig(t, "isp", up))
	if n := records(); n < 5 {
		t.Errorf("%d records after the restart", n)
	}
	want := &api.Resync{Group: "isp", State: "done", Type: "start", Rate: 20, Total: n, Sessions: n, Records: n}
	if diff := cmp.Diff(want, l.awaitResync("isp"), ignoreTimes); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if q := l.queue("group/isp"); q.Records != n {
		t.Errorf("%d records wait, want %d", q.Records, n)
	}
	begin()
	eventually(t, "some records are made", func() bool { return records() >= 5 })
	r, err := l.client().CancelResync(t.Context(), "isp")
	if err != nil || r.State != "canceled" {
		t.Fatal(r, err)
	}
	l.restart(relayConfig(t, "isp", up))
	if diff := cmp.Diff(r, l.awaitResync("isp")); diff != "" {
		t.Errorf("canceled (-), after a restart (+):\n%s", diff)
	}
	if q := l.queue("group/isp"); q.Records != n+r.Records {
		t.Errorf("%d records wait, want %d", q.Records, n+r.Records)
	}
}

// TestResyncKilled: the daemon is killed (SIGKILL) several times during a resync. In the queue each
// session has one record of the resync, in order.
func TestResyncKilled(t *testing.T) {
	up := listen(t, "127.0.0.1:0")
	l := launch(t, relayConfig(t, "isp", up), environment{})
	const n = 200
	for i := range n {
		l.mustAccount(packet(acctStart, fmt.Sprint("S", i), "alice"))
	}
	eventually(t, "the starts arrive", func() bool { return len(up.kinds()) == n && l.queue("group/isp").Records == 0 })
	up.setSilent(true)
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	var got *api.Resync
	for life := range 5 {
		cmd := process(t, l.dir, &lines{}, "--config", l.file)
		if life == 0 {
			eventually(t, "a resync begins", func() bool {
				_, err := l.client().BeginResync(t.Context(), "isp", api.ResyncRequest{Type: api.ResyncStart, Rate: 100})
				return err == nil
			})
		}
		lived := time.Now()
		eventually(t, "records are made", func() bool {
			r, err := l.client().Resync(t.Context(), "isp")
			if err != nil {
				return false
			}
			got = r
			return time.Since(lived) > 300*time.Millisecond && r.Records > uint64(life)*10 || r.State != "running"
		})
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
	if got.Records == 0 {
		t.Errorf("%+v", got)
	}
	l.start(environment{})
	want := &api.Resync{Group: "isp", State: "done", Type: "start", Rate: 100, Total: n, Sessions: n, Records: n}
	if diff := cmp.Diff(want, l.awaitResync("isp"), ignoreTimes); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if q := l.queue("group/isp"); q.Records != n {
		t.Errorf("%d records wait, want %d", q.Records, n)
	}
	before := len(up.all())
	up.setSilent(false)
	eventually(t, "the records arrive", func() bool { return l.queue("group/isp").Records == 0 })
	sent := up.all()[before:]
	slices.Sort(sent)
	if sent = slices.Compact(sent); len(sent) != n { // a slow answer may have had a retransmission
		t.Errorf("%d sessions were sent, want %d", len(sent), n)
	}
}
