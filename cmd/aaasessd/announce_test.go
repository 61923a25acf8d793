package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasessd/internal/acctcontrol"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/store"
)

// order records what servers answered, in order. Entries for Accounting-On and -Off have no
// session.
func (u *upstream) order() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := slices.Clone(u.taken)
	for i, s := range out {
		if kind, _, _ := strings.Cut(s, " "); strings.HasPrefix(kind, "Accounting-") {
			out[i] = kind
		}
	}
	return out
}

func eventuallyOrder(t *testing.T, who string, u *upstream, want ...string) {
	t.Helper()
	var got []string
	eventually(t, fmt.Sprintf("%s has %q", who, want), func() bool {
		got = u.order()
		return slices.Equal(got, want)
	}, &got)
}

// announcing returns a configuration with two groups that send Accounting-On and one that waits for
// the Accounting-On of the first. All sessions are accounted to the named group.
func announcing(t *testing.T, one, two, three *upstream, group string) string {
	t.Helper()
	text := "  servers:\n"
	for i, u := range []*upstream{one, two, three} {
		text += fmt.Sprintf("    - {name: r%d, address: 127.0.0.1, port: %s, secret: upstream}\n", i+1, portOf(u.addrPort()))
	}
	text += `  timeout: 100ms
  retransmit: 1
  acct-on-off-groups: [{name: tied, description: "who waits for whom"}]
  groups:
    - {name: one, servers: [r1], acct-on-off: {oper-state-change: true, group: tied}}
    - {name: two, servers: [r2], acct-on-off: {}}
    - {name: three, servers: [r3], acct-on-off: {monitor-group: tied}}
`
	return with(t, plainConfig, "methods: [local]", "methods: [group "+group+"]", "accounting:\n  network", text+"accounting:\n  network")
}

func (l *inProcess) group(name string) api.ServerGroup {
	l.t.Helper()
	g, err := l.client().ServerGroup(l.t.Context(), name)
	if err != nil {
		l.t.Fatal(err)
	}
	return *g
}

// TestAnnounce: a group sends Accounting-On at the start, before any record, and Off at the end.
// After a reload, a changed group sends Off and On, and no other group does.
func TestAnnounce(t *testing.T) {
	one, two, three := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	base := announcing(t, one, two, three, "one")
	l := launch(t, base, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	eventuallyOrder(t, "group one", one, "Accounting-On", "Start 00000001")
	eventuallyOrder(t, "group two", two, "Accounting-On")

	first := l.group("one").AcctOnOff
	if first.State != api.StateOn || first.Trigger != "startUp" || first.Server != "r1" || first.SessionID == "" || first.Blocked {
		t.Errorf("the first group is %+v", first)
	}

	tuned := with(t, base, "{name: one, servers: [r1],", "{name: one, servers: [r1], window: 7, drain-rate: 9,", "timeout: 100ms", "timeout: 200ms")
	l.reload(tuned, "configuration loaded")
	if g := l.group("one"); g.Window != 7 || g.Servers[0].Timeout != api.InSeconds(200*time.Millisecond) || g.AcctOnOff.SessionID != first.SessionID {
		t.Errorf("with other settings the first group is %+v", g)
	}
	changed := with(t, tuned, "window: 7,", "window: 7, source-address: 127.0.0.1,")
	l.reload(with(t, changed, "{name: two,", `{name: two, description: "the second",`), "configuration loaded")
	eventuallyOrder(t, "group one", one, "Accounting-On", "Start 00000001", "Accounting-Off", "Accounting-On")
	second := l.group("one").AcctOnOff
	if second.Trigger != "configChange" || second.SessionID == first.SessionID {
		t.Errorf("after the reload the first group is %+v, before it was %+v", second, first)
	}
	if got := l.group("two"); got.Description != "the second" {
		t.Errorf("the second group is described as %q", got.Description)
	}

	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	want := []string{"Accounting-On", "Start 00000001", "Accounting-Off", "Accounting-On", "Accounting-Off"}
	if diff := cmp.Diff(want, one.order()); diff != "" {
		t.Error("group one at the end:", diff)
	}
	if diff := cmp.Diff([]string{"Accounting-On", "Accounting-Off"}, two.order()); diff != "" {
		t.Error("group two at the end:", diff)
	}
	if got := three.order(); len(got) > 0 {
		t.Errorf("a group that only monitors another sent %q", got)
	}
}

// TestServesWhileOffIsSent: while the daemon waits for the answer to its Accounting-Off, NASes are
// answered, the control socket serves, and a reload is refused.
func TestServesWhileOffIsSent(t *testing.T) {
	one, two, three := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	l := launch(t, with(t, announcing(t, one, two, three, "three"), "timeout: 100ms", "timeout: 2s"), environment{})
	eventuallyOrder(t, "group two", two, "Accounting-On")
	eventuallyOrder(t, "group one", one, "Accounting-On")
	two.setSilent(true)
	asked := two.asked.Load()
	l.cancel()
	eventually(t, "the Accounting-Off is sent", func() bool { return two.asked.Load() > asked })
	l.mustAccount(packet(acctStart, "S1", "alice"))
	if got := l.group("two").AcctOnOff.State; got != "sendAcctOff" {
		t.Errorf("the state is %s", got)
	}
	if _, err := l.client().Perform(t.Context(), api.PerformRequest{Group: "two", Action: api.AcctOn}); err == nil {
		t.Error("an Accounting-On can be requested")
	}
	l.hup <- os.Interrupt
	eventually(t, "the reload is refused", func() bool {
		return strings.Contains(l.log.String(), "configuration not loaded: the daemon is ending")
	})
	if err := l.wait(); err != nil {
		t.Error(err)
	}
	if err := l.account(packet(acctStop, "S1", "alice"), 300*time.Millisecond); err == nil {
		t.Error("a NAS is answered after the end")
	}
}

// TestPerform: an operator has Accounting-On and -Off sent; some requests are rejected.
func TestPerform(t *testing.T) {
	one, two, three := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	l := launch(t, announcing(t, one, two, three, "one"), environment{})
	eventuallyOrder(t, "group two", two, "Accounting-On")
	state := func(want api.AcctState) {
		t.Helper()
		eventually(t, "the state is "+string(want), func() bool { return l.group("two").AcctOnOff.State == want })
	}
	state(api.StateOn)
	for _, tt := range []struct {
		req   api.PerformRequest
		want  error
		state api.AcctState
	}{
		{api.PerformRequest{Group: "none", Action: api.AcctOn}, control.ErrNoGroup, api.StateOn},
		{api.PerformRequest{Group: "three", Action: api.AcctOn}, control.ErrNoAcctOnOff, api.StateOn},
		{api.PerformRequest{Group: "two", Action: api.AcctOn}, control.ErrAcknowledged, api.StateOn},
		{api.PerformRequest{Group: "two", Action: api.AcctOff, AcctTerminateCause: 9}, nil, api.StateOff},
		{api.PerformRequest{Group: "two", Action: api.AcctOff}, control.ErrAcknowledged, api.StateOff},
		{api.PerformRequest{Group: "two", Action: api.AcctOff, Force: true}, nil, api.StateOff},
		{api.PerformRequest{Group: "two", Action: api.AcctOn}, nil, api.StateOn},
		{api.PerformRequest{Group: "two", Action: api.AcctOn, Force: true}, nil, api.StateOn},
	} {
		before := two.asked.Load()
		err := acctcontrol.New(acctcontrol.Config{Methods: l.d.methods}).Perform(t.Context(), tt.req)
		if !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v, want %v", tt.req, err, tt.want)
		}
		if tt.want == nil {
			eventually(t, "it is sent", func() bool { return two.asked.Load() == before+1 })
		}
		state(tt.state)
		if cause := tt.req.AcctTerminateCause; cause != 0 {
			two.mu.Lock()
			got := two.cause
			two.mu.Unlock()
			if uint32(got) != cause {
				t.Errorf("%+v: sent with Acct-Terminate-Cause %v", tt.req, got)
			}
		}
	}
	eventuallyOrder(t, "group two", two, "Accounting-On", "Accounting-Off", "Accounting-Off", "Accounting-On", "Accounting-On")

	groups, err := l.client().OnOffGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []api.OnOffGroup{{Name: "tied", Description: "who waits for whom", Controlling: []string{"one"}, Monitoring: []string{"three"}}}
	if diff := cmp.Diff(want, groups); diff != "" {
		t.Error("acct-on-off-groups:", diff)
	}
}

// TestStoreFailsWithoutGoodbye: a daemon whose store has failed ends at once, without an
// Accounting-Off, so that the next one can start. A silent server does not delay it.
func TestStoreFailsWithoutGoodbye(t *testing.T) {
	one, two, three := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	disk := store.NewDisk()
	text := with(t, announcing(t, one, two, three, "one"), "timeout: 100ms", "timeout: 30s")
	l := launch(t, text, environment{disk: disk})
	eventuallyOrder(t, "group two", two, "Accounting-On")
	eventuallyOrder(t, "group one", one, "Accounting-On")
	one.setSilent(true)
	two.setSilent(true)
	disk.Break(errors.New("broken"))
	_ = l.account(packet(acctStart, "S1", "alice"), 300*time.Millisecond)
	if err := l.wait(); !errors.Is(err, store.ErrFailed) { // shorter than an Accounting-Off would take
		t.Errorf("ended with %v", err)
	}
}
