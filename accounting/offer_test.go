package accounting

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aaasess/internal/taps"

	"aaasess/accounting/tap"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
	"aaasess/store"
)

// offered returns what a Listener has of each event: "2 Stop network/default: group a, local", with
// + between the methods of a broadcast.
func offered(l *tap.Listener) (out []string) {
	for {
		select {
		case item := <-l.Items():
			e := item.Value
			between := ", "
			if e.Broadcast {
				between = "+"
			}
			text := strings.Join(e.Methods, between)
			if e.NotRecorded != "" {
				text += "not recorded, " + e.NotRecorded
			}
			out = append(out, fmt.Sprintf("%d %s %s: %s", e.Session.ID, e.Type, e.List, text))
		default:
			return out
		}
	}
}

// TestOfferResync: an event for one method of a broadcast names this method only.
func TestOfferResync(t *testing.T) {
	isp, cust := Group("isp"), Group("customer")
	r := newRouter(t, openStore(t, store.NewDisk()), routes{
		sessions.Network: {List: "network/both", Record: StartStop, Broadcast: true, Methods: []MethodName{isp, cust}},
	})
	l := r.Tap().Listen(func(*tap.Event) bool { return true })
	defer l.Close()
	n := notice(1, sessions.Network, start)
	n.Only = string(cust)
	committed(t, r, sessions.Change{Notices: []sessions.Notice{n}})
	if got, want := offered(l), "1 Start network/both: group customer"; len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// S2: "Displays information on accountable events as they occur." Each event is shown once, with what
// is decided about it, and exactly those with methods have records.
func TestOffer(t *testing.T) {
	isp, cust := Group("isp"), Group("customer")
	all := routes{
		sessions.Network:    {List: "network/default", Record: StartStop, SuppressNullUsername: true, Methods: []MethodName{isp, Local}},
		sessions.Exec:       {List: "exec/default", Record: StopOnly, Methods: []MethodName{Local}},
		sessions.Resource:   {List: "resource/default", Record: StopFailure, Methods: []MethodName{Local}},
		sessions.Connection: {List: "connection/both", Record: StartStop, Broadcast: true, InterimsToFirst: true, Methods: []MethodName{isp, cust}},
	}
	user := radius.Attributes(radius.AppendAttribute(nil, radius.UserName, "alice"))
	failed := user + radius.Attributes(radius.AppendUint32(nil, radius.AcctStatusType, 15))
	const network, exec, connection = sessions.Network, sessions.Exec, sessions.Connection
	for _, tt := range []struct {
		name  string
		id    sessions.ID
		kind  sessions.Kind
		typ   sessions.EventType
		attrs radius.Attributes
		want  string
	}{
		{"the first method that answers", 1, network, start, user, "1 Start network/default: group isp, local"},
		{"no User-Name", 1, network, start, "", "1 Start network/default: not recorded, it has no User-Name (suppress-null-username)"},
		{"a second start", 1, network, interim, user, "1 Interim-Update network/default: not recorded, it is a second start, and newinfo is off"},
		{"stop-only, a start", 1, exec, start, user, "1 Start exec/default: not recorded, its list is stop-only"},
		{"stop-only, a stop", 1, exec, stop, user, "1 Stop exec/default: local"},
		{"stop-only, another event: the network list records it", 1, exec, other, failed, "1 Other exec/default: local"},
		{"stop-failure, a call begins", 1, sessions.Resource, start, "", "1 Start resource/default: not recorded, its list is stop-failure, and the call has not failed"},
		{"stop-failure, a call that nobody reached ends", 1, sessions.Resource, stop, "", "1 Stop resource/default: local"},
		{"broadcast", 1, connection, stop, user, "1 Stop connection/both: group isp+group customer"},
		{"SSG Restriction", 1, connection, interim, user, "1 Interim-Update connection/both: group isp"},
		{"no list", 1, 99, start, user, "1 Start : not recorded, no list records it"},
		{"no session", 0, network, other, failed, "0 Other network/default: group isp, local"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRouter(t, openStore(t, store.NewDisk()), all)
			r.SetNewInfo(false)
			l := r.Tap().Listen(func(*tap.Event) bool { return true })
			defer l.Close()
			n := notice(tt.id, tt.kind, tt.typ)
			n.Attrs += tt.attrs
			n.SecondStart = tt.name == "a second start"
			committed(t, r, sessions.Change{Notices: []sessions.Notice{n}})
			got := offered(l)
			if len(got) != 1 || got[0] != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if made := r.Stats().Records > 0; made == strings.Contains(tt.want, "not recorded") {
				t.Errorf("a record was made: %v", made)
			}
		})
	}
}

// TestOfferOneOff: an event without a session says why no record is made of it.
func TestOfferOneOff(t *testing.T) {
	list := func(name string) string {
		return (&Route{List: name, Record: StopOnly, Methods: []MethodName{Local}}).Text()
	}
	decide := func(recorded sessions.Unstarted) Decide {
		return func(k sessions.Kind, s *sessions.Session) string {
			switch {
			case s.User() == "" || s.Unstarted != 0 && s.Unstarted != recorded:
				return ""
			case k == sessions.Command:
				return list("commands/15/default")
			case k == sessions.Exec:
				return list("exec/default")
			}
			return ""
		}
	}
	const failed, accepted = sessions.AuthenticationFailed, sessions.AuthenticatedRemotely
	for _, tt := range []struct {
		name           string
		kind           sessions.Kind
		user           string
		what, recorded sessions.Unstarted
		want           string
	}{
		{"a command", sessions.Command, "alice", 0, 0, "1 Stop commands/15/default: local"},
		{"a command of nobody", sessions.Command, "", 0, 0, "0 Stop : not recorded, it has no User-Name (suppress-null-username)"},
		{"a failure", sessions.Exec, "alice", failed, failed, "1 Stop exec/default: local"},
		{"a failure, left out", sessions.Exec, "alice", failed, accepted, "0 Stop : not recorded, it failed, and send-stop-record has no authentication-failure"},
		{"a failure of nobody", sessions.Exec, "", failed, failed, "0 Stop : not recorded, it has no User-Name (suppress-null-username)"},
		{"a failure without a list", sessions.Network, "alice", failed, failed, "0 Stop : not recorded, no list records it"},
		{"accepted", sessions.Exec, "alice", accepted, accepted, "1 Stop exec/default: local"},
		{"accepted, left out", sessions.Exec, "alice", accepted, failed, "0 Stop : not recorded, it ended before its start, and send-stop-record has no authentication-success-remote-server"},
		{"accepted, of nobody", sessions.Exec, "", accepted, accepted, "0 Stop : not recorded, it has no User-Name (suppress-null-username)"},
		{"accepted, without a list", sessions.Network, "alice", accepted, accepted, "0 Stop : not recorded, no list records it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openStore(t, store.NewDisk())
			r := newRouter(t, s, nil)
			r.SetPolicy(decide(tt.recorded))
			l := r.Tap().Listen(func(*tap.Event) bool { return true })
			defer l.Close()
			o := sessions.OneOff{Kind: tt.kind, Unstarted: tt.what, NAS: *nas4, At: time.Unix(1, 7), Level: 15, Text: "configure terminal"}
			if tt.user != "" {
				o.Attrs = radius.Attributes(radius.AppendAttribute(nil, radius.UserName, tt.user))
			}
			table := sessions.New(sessions.Config{}, r)
			sessionstest.Await(t, func(done func(error)) error { _, err := table.Record(o, done); return err })
			if got := offered(l); len(got) != 1 || got[0] != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if n := len(records(t, s, "local")); (n == 1) == strings.Contains(tt.want, "not recorded") {
				t.Errorf("%d records", n)
			}
		})
	}
}

// An event of a session that began without a list is of no list, also if there is one now.
func TestOfferWithoutRoute(t *testing.T) {
	r := newRouter(t, openStore(t, store.NewDisk()), policy)
	l := r.Tap().Listen(func(*tap.Event) bool { return true })
	defer l.Close()
	r.Commit(sessions.Change{Notices: []sessions.Notice{notice(1, sessions.Network, stop)}}, nil)
	if got := offered(l); len(got) != 1 || got[0] != "1 Stop : not recorded, no list records it" {
		t.Errorf("got %q", got)
	}
}

// While nobody listens, an event costs no allocation. With a Listener it costs one, its own.
func TestOfferAllocatesNothing(t *testing.T) {
	r := newRouter(t, nil, policy)
	n := notice(1, sessions.Network, stop)
	n.Session.Route = sessions.NewRoute(r.Route(n.Session))
	d := &draft{}
	record := func() {
		d.appends, d.buf = d.appends[:0], d.buf[:0]
		r.record(d, &n)
	}
	if got := testing.AllocsPerRun(100, record); got != 0 {
		t.Errorf("%v allocations without a Listener", got)
	}
	l := r.Tap().Listen(func(*tap.Event) bool { return true })
	defer l.Close()
	if got := testing.AllocsPerRun(2*taps.QueueSize, record); got > 1 {
		t.Errorf("%v allocations with a Listener", got)
	}
}
