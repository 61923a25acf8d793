package accounting

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"
)

// openStore opens a store on a disk in memory and closes it with the test.
func openStore(t testing.TB, disk *store.Disk) *store.Store {
	t.Helper()
	s, err := store.Open("state", store.Config{Disk: disk, MinFree: -1, Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// records returns all records of a queue.
func records(t testing.TB, s *store.Store, queue string) (all []*Record) {
	t.Helper()
	entries, err := s.Read(queue, 0, 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		rec, err := ParseRecord(e.Data)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec)
	}
	return all
}

// committed commits and waits until the change is durable. Before that, sessions without a route
// get one, as from a table.
func committed(t testing.TB, r *Router, c sessions.Change) {
	t.Helper()
	for _, n := range c.Notices {
		if text := r.Route(n.Session); text != "" && n.Session.ID != 0 && n.Session.Route == nil {
			n.Session.Route = sessions.NewRoute(text)
		}
	}
	done := make(chan error, 1)
	r.Commit(c, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func newRouter(t testing.TB, s *store.Store, p routes) *Router {
	t.Helper()
	r := NewRouter(s, slog.New(slog.DiscardHandler))
	r.SetPolicy(p.decide())
	return r
}

// routes is a policy with one route for each kind of session.
type routes map[sessions.Kind]*Route

func (r routes) decide() Decide {
	texts := map[sessions.Kind]string{}
	for k, route := range r {
		texts[k] = route.Text()
	}
	return func(k sessions.Kind, _ *sessions.Session) string { return texts[k] }
}

func notice(id sessions.ID, kind sessions.Kind, typ sessions.EventType) sessions.Notice {
	a := radius.Attributes(radius.AppendAttribute(nil, radius.AcctSessionID, "nas-1"))
	s := &sessions.Session{ID: id, Kind: kind, NAS: nas4, Attrs: a}
	return sessions.Notice{Type: typ, Session: s, Attrs: a, At: time.Unix(int64(id), 7)}
}

var policy = routes{
	sessions.Network: {List: "network/default", Record: StartStop, Methods: []MethodName{Group("radius"), Group("backup"), Local}},
	sessions.Exec:    {List: "exec/default", Record: StopOnly, Methods: []MethodName{Local}},
}

func TestRouterCommit(t *testing.T) {
	s := openStore(t, store.NewDisk())
	r := newRouter(t, s, policy)
	batches := make(chan struct{}, 10)
	r.AfterBatch(func() { batches <- struct{}{} })
	if err := r.Accepting(); err != nil {
		t.Fatal(err)
	}
	committed(t, r, sessions.Change{
		State: []sessions.Put{{Key: []byte("k"), Value: []byte("v")}},
		Notices: []sessions.Notice{
			notice(1, sessions.Network, sessions.Stop), notice(2, sessions.Network, sessions.Start),
			notice(3, sessions.Exec, sessions.Start), notice(4, sessions.Exec, sessions.Stop),
			notice(5, sessions.Connection, sessions.Stop), notice(6, 99, sessions.Stop),
		},
	})
	<-batches
	r.Commit(sessions.Change{}, nil) // a duplicate that nothing waits for
	committed(t, r, sessions.Change{Notices: []sessions.Notice{notice(2, sessions.Network, sessions.Interim)}})

	expected := func(id sessions.ID, kind sessions.Kind, typ sessions.EventType, list string, next ...MethodName) *Record {
		n := notice(id, kind, typ)
		a, _ := Compose(nil, &n)
		return &Record{Session: id, Type: typ, Kind: kindOf(list), At: n.At, List: list, Next: next, NASSession: "nas-1", Attrs: radius.Attributes(a)}
	}
	want := map[string][]*Record{
		"group/radius": {
			expected(1, sessions.Network, sessions.Stop, "network/default", Group("backup"), Local),
			expected(2, sessions.Network, sessions.Start, "network/default", Group("backup"), Local),
			expected(2, sessions.Network, sessions.Interim, "network/default", Group("backup"), Local),
		},
		"local": {expected(4, sessions.Exec, sessions.Stop, "exec/default")},
	}
	got := map[string][]*Record{}
	for _, q := range s.Queues() {
		got[q.Name] = records(t, s, q.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-) and got (+):\n%s", diff)
	}
	if got := r.Stats(); got != (RouterStats{Records: 4}) {
		t.Errorf("stats %+v", got)
	}
	state := map[string]string{}
	if err := s.Load(func(k, v []byte) error { state[string(k)] = string(v); return nil }); err != nil || state["k"] != "v" || len(state) != 1 {
		t.Errorf("state %v, %v", state, err)
	}
}

// Without a policy, and for a kind without a list, nothing is recorded (S1). A new policy is for new
// sessions.
func TestRouterSetPolicy(t *testing.T) {
	s := openStore(t, store.NewDisk())
	r := NewRouter(s, slog.New(slog.DiscardHandler))
	stop := func(id sessions.ID) sessions.Change {
		return sessions.Change{Notices: []sessions.Notice{notice(id, sessions.Exec, sessions.Stop)}}
	}
	committed(t, r, stop(1))
	if n := len(s.Queues()); n != 0 {
		t.Fatalf("%d queues without a policy", n)
	}
	r.SetPolicy(policy.decide())
	committed(t, r, stop(2))
	r.SetPolicy(routes{sessions.Exec: {List: "exec/red", Record: StartStop, Methods: []MethodName{Group("x")}}}.decide())
	committed(t, r, stop(3))
	if l, x := records(t, s, "local"), records(t, s, "group/x"); len(l) != 1 || len(x) != 1 || x[0].List != "exec/red" {
		t.Errorf("local %v, group/x %v", l, x)
	}
}

// broadcast is the example of S1, with two more groups.
var broadcast = routes{sessions.Network: {
	List: "network/default", Record: StartStop, Broadcast: true,
	Methods: []MethodName{Group("isp"), Group("isp_customer"), Group("audit"), Local},
}}

// A broadcast puts the same record into the queue of each method, without further methods (R44).
// All of them are in one change.
func TestRouterBroadcast(t *testing.T) {
	s := openStore(t, store.NewDisk())
	r := newRouter(t, s, broadcast)
	one, two := notice(1, sessions.Network, sessions.Start), notice(2, sessions.Network, sessions.Start)
	two.Attrs, two.Session.Attrs = two.Attrs[:0], two.Session.Attrs[:0] // the NAS sent no Acct-Session-Id
	committed(t, r, sessions.Change{Notices: []sessions.Notice{one, two}})
	var want []*Record
	for _, n := range []sessions.Notice{one, two} {
		a, _ := Compose(nil, &n)
		want = append(want, &Record{
			Session: n.Session.ID, Type: n.Type, Kind: sessions.Network, At: n.At, List: "network/default", NASSession: n.Attrs.Text(radius.AcctSessionID), Attrs: radius.Attributes(a),
		})
	}
	for _, m := range broadcast[sessions.Network].Methods {
		if diff := cmp.Diff(want, records(t, s, m.Queue())); diff != "" {
			t.Errorf("%s: want (-) and got (+):\n%s", m, diff)
		}
	}
	if got := r.Stats(); len(s.Queues()) != 4 || got.Records != 8 {
		t.Errorf("%d queues, %d records", len(s.Queues()), got.Records)
	}
}

// "... broadcasts only start-stop accounting records ... the interim accounting records are sent only
// to the configured default RADIUS server" (S1 "SSG Restriction"). That is the first method. Records
// of other types are broadcast, like starts and stops.
func TestRouterInterimsToFirst(t *testing.T) {
	s := openStore(t, store.NewDisk())
	ssg := *broadcast[sessions.Network]
	ssg.InterimsToFirst = true
	r := newRouter(t, s, routes{sessions.Network: &ssg})
	other := notice(1, sessions.Network, sessions.Other)
	other.Attrs = radius.Attributes(radius.AppendUint32([]byte(other.Attrs), radius.AcctStatusType, 15))
	committed(t, r, sessions.Change{Notices: []sessions.Notice{
		notice(1, sessions.Network, sessions.Start), notice(1, sessions.Network, sessions.Interim), other, notice(1, sessions.Network, sessions.Stop),
	}})
	for i, m := range ssg.Methods {
		var got []sessions.EventType
		for _, rec := range records(t, s, m.Queue()) {
			got = append(got, rec.Type)
		}
		want := []sessions.EventType{sessions.Start, sessions.Interim, sessions.Other, sessions.Stop}
		if i > 0 {
			want = slices.Delete(want, 1, 2)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has %v, want %v", m, got, want)
		}
	}
	if got := r.Stats().Records; got != 4*3+1 {
		t.Errorf("%d records", got)
	}
}

// TestRouterLane: the records of a session that has a parent are sent in order with those of the parent
// (S1 "aaa accounting nested").
func TestRouterLane(t *testing.T) {
	s := openStore(t, store.NewDisk())
	r := newRouter(t, s, policy)
	child, alone := notice(7, sessions.Network, sessions.Stop), notice(8, sessions.Network, sessions.Stop)
	child.Session.SetParent(3)
	committed(t, r, sessions.Change{Notices: []sessions.Notice{child, alone}})
	var lanes []sessions.ID
	for _, rec := range records(t, s, "group/radius") {
		lanes = append(lanes, rec.InLane())
	}
	if diff := cmp.Diff([]sessions.ID{3, 8}, lanes); diff != "" {
		t.Error(diff)
	}
}

func TestRouterTooLarge(t *testing.T) {
	s := openStore(t, store.NewDisk())
	var log bytes.Buffer
	r := NewRouter(s, slog.New(slog.NewTextHandler(&log, nil)))
	r.SetPolicy(policy.decide())
	n := notice(7, sessions.Network, sessions.Stop)
	n.Attrs += repeated(26, 20, 253)
	for range 2 {
		committed(t, r, sessions.Change{Notices: []sessions.Notice{n}})
	}
	if got := r.Stats(); got != (RouterStats{Records: 2, DroppedAttributes: 10}) {
		t.Errorf("stats %+v", got)
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "session=00000007") {
		t.Errorf("log, of which one line a minute is enough:\n%s", got)
	}
	if got := records(t, s, "group/radius"); len(got) != 2 || len(got[0].Attrs) > 4070 {
		t.Errorf("%d records", len(got))
	}
}

// Behind a real table: its decisions become records, in order, together with its state.
func TestRouterIsJournal(t *testing.T) {
	disk := store.NewDisk()
	s := openStore(t, disk)
	table := sessions.New(sessions.Config{}, newRouter(t, s, policy))
	event := func(typ sessions.EventType) {
		t.Helper()
		done := make(chan error, 1)
		ev := sessions.Event{
			Type: typ, Kind: sessions.Network, AcctSessionID: "n", At: time.Now(),
			NAS: sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1")}, Attrs: attrs(radius.AcctSessionID, "n"),
		}
		if err := table.Apply(ev, func(err error) { done <- err }); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	event(sessions.Start)
	event(sessions.Start) // a copy
	event(sessions.Stop)
	if err := table.End(1, sessions.CauseAdminReset, time.Now(), nil); err != nil { // it is over
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, disk)
	var types []sessions.EventType
	for _, rec := range records(t, s, "group/radius") {
		types = append(types, rec.Type)
	}
	if diff := cmp.Diff([]sessions.EventType{sessions.Start, sessions.Stop}, types); diff != "" {
		t.Error(diff)
	}
	again := sessions.New(sessions.Config{}, newRouter(t, s, policy))
	if err := again.Load(s.Load); err != nil || again.View().Total != 1 {
		t.Errorf("after a restart: %v, %d sessions in all", err, again.View().Total)
	}
}
