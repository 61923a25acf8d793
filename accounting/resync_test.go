package accounting

import (
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"
)

// TestRecordResync: a record of a resync has 64 added to its type. The layout is in stored states,
// so it must not change.
func TestRecordResync(t *testing.T) {
	for typ, octet := range map[sessions.EventType]string{sessions.Start: "41", sessions.Interim: "43"} {
		rec := goldenRecord(t)
		rec.Type, rec.Resync = typ, true
		b := AppendRecord(nil, rec)
		if got, want := hex.EncodeToString(b), "01"+octet+goldenHex[4:]; got != want {
			t.Errorf("stored as\n%s, want\n%s", got, want)
		}
		got, err := ParseRecord(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rec, got); diff != "" {
			t.Errorf("want (-) and got (+):\n%s", diff)
		}
		if h, ok := PeekRecord(b); h.Type != typ || h.Session != rec.Session || !ok {
			t.Errorf("peeked: %+v %t", h, ok)
		}
	}
}

// TestRouterResync: which sessions a resync of a group includes, with which record.
func TestRouterResync(t *testing.T) {
	const start, interim = sessions.Start, sessions.Interim
	a, b := Group("a"), Group("b")
	list := func(change func(*Route)) *Route {
		r := &Route{List: "network/default", Record: StartStop, Methods: []MethodName{a, b}}
		change(r)
		return r
	}
	for name, tt := range map[string]struct {
		route   *Route
		method  MethodName
		user    string
		wanted  sessions.EventType
		want    sessions.EventType
		leftOut LeftOut
	}{
		"the first method":                    {list(func(*Route) {}), a, "alice", interim, interim, Included},
		"the first method, starts":            {list(func(*Route) {}), a, "alice", start, start, Included},
		"a later method":                      {list(func(*Route) {}), b, "alice", start, 0, Fallback},
		"another method":                      {list(func(*Route) {}), Group("c"), "alice", start, 0, Elsewhere},
		"the first of a broadcast":            {list(func(r *Route) { r.Broadcast = true }), a, "alice", interim, interim, Included},
		"another one of a broadcast":          {list(func(r *Route) { r.Broadcast = true }), b, "alice", interim, interim, Included},
		"interims to the first":               {list(func(r *Route) { r.Broadcast, r.InterimsToFirst = true, true }), a, "alice", interim, interim, Included},
		"interims to another":                 {list(func(r *Route) { r.Broadcast, r.InterimsToFirst = true, true }), b, "alice", interim, start, Included},
		"stop-only":                           {list(func(r *Route) { r.Record = StopOnly }), a, "alice", interim, 0, StopOnlyList},
		"stop-only, starts":                   {list(func(r *Route) { r.Record = StopOnly }), a, "alice", start, 0, StopOnlyList},
		"stop-only of another method":         {list(func(r *Route) { r.Record = StopOnly }), Group("c"), "alice", start, 0, Elsewhere},
		"no list":                             {nil, a, "alice", start, 0, Elsewhere},
		"no User-Name":                        {list(func(*Route) {}), a, "", start, start, Included},
		"no User-Name, which are left out":    {list(func(r *Route) { r.SuppressNullUsername = true }), a, "", start, 0, NullUsername},
		"with a User-Name, others left out":   {list(func(r *Route) { r.SuppressNullUsername = true }), a, "alice", start, start, Included},
		"no User-Name, and in a later method": {list(func(r *Route) { r.SuppressNullUsername = true }), b, "", start, 0, Fallback},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRouter(t, openStore(t, store.NewDisk()), routes{})
			s := notice(7, sessions.Network, start).Session
			if tt.user != "" {
				s.Attrs += attrs(radius.UserName, tt.user)
			}
			if tt.route != nil {
				s.Route = sessions.NewRoute(tt.route.Text())
			}
			if got, leftOut := r.Resync(s, tt.method, tt.wanted); got != tt.want || leftOut != tt.leftOut {
				t.Errorf("%v, %d; want %v, %d", got, leftOut, tt.want, tt.leftOut)
			}
		})
	}
}

// resync tells a method of all sessions again.
func (h *host) resync(m MethodName, typ sessions.EventType) {
	h.t.Helper()
	h.now = h.now.Add(time.Second)
	done := make(chan error, 1)
	err := h.table.Resync(&sessions.Resync{
		Method: string(m), From: 1, Before: h.table.Clock(), Rows: 100, Notices: 100,
		Type:  func(s *sessions.Session) sessions.EventType { t, _ := h.router.Resync(s, m, typ); return t },
		State: func(sessions.ID) sessions.Put { return sessions.Put{Key: []byte("y"), Value: []byte("1")} },
	}, func(err error) { done <- err })
	if err == nil {
		err = <-done
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// byType sorts attributes by type, and lists them one by one.
func byType(a radius.Attributes) (out []string) {
	for t, v := range a.All() {
		out = append(out, hex.EncodeToString(radius.AppendAttribute(nil, t, v)))
	}
	slices.Sort(out)
	return out
}

// TestResyncRecords: a start of a resync has the attributes and the time of the first one. An interim
// has all that is known of the session. Both go to the one method only, behind the earlier records
// of their session.
func TestResyncRecords(t *testing.T) {
	a, b := Group("a"), Group("b")
	h := &host{t: t, disk: store.NewDisk(), now: time.Unix(993617100, 0)}
	h.open(routes{
		sessions.Network: {List: "network/default", Record: StartStop, Methods: []MethodName{a, Local}},
		sessions.Exec:    {List: "exec/default", Record: StartStop, Broadcast: true, Methods: []MethodName{a, b}},
	})
	const connectInfo = 77
	with := attrs(radius.AcctSessionID, "S1", radius.UserName, "alice", connectInfo, "V.90", radius.NASIdentifier, "nas-1",
		radius.EventTimestamp, 993617101)
	h.sendWith(sessions.Start, sessions.Network, "S1", with)
	h.send(sessions.Start, sessions.Exec, "S2")
	first := records(t, h.store, "group/a")
	h.resync(a, sessions.Start)
	h.resync(b, sessions.Interim)
	h.send(sessions.Stop, sessions.Network, "S1")
	atA, atB := records(t, h.store, "group/a"), records(t, h.store, "group/b")
	if len(atA) != 5 || len(atB) != 2 {
		t.Fatalf("%d and %d records, want 5 and 2", len(atA), len(atB))
	}
	for i, want := range first {
		again := *atA[2+i]
		if !again.Resync || len(again.Next) > 0 {
			t.Errorf("%+v", again)
		}
		if diff := cmp.Diff(byType(want.Attrs), byType(again.Attrs)); diff != "" {
			t.Errorf("first (-), again (+):\n%s", diff)
		}
		again.Resync, again.Next, again.Attrs = want.Resync, want.Next, want.Attrs
		if diff := cmp.Diff(want, &again); diff != "" {
			t.Errorf("first (-), again (+):\n%s", diff)
		}
	}
	if last := atA[4]; last.Type != sessions.Stop || last.Resync {
		t.Errorf("the last record is %+v", last)
	}
	if in := atB[1]; in.Type != sessions.Interim || !in.Resync || in.Session != 2 || in.Attrs.Text(radius.UserName) != "user-S2" {
		t.Errorf("%+v", in)
	}
	if seconds, ok := atB[1].Attrs.Uint32(radius.AcctSessionTime); seconds != 2 || !ok {
		t.Errorf("Acct-Session-Time %d, %t", seconds, ok)
	}
	h.send(sessions.Start, sessions.Network, "S3")
	h.resync(a, sessions.Interim)
	for _, r := range records(t, h.store, "group/a") {
		if r.Session == 1 && r.Type == sessions.Interim {
			t.Error("an interim of an ended session")
		}
	}
	if got := h.router.Stats(); got.Resyncs != 5 || got.Records != 10 {
		t.Errorf("%+v", got)
	}
}

// TestResyncInterimHasAll: unlike other interims, that of a resync has attributes that only the start
// had, and a session time if only an interim was heard.
func TestResyncInterimHasAll(t *testing.T) {
	const connectInfo = 77
	h := &host{t: t, disk: store.NewDisk(), now: time.Unix(993617100, 0)}
	h.open(policyOf(map[sessions.Kind][]MethodName{sessions.Network: {Group("a")}}))
	h.sendWith(sessions.Interim, sessions.Network, "S1", attrs(radius.AcctSessionID, "S1", radius.UserName, "alice", connectInfo, "V.90"))
	h.resync(Group("a"), sessions.Interim)
	all := records(t, h.store, "group/a")
	again := all[len(all)-1]
	if again.Attrs.Text(connectInfo) != "V.90" {
		t.Errorf("no Connect-Info: %x", string(again.Attrs))
	}
	if seconds, _ := again.Attrs.Uint32(radius.AcctSessionTime); seconds != 102 { // 101 as reported, a second ago
		t.Errorf("Acct-Session-Time %d", seconds)
	}
}

// TestResyncEventTimestamp: a start that is repeated has the time that the NAS's clock showed.
func TestResyncEventTimestamp(t *testing.T) {
	for name, tt := range map[string]struct {
		only string
		typ  sessions.EventType
		want uint32
	}{
		"a start of a resync":       {"group a", sessions.Start, 990_000_000},
		"an interim of a resync":    {"group a", sessions.Interim, 7},
		"a start, which is no copy": {"", sessions.Start, 7},
	} {
		n := notice(7, sessions.Network, tt.typ)
		n.Only, n.Attrs, n.Session.StartTimestamp = tt.only, "", 990_000_000
		b, _ := Compose(nil, &n)
		if got, _ := radius.Attributes(b).Uint32(radius.EventTimestamp); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}
