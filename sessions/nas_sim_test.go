package sessions_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// stamp0 is the Event-Timestamp that the NASes of these tests call 0 while their clocks agree with
// ours.
const stamp0 = 993617100

// report is a packet of a NAS, made of real attributes. A field that is not set is not in the
// packet, except user, station and NAS, which have defaults.
type report struct {
	typ                 sessions.EventType
	sid                 string
	user, station       string // "-" is none
	from                string // source address
	id, ip, ip6         string // NAS-Identifier, NAS-IP-Address, NAS-IPv6-Address; "-" is none
	addr, called        string
	stamp, time, octets any // int
	delay               any
	status              uint32 // of an Other
	class               string
	cause               uint32
	connectInfo         string
	kind                sessions.Kind // 0 is network
	port                any           // int
	portID              string
	multi               string
	service             int    // Service-Type
	group               string // the Cisco-AVPair of a group of routers
	call                bool   // it is about a call, and has no user unless one is given
}

func (r report) event(now time.Time) sessions.Event {
	or := func(s, otherwise string) string {
		switch s {
		case "":
			return otherwise
		case "-":
			return ""
		}
		return s
	}
	addr := func(s string) netip.Addr {
		if s == "" {
			return netip.Addr{}
		}
		return netip.MustParseAddr(s)
	}
	ev := sessions.Event{
		Type: r.typ, AcctSessionID: or(r.sid, "a"), Kind: r.kind, At: now,
		NAS: sessions.NAS{
			Addr: addr(or(r.from, "192.0.2.1")), Identifier: or(r.id, "nas-1"), IPv4: addr(or(r.ip, "")), IPv6: addr(or(r.ip6, "")),
		},
		SameClient: func(a netip.Addr) bool {
			entry := netip.MustParsePrefix("192.0.2.0/24")
			return entry.Contains(a) && entry.Contains(addr(or(r.from, "192.0.2.1")))
		},
	}
	switch {
	case r.call:
		ev.Kind = sessions.Resource
		r.user, r.service = or(r.user, "-"), 10
	case ev.Kind == 0:
		ev.Kind = sessions.Network
	}
	status := uint32(r.typ)
	if r.typ == sessions.Other {
		status = r.status
	}
	b := radius.AppendUint32(nil, radius.AcctStatusType, status)
	text := func(t radius.Type, v string) {
		if v != "" {
			b = radius.AppendAttribute(b, t, v)
		}
	}
	number := func(t radius.Type, v any) (uint32, bool) {
		n, ok := v.(int)
		if ok {
			b = radius.AppendUint32(b, t, uint32(n))
		}
		return uint32(n), ok
	}
	if r.typ == sessions.On || r.typ == sessions.Off {
		ev.AcctSessionID = ""
	} else {
		text(radius.UserName, or(r.user, "alice"))
		text(radius.CallingStationID, or(r.station, "02-00-00-00-00-01"))
	}
	text(radius.AcctSessionID, ev.AcctSessionID)
	text(radius.NASIdentifier, ev.NAS.Identifier)
	text(radius.CalledStationID, r.called)
	text(radius.Class, r.class)
	if name, value, ok := strings.Cut(r.group, "="); ok {
		b = radius.AppendAVPair(b, name, value)
	}
	text(77, r.connectInfo)
	text(radius.NASPortID, r.portID)
	text(radius.AcctMultiSessionID, r.multi)
	if r.service != 0 {
		b = radius.AppendUint32(b, radius.ServiceType, uint32(r.service))
	}
	if ev.NAS.IPv4.IsValid() {
		four := ev.NAS.IPv4.As4()
		text(radius.NASIPAddress, string(four[:]))
	}
	if r.addr != "" {
		four := netip.MustParseAddr(r.addr).As4()
		text(radius.FramedIPAddress, string(four[:]))
	}
	if r.cause != 0 {
		b = radius.AppendUint32(b, radius.AcctTerminateCause, r.cause)
	}
	number(radius.NASPort, r.port)
	if n, ok := number(radius.EventTimestamp, offset(r.stamp, stamp0)); ok {
		ev.EventTimestamp = n
	}
	if n, ok := number(radius.AcctSessionTime, r.time); ok {
		ev.Usage.SessionTime = n
		ev.Sent |= sessions.SessionTime
	}
	if n, ok := r.octets.(int); ok {
		b = radius.AppendUint32(b, radius.AcctInputOctets, uint32(n))
		b = radius.AppendUint32(b, radius.AcctInputGigawords, uint32(n>>32))
		ev.Usage.InputOctets = uint64(n)
		ev.Sent |= sessions.InputOctets
	}
	if n, ok := r.delay.(int); ok {
		ev.Delay, ev.HasDelay = uint32(n), true
		ev.At = ev.At.Add(-time.Duration(n) * time.Second)
	}
	ev.Attrs = radius.Attributes(b)
	return ev
}

func offset(v any, by int) any {
	if n, ok := v.(int); ok {
		return n + by
	}
	return v
}

// world is a table over a journal in memory, with clocks that a test sets.
type world struct {
	*sessions.Table
	t       testing.TB
	cfg     sessions.Config
	journal *sessionstest.Journal
	wall    time.Time
	elapsed time.Duration
	nested  bool // as the configuration has it
	// What sessions begin with; nil if authentication does not go through us.
	admissions sessions.Admissions
	unique     []radius.Type // Event.Unique of all events
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, journal: sessionstest.NewJournal(), wall: time.Date(2001, 6, 27, 4, 45, 0, 0, time.UTC)}
	t.Cleanup(w.journal.Close)
	w.cfg = sessions.Config{
		Now: func() time.Time { return w.wall }, Elapsed: func() time.Duration { return w.elapsed },
		Boot: sessions.Boot{ID: "one", Uptime: time.Hour},
	}
	// The policy changes all the time.
	decided := 0
	w.journal.RouteBy(func(*sessions.Session) string { decided++; return fmt.Sprint("route ", decided) })
	w.Table = sessions.New(w.cfg, w.journal)
	return w
}

// routes returns the routes of the accounted sessions. It is an error if a session had several.
func (w *world) routes() map[sessions.ID]string {
	w.t.Helper()
	routes := map[sessions.ID]string{}
	for _, n := range w.journal.Notices() {
		id, route := n.Session.ID, n.Session.Route.String()
		if was, ok := routes[id]; ok && was != route && id != 0 {
			w.t.Fatalf("session %d has route %q, its %s has %q", id, was, n.Type, route)
		}
		routes[id] = route
	}
	return routes
}

// sleep advances all clocks, and NASes can be heard meanwhile; step sets the host's clock.
func (w *world) sleep(d time.Duration) {
	w.BeatHearing()
	w.wall, w.elapsed = w.wall.Add(d), w.elapsed+d
	w.BeatHearing()
}
func (w *world) step(d time.Duration) { w.wall = w.wall.Add(d) }

// restart loads the table again, on the same boot of the host.
func (w *world) restart() {
	w.cfg.Boot.Uptime = time.Hour + w.elapsed
	w.Table = sessions.New(w.cfg, w.journal)
	w.SetNested(w.nested)
	w.SetAdmissions(w.admissions)
	w.SetUnique(w.unique)
	if err := w.Load(w.journal.Load); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) send(r report) {
	w.t.Helper()
	ev := r.event(w.wall)
	ev.Unique = w.unique
	sessionstest.Await(w.t, func(done func(error)) error { return w.Apply(ev, done) })
}

// disconnect marks a session as a SET does.
func (w *world) disconnect(id sessions.ID) {
	w.t.Helper()
	sessionstest.Await(w.t, func(done func(error)) error { _, err := w.Disconnect([]sessions.ID{id}, done); return err })
}

func (w *world) ack(id sessions.ID) {
	w.t.Helper()
	sessionstest.Await(w.t, func(done func(error)) error { w.Acked(id, done); return nil })
}

func (w *world) endAsAdmin(id sessions.ID) {
	w.t.Helper()
	sessionstest.Await(w.t, func(done func(error)) error { return w.End(id, sessions.CauseAdminReset, w.wall, done) })
}

func (w *world) clear(id sessions.ID) {
	w.t.Helper()
	sessionstest.Await(w.t, func(done func(error)) error { return w.Clear([]sessions.ID{id}, done) })
}

// endStale ends a session that its NAS has stopped reporting.
func (w *world) endStale(id sessions.ID) {
	w.t.Helper()
	stale := []sessions.StaleSession{{ID: id, Heard: w.View().Get(id).Silence.Heard}}
	sessionstest.Await(w.t, func(done func(error)) error { _, err := w.EndStale(stale, done); return err })
}

// makeInterims makes the interims of all rows that want one.
func (w *world) makeInterims() {
	w.t.Helper()
	var due []sessions.DueInterim
	for _, id := range w.rows() {
		due = append(due, sessions.DueInterim{ID: id})
	}
	sessionstest.Await(w.t, func(done func(error)) error { _, err := w.MakeInterims(due, done); return err })
}

// accounted lists the notices: type, session, octets if the NAS sent any, the cause if it is ours.
func (w *world) accounted() (out []string) {
	for _, n := range w.journal.Notices() {
		s := fmt.Sprintf("%s %d", n.Type, n.Session.ID)
		low, ok := n.Attrs.Uint32(radius.AcctInputOctets)
		high, _ := n.Attrs.Uint32(radius.AcctInputGigawords)
		switch {
		case ok:
			s += fmt.Sprint(" ", uint64(high)<<32|uint64(low))
		case n.Attrs == "" && n.Session.Counted&sessions.InputOctets != 0:
			s += fmt.Sprint(" ours ", n.Session.Usage.InputOctets)
		}
		if n.Cause != 0 {
			s += fmt.Sprint(" cause ", n.Cause)
		}
		if n.CallFailed() {
			s += " failed"
		}
		out = append(out, s)
	}
	return out
}

func (w *world) rows() []sessions.ID { return ids(w.View()) }

// script is what a test does, in order: reports to send, durations to wait, functions to call.
type script []any

func (w *world) play(d script) {
	w.t.Helper()
	for _, step := range d {
		switch step := step.(type) {
		case report:
			w.send(step)
		case time.Duration:
			w.sleep(step)
		case func(*world):
			step(w)
		default:
			w.t.Fatalf("%T is not a step", step)
		}
	}
}

// scenario is a script and its expected result.
type scenario struct {
	name      string
	script    script
	accounted []string
	rows      []sessions.ID
}

// runScenarios plays each scenario twice, the second time with a restart of the daemon after each
// step.
func runScenarios(t *testing.T, scenarios []scenario) {
	for _, sc := range scenarios {
		for _, restarts := range []bool{false, true} {
			name := sc.name
			if restarts {
				name += ", with restarts"
			}
			t.Run(name, func(t *testing.T) {
				w := newWorld(t)
				for _, step := range sc.script {
					w.play(script{step})
					if restarts {
						w.restart()
					}
				}
				if diff := cmp.Diff(sc.accounted, w.accounted()); diff != "" {
					t.Error("recorded (-want +got):\n", diff)
				}
				if diff := cmp.Diff(sc.rows, w.rows()); diff != "" {
					t.Error("rows (-want +got):\n", diff)
				}
				w.routes()
				if err := w.Invariants(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
