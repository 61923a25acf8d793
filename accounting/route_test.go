package accounting

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"
)

// goldenRoute is in stored states, so it must not change.
const goldenRoute = "0101" + "0f6e6574776f726b2f64656661756c74" + "02" + "0967726f757020697370" + "056c6f63616c"

func TestRouteText(t *testing.T) {
	want := &Route{List: "network/default", Record: StartStop, Methods: []MethodName{Group("isp"), Local}}
	if got := hex.EncodeToString([]byte(want.Text())); got != goldenRoute {
		t.Errorf("%s, want %s", got, goldenRoute)
	}
	got, err := ParseRoute(want.Text())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for i := range want.Text() {
		if _, err := ParseRoute(want.Text()[:i]); !errors.Is(err, ErrRoute) {
			t.Errorf("cut to %d octets: %v", i, err)
		}
	}
	for name, bad := range map[string]string{
		"too long":   want.Text() + "x",
		"version":    "\x03" + want.Text()[1:],
		"none":       (&Route{List: "a", Methods: want.Methods}).Text(),
		"type":       (&Route{List: "a", Record: 4, Methods: want.Methods}).Text(),
		"no list":    (&Route{Record: StopOnly, Methods: want.Methods}).Text(),
		"no methods": (&Route{List: "a", Record: StopOnly}).Text(),
		"method":     (&Route{List: "a", Record: StopOnly, Methods: []MethodName{"isp"}}).Text(),
		"twice":      (&Route{List: "a", Record: StopOnly, Methods: []MethodName{Local, Local}}).Text(),
	} {
		if _, err := ParseRoute(bad); !errors.Is(err, ErrRoute) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// RouteList reads the beginning of what ParseRoute reads.
func TestRouteList(t *testing.T) {
	for _, r := range []*Route{
		{List: "network/default", Record: StartStop, Methods: []MethodName{Local}},
		{List: "exec/red", Record: StopOnly, Reason: "NAS-Port 7", Broadcast: true, Methods: []MethodName{Group("isp"), Local}},
		{List: "resource/default", Record: StopFailure, Methods: []MethodName{Local}},
	} {
		if list, record, ok := RouteList(r.Text()); list != r.List || record != r.Record || !ok {
			t.Errorf("%q, %s, %t of %+v", list, record, ok, r)
		}
		if got, err := ParseRoute(r.Text()); err != nil || !cmp.Equal(got, r) {
			t.Errorf("%+v, %v of %+v", got, err, r)
		}
	}
	for name, bad := range map[string]string{"nothing": "", "version": "\x03\x01\x01x", "no name": "\x01\x01\x00\x00", "cut": "\x02\x01\x00\x05list"} {
		if list, _, ok := RouteList(bad); ok {
			t.Errorf("%s: %q", name, list)
		}
	}
}

// goldenBroadcast is in stored states, so it must not change.
const goldenBroadcast = "0201" + "01" + "0b6e6574776f726b2f726564" + "02" + "0967726f757020697370" + "056c6f63616c" + "0a4e41532d506f72742037"

// goldenFirst is the same with interims to the first method only. It is in stored states too.
const goldenFirst = "0201" + "03" + "0b6e6574776f726b2f726564" + "02" + "0967726f757020697370" + "056c6f63616c" + "0a4e41532d506f72742037"

// goldenSuppress is in stored states too.
const goldenSuppress = "0202" + "04" + "0b6e6574776f726b2f726564" + "01" + "056c6f63616c" + "00"

// A route with a reason or a flag has version 2.
func TestRouteTextBroadcast(t *testing.T) {
	want := &Route{List: "network/red", Record: StartStop, Reason: "NAS-Port 7", Broadcast: true, Methods: []MethodName{Group("isp"), Local}}
	if got := hex.EncodeToString([]byte(want.Text())); got != goldenBroadcast {
		t.Errorf("%s, want %s", got, goldenBroadcast)
	}
	first := *want
	first.InterimsToFirst = true
	if got := hex.EncodeToString([]byte(first.Text())); got != goldenFirst {
		t.Errorf("%s, want %s", got, goldenFirst)
	}
	if got := hex.EncodeToString([]byte((&Route{List: "network/red", Record: StopOnly, SuppressNullUsername: true, Methods: []MethodName{Local}}).Text())); got != goldenSuppress {
		t.Errorf("%s, want %s", got, goldenSuppress)
	}
	const goldenDelay = "02" + "01" + "08" + "0b" + "6e6574776f726b2f726564" + "01" + "05" + "6c6f63616c" + "00" + "00002710"
	if got := hex.EncodeToString([]byte((&Route{List: "network/red", Record: StartStop, DelayStart: 10 * time.Second, Methods: []MethodName{Local}}).Text())); got != goldenDelay {
		t.Errorf("%s, want %s", got, goldenDelay)
	}
	for _, want := range []*Route{
		want, &first,
		{List: "network/default", Record: StartStop, DelayStart: 1500 * time.Millisecond, Methods: []MethodName{Local}},
		{List: "network/default", Record: StartStop, Reason: "NAS-Port 7", Broadcast: true, SuppressNullUsername: true, DelayStart: time.Hour, Methods: []MethodName{Local}},
		{List: "network/red", Record: StopOnly, Reason: "NAS-Port 7", Methods: []MethodName{Local}},
		{List: "network/default", Record: StartStop, Broadcast: true, Methods: []MethodName{Local}},
		{List: "network/default", Record: StartStop, Broadcast: true, InterimsToFirst: true, Methods: []MethodName{Local, Group("isp")}},
		{List: "network/default", Record: StartStop, SuppressNullUsername: true, Methods: []MethodName{Local}},
		{List: "network/default", Record: StopOnly, Broadcast: true, SuppressNullUsername: true, Methods: []MethodName{Local}},
	} {
		got, err := ParseRoute(want.Text())
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		for i := range want.Text() {
			if _, err := ParseRoute(want.Text()[:i]); !errors.Is(err, ErrRoute) {
				t.Errorf("cut to %d octets: %v", i, err)
			}
		}
	}
	flags, noBroadcast := []byte(want.Text()), []byte(want.Text())
	flags[2], noBroadcast[2] = 16, 6
	for name, bad := range map[string]string{
		"too long":             want.Text() + "x",
		"unknown flags":        string(flags),
		"interims of none":     string(noBroadcast),
		"neither of the two":   "\x02\x01\x00" + (&Route{List: "a", Methods: want.Methods}).Text()[2:] + "\x00",
		"a delay of nothing":   "\x02\x01\x08" + (&Route{List: "a", Methods: want.Methods}).Text()[2:] + "\x00\x00\x00\x00\x00",
		"version 1 and reason": "\x01" + want.Text()[1:],
	} {
		if _, err := ParseRoute(bad); !errors.Is(err, ErrRoute) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseRoute(f *testing.F) {
	golden, err := hex.DecodeString(goldenRoute)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(golden))
	f.Add((&Route{List: "exec/red", Record: StopOnly, Methods: []MethodName{Local}}).Text())
	f.Add((&Route{List: "network/red", Record: StartStop, Reason: "NAS-Port 7", Methods: []MethodName{Local}}).Text())
	f.Add((&Route{List: "network/default", Record: StartStop, Broadcast: true, Methods: []MethodName{Local, Group("isp")}}).Text())
	f.Add((&Route{List: "network/default", Record: StartStop, Broadcast: true, InterimsToFirst: true, Methods: []MethodName{Local}}).Text())
	f.Add((&Route{List: "network/default", Record: StopOnly, SuppressNullUsername: true, Methods: []MethodName{Local}}).Text())
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := ParseRoute(text); err == nil && r.Text() != text {
			t.Errorf("%+v became %q of %q", r, r.Text(), text)
		}
	})
}

// host is a table on a router on a store, as in the daemon.
type host struct {
	t      *testing.T
	disk   *store.Disk
	store  *store.Store
	router *Router
	table  *sessions.Table
	now    time.Time
}

// policyOf returns a policy of lists called "default", all start-stop.
func policyOf(lists map[sessions.Kind][]MethodName) routes {
	p := routes{}
	for k, methods := range lists {
		p[k] = &Route{List: k.String() + "/default", Record: StartStop, Methods: methods}
	}
	return p
}

func (h *host) open(p routes) {
	h.t.Helper()
	h.store = openStore(h.t, h.disk)
	h.router = newRouter(h.t, h.store, p)
	h.table = sessions.New(sessions.Config{Now: func() time.Time { return h.now }}, h.router)
	if err := h.table.Load(h.store.Load); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) restart(p routes) {
	h.t.Helper()
	if err := h.store.Close(); err != nil {
		h.t.Fatal(err)
	}
	h.open(p)
}

func (h *host) reload(p routes) {
	h.t.Helper()
	h.router.SetPolicy(p.decide())
}

// send applies an event of a session, a second after the one before, and waits until it is durable.
func (h *host) send(typ sessions.EventType, kind sessions.Kind, sid string) {
	h.t.Helper()
	h.sendWith(typ, kind, sid, attrs(radius.AcctSessionID, sid, radius.UserName, "user-"+sid))
}

// sendWith is send with attributes.
func (h *host) sendWith(typ sessions.EventType, kind sessions.Kind, sid string, with radius.Attributes) {
	h.t.Helper()
	h.now = h.now.Add(time.Second)
	done := make(chan error, 1)
	seconds := uint32(h.now.Unix())
	ev := sessions.Event{
		Type: typ, Kind: kind, AcctSessionID: sid, At: h.now, EventTimestamp: seconds,
		NAS:   sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1"), Identifier: "nas-1"},
		Attrs: with,
	}
	if typ == sessions.Interim || typ == sessions.Stop {
		ev.Usage.SessionTime, ev.Sent = seconds-993617000, sessions.SessionTime
	}
	if err := h.table.Apply(ev, func(err error) { done <- err }); err != nil {
		h.t.Fatal(err)
	}
	if err := <-done; err != nil {
		h.t.Fatal(err)
	}
}

// waiting returns the records in the queues: type and session, list, methods after the first.
func (h *host) waiting() (got []string) {
	h.t.Helper()
	for _, q := range h.store.Queues() {
		if q.Name == SetAsideQueue || q.Name == "group/rubbish" {
			continue
		}
		for _, r := range records(h.t, h.store, q.Name) {
			got = append(got, strings.TrimSpace(fmt.Sprintln(q.Name, r.Type, r.Session, r.List, r.Next)))
		}
	}
	return got
}

// All records of a session, including late ones after its end, are in one queue and use one route,
// whatever is reloaded.
func TestRouterKeepsRoutes(t *testing.T) {
	east := policyOf(map[sessions.Kind][]MethodName{sessions.Network: {Group("east"), Local}})
	west := policyOf(map[sessions.Kind][]MethodName{sessions.Network: {Group("west")}, sessions.Exec: {Local}})
	nothing := routes{}
	stopOnly := routes{sessions.Network: {List: "network/stops", Record: StopOnly, Methods: []MethodName{Group("stops")}}}
	network, exec := sessions.Network, sessions.Exec
	tests := []struct {
		name   string
		before routes
		kind   sessions.Kind
		after  routes
		want   []string
	}{
		{"another list", east, network, west, []string{
			"group/east Start 00000001 network/default [local]", "group/east Interim-Update 00000001 network/default [local]",
			"group/east Stop 00000001 network/default [local]", "group/east Stop 00000001 network/default [local]",
		}},
		{"the list is removed", east, network, nothing, []string{
			"group/east Start 00000001 network/default [local]", "group/east Interim-Update 00000001 network/default [local]",
			"group/east Stop 00000001 network/default [local]", "group/east Stop 00000001 network/default [local]",
		}},
		{"no list at the start", nothing, network, west, nil},
		{"no list of that kind at the start", east, exec, west, nil},
		{"stops only, then all", stopOnly, network, west, []string{"group/stops Stop 00000001 network/stops []", "group/stops Stop 00000001 network/stops []"}},
		{"all, then stops only", west, exec, stopOnly, []string{
			"local Start 00000001 exec/default []", "local Interim-Update 00000001 exec/default []",
			"local Stop 00000001 exec/default []", "local Stop 00000001 exec/default []",
		}},
	}
	for _, tt := range tests {
		for _, how := range []string{"reload", "restart"} {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				h := &host{t: t, disk: store.NewDisk(), now: time.Unix(993617100, 0)}
				h.open(tt.before)
				h.send(sessions.Start, tt.kind, "a")
				if how == "restart" {
					h.restart(tt.after)
				} else {
					h.reload(tt.after)
				}
				h.send(sessions.Interim, tt.kind, "a")
				h.send(sessions.Stop, tt.kind, "a")
				h.send(sessions.Stop, tt.kind, "a") // late, with a longer session time
				if diff := cmp.Diff(tt.want, h.waiting()); diff != "" {
					t.Errorf("want (-) and got (+):\n%s", diff)
				}
			})
		}
	}
}

// A route that cannot be parsed, perhaps of a later version, is logged once, and no record is lost.
func TestRouterUnreadableRoute(t *testing.T) {
	s := openStore(t, store.NewDisk())
	var log bytes.Buffer
	r := NewRouter(s, slog.New(slog.NewTextHandler(&log, nil)))
	r.SetPolicy(policy.decide())
	n := notice(1, sessions.Network, sessions.Stop)
	n.Session.Route = sessions.NewRoute("\x03whatever")
	for range 2 {
		committed(t, r, sessions.Change{Notices: []sessions.Notice{n}})
	}
	if got := records(t, s, "group/radius"); len(got) != 2 || strings.Count(log.String(), "version 3") != 1 {
		t.Errorf("%d records, log %q", len(got), log.String())
	}
}

// The hot path allocates nothing.
func TestRouterRecordAllocates(t *testing.T) {
	for name, p := range map[string]routes{"one method after the other": policy, "broadcast": broadcast} {
		t.Run(name, func(t *testing.T) {
			r := newRouter(t, nil, p)
			n := notice(1, sessions.Network, sessions.Stop)
			n.Session.Route = sessions.NewRoute(r.Route(n.Session))
			d := draft{buf: make([]byte, 0, 8192), appends: make([]store.Append, 0, 4)}
			if got := testing.AllocsPerRun(100, func() {
				d.buf, d.appends = d.buf[:0], d.appends[:0]
				if r.record(&d, &n); len(d.appends) == 0 {
					t.Fatal("it goes nowhere")
				}
			}); got != 0 {
				t.Errorf("%v allocations for a record", got)
			}
		})
	}
}

// oldStore has the sessions of sessions/testdata/state-v2.txt: 1, 4, 5, 9 are network and live; 8,
// 10 network and ended; 2 exec and live; 6 exec and ended; 3, 7 connection and live.
func oldStore(t *testing.T, appends ...store.Append) *host {
	t.Helper()
	h := &host{t: t, disk: store.NewDisk(), now: time.Unix(993617200, 0)}
	s := openStore(t, h.disk)
	octets, err := os.ReadFile("../sessions/testdata/state-v2.txt")
	if err != nil {
		t.Fatal(err)
	}
	c := store.Change{Appends: appends}
	for line := range strings.Lines(string(octets)) {
		var k, v []byte
		if _, err := fmt.Sscanf(line, "%x %x", &k, &v); err != nil {
			t.Fatal(err)
		}
		c.Puts = append(c.Puts, store.Put{Key: k, Value: v})
	}
	done := make(chan error, 1)
	s.Commit(c, func(err error) { done <- err })
	if err := errors.Join(<-done, s.Close()); err != nil {
		t.Fatal(err)
	}
	return h
}

// A session that was stored without a route continues behind its waiting records.
func TestRouterAdopts(t *testing.T) {
	waits := func(queue string, id sessions.ID, typ sessions.EventType, at int64, next ...MethodName) store.Append {
		r := &Record{Session: id, Type: typ, At: time.Unix(at, 0), List: "network/before", Next: next, Attrs: octets(t, "2806 00000001")}
		return store.Append{Queue: queue, Data: AppendRecord(nil, r)}
	}
	other := func(queue string, sid string, typ string, at int64) store.Append { // an Other with this Acct-Session-Id
		var id sessions.ID
		if _, err := fmt.Sscanf(typ, "%X", &id); err != nil {
			t.Fatal(err)
		}
		r := &Record{Session: id, Type: other, At: time.Unix(at, 0), List: "network/before", Attrs: attrs(radius.AcctSessionID, sid)}
		return store.Append{Queue: queue, Data: AppendRecord(nil, r)}
	}
	today := policyOf(map[sessions.Kind][]MethodName{sessions.Network: {Group("new"), Group("old"), Local}})
	h := oldStore(t,
		waits("group/old", 1, start, 10), waits("group/old", 1, interim, 20), waits("group/new", 1, interim, 15),
		waits("group/gone", 4, start, 10, Group("x")),
		waits("group/new", 5, start, 10),
		waits("local", 8, start, 10), waits("local", 8, stop, 20),
		waits("group/gone", 2, start, 10, Group("x"), Group("gone")), // exec, which has no list today
		waits(SetAsideQueue, 9, start, 10),
		other("group/gone", "0000000A", "0000000A", 10), // of session 10
		other("group/gone", "a", "00000009", 10),        // of no session, although its placeholder is 9
		store.Append{Queue: "group/rubbish", Data: []byte("rubbish")},
		store.Append{Queue: "group/rubbish", Data: AppendRecord(nil, &Record{Session: 9, Type: start, List: "x"})[:16]},
	)
	h.open(today)
	want := map[sessions.ID]string{
		1: "network/default start-stop [group old group new local]",
		4: "network/default start-stop [group gone group new group old local]",
		5: "network/default start-stop [group new group old local]",
		9: "network/default start-stop [group new group old local]",
		2: "network/before start-stop [group gone group x]",
		3: "", 7: "",
	}
	check := func(when string) {
		t.Helper()
		got := map[sessions.ID]string{}
		for s := range h.table.View().All() {
			got[s.ID] = ""
			if s.Route != nil {
				r, err := ParseRoute(s.Route.String())
				if err != nil {
					t.Fatal(err)
				}
				got[s.ID] = fmt.Sprint(r.List, " ", r.Record, " ", r.Methods)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: want (-) and got (+):\n%s", when, diff)
		}
	}
	check("upgrade")
	if got := h.table.Routes(); len(got) != 4 {
		t.Errorf("routes %q", got)
	}
	before := len(h.waiting())
	h.send(sessions.Stop, sessions.Network, "s8") // ended, and its stop waits
	h.send(sessions.Stop, sessions.Network, "s4")
	delete(want, 4)
	got := h.waiting()
	if len(got) != before+2 || got[len(got)-1] != "local Stop 00000008 network/default [group new group old]" ||
		!strings.Contains(strings.Join(got, "\n"), "group/gone Stop 00000004 network/default [group new group old local]") {
		t.Errorf("%q", got)
	}
	h.restart(today) // before any session was written again, so the queues still show the route
	check("restart")
}

// A broadcast has no order of methods, so a waiting record does not change the route of today.
func TestRouterAdoptsBroadcast(t *testing.T) {
	r := &Record{Session: 1, Type: start, At: time.Unix(10, 0), List: "network/before", Attrs: octets(t, "2806 00000001")}
	h := oldStore(t, store.Append{Queue: "group/gone", Data: AppendRecord(nil, r)})
	h.open(broadcast)
	for s := range h.table.View().All() {
		if want := broadcast[sessions.Network].Text(); s.Kind == sessions.Network && s.Route.String() != want {
			t.Errorf("session %s: route %q", s.ID, s.Route)
		}
	}
}

// If the queues cannot be read, Adopt returns the error and guesses nothing.
func TestRouterAdoptFails(t *testing.T) {
	h := oldStore(t, store.Append{Queue: "local", Data: []byte("x")})
	s := openStore(t, h.disk)
	r := newRouter(t, s, policy)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Adopt([]*sessions.Session{{ID: 1, Kind: sessions.Network}}); !errors.Is(err, store.ErrClosed) {
		t.Error(err)
	}
}
