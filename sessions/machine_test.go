package sessions

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
)

var (
	testNAS   = NAS{Addr: netip.MustParseAddr("192.0.2.1"), Identifier: "nas-1"}
	testStart = time.Date(2001, 6, 27, 4, 45, 0, 0, time.UTC)
)

// at returns the moment this many seconds after testStart.
func at(seconds int) time.Time { return testStart.Add(time.Duration(seconds) * time.Second) }

// event returns an event of session "s1" of testNAS.
func event(typ EventType, when int, more ...any) Event {
	return Event{
		Type: typ, NAS: testNAS, AcctSessionID: "s1", Kind: Network, At: at(when), at: stampOf(at(when)), now: stampOf(at(when)),
		Attrs: attrs(append([]any{radius.UserName, "alice", radius.AcctSessionID, "s1"}, more...)...),
	}
}

func withUsage(ev Event, octets uint64, seconds uint32) Event {
	ev.Usage, ev.Sent = Usage{InputOctets: octets, SessionTime: seconds}, WholeUsage
	return ev
}

// withSessionTime adds a session time and no counters.
func withSessionTime(ev Event, seconds uint32) Event {
	ev.Usage, ev.Sent = Usage{SessionTime: seconds}, SessionTime
	return ev
}

func withTimestamp(ev Event, timestamp uint32) Event {
	ev.EventTimestamp = timestamp
	return ev
}

// TestIdle: only user data ends the idle time (R2).
func TestIdle(t *testing.T) {
	start := event(Start, 0)
	s := newSession(1, &start.NAS, &start)
	steps := []struct {
		name string
		ev   Event
		when int
		want uint32
	}{
		{"from the start", event(Interim, 5), 10, 10},
		{"data", withUsage(event(Interim, 20), 100, 20), 25, 5},
		{"interim without more data", withUsage(event(Interim, 40), 100, 40), 50, 30},
		{"interim without counters", withSessionTime(event(Interim, 50), 50), 55, 35},
		{"a counter that falls", withUsage(event(Interim, 60), 7, 60), 61, 41},
		{"near its maximum", withUsage(event(Interim, 62), 1<<32-5, 62), 62, 0},
		{"counter wrapped", withUsage(event(Interim, 70), 7, 70), 71, 1},
		{"the clock went back", withUsage(event(Interim, 80), 8, 80), 70, 0},
	}
	for _, st := range steps {
		s = updated(s, &st.ev)
		if got := s.IdleTime(stampOf(at(st.when))); got != st.want {
			t.Errorf("%s: idle for %d s, want %d", st.name, got, st.want)
		}
	}
}

func TestMerge(t *testing.T) {
	start := attrs(radius.UserName, "alice", radius.AcctSessionID, "s1", radius.Class, "a", radius.Class, "b", radius.VendorSpecific, "vendor")
	vendorReplaced := attrs(radius.UserName, "alice", radius.AcctSessionID, "s1", radius.Class, "a", radius.Class, "b", radius.VendorSpecific, "other")
	tests := []struct {
		name string
		typ  EventType
		late bool
		with radius.Attributes
		want radius.Attributes
	}{
		{"nothing new", Interim, false, attrs(radius.UserName, "alice", radius.AcctSessionID, "s1"), start},
		{"counters are not kept", Interim, false, attrs(radius.AcctInputOctets, 7, radius.AcctSessionTime, 3, radius.EventTimestamp, 9), start},
		{
			"a new address", Interim, false, attrs(radius.UserName, "alice", radius.FramedIPAddress, 7),
			attrs(radius.AcctSessionID, "s1", radius.Class, "a", radius.Class, "b", radius.VendorSpecific, "vendor", radius.UserName, "alice", radius.FramedIPAddress, 7),
		},
		{"vendor attributes of an interim", Interim, false, attrs(radius.VendorSpecific, "other"), start},
		{"vendor attributes of a start", Start, false, attrs(radius.VendorSpecific, "other"), vendorReplaced},
		{"vendor attributes of a late start", Start, true, attrs(radius.VendorSpecific, "other"), vendorReplaced},
		{"other values of a late start", Start, true, attrs(radius.UserName, "anonymous", radius.Class, "c", radius.AcctDelayTime, 5), start},
		{
			"a new attribute of a late start", Start, true, attrs(radius.UserName, "anonymous", radius.NASPort, 4),
			start + attrs(radius.NASPort, 4),
		},
		{"the same classes", Interim, false, attrs(radius.Class, "a", radius.Class, "b"), start},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := merge(start, &Event{Type: tt.typ, Attrs: tt.with}, tt.late)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNewSessionFromInterim(t *testing.T) {
	ev := withUsage(event(Interim, 100, radius.FramedIPAddress, 0x0a010101), 5, 90)
	s := newSession(3, &ev.NAS, &ev)
	if s.Started != stampOf(at(10)) || s.StartSeen || s.IPv4 != 0x0a010101 || s.User() != "alice" {
		t.Errorf("got %+v", s)
	}
	early := event(Start, 9)
	if s = updated(s, &early); s.Started != stampOf(at(9)) || !s.StartSeen {
		t.Errorf("after its start: %+v", s)
	}
}

// TestUsageNotSent: a counter that a packet does not have stays.
func TestUsageNotSent(t *testing.T) {
	was := Usage{1, 2, 3, 4, 5}
	tests := []struct {
		sent UsageFields
		want Usage
	}{
		{0, was},
		{InputOctets, Usage{10, 2, 3, 4, 5}},
		{OutputOctets, Usage{1, 20, 3, 4, 5}},
		{InputPackets, Usage{1, 2, 30, 4, 5}},
		{OutputPackets, Usage{1, 2, 3, 40, 5}},
		{SessionTime, Usage{1, 2, 3, 4, 50}},
		{WholeUsage, Usage{10, 20, 30, 40, 50}},
	}
	for _, tt := range tests {
		ev := event(Interim, 9)
		ev.Usage, ev.Sent = Usage{10, 20, 30, 40, 50}, tt.sent
		begin := event(Start, 0)
		s := newSession(1, &begin.NAS, &begin)
		s.Usage = was
		if diff := cmp.Diff(tt.want, updated(s, &ev).Usage); diff != "" {
			t.Errorf("interim with %b: %s", tt.sent, diff)
		}
		if diff := cmp.Diff(tt.want, ended(s, &ev, 0, ev.now).Usage); diff != "" {
			t.Errorf("stop with %b: %s", tt.sent, diff)
		}
		used, _ := Usage{}.updatedBy(&ev)
		if diff := cmp.Diff(used, newSession(1, &ev.NAS, &ev).Usage); diff != "" {
			t.Errorf("new session with %b: %s", tt.sent, diff)
		}
	}
}

// TestLateStart: a late start adds to what is known and removes nothing.
func TestLateStart(t *testing.T) {
	interim := withTimestamp(withUsage(event(Interim, 100, radius.FramedIPAddress, 0x0a010102), 5000, 90), 5000)
	interim.IfIndex = 7
	s := newSession(1, &interim.NAS, &interim)
	start := withTimestamp(withUsage(event(Start, 8, radius.FramedIPAddress, 0, radius.CallingStationID, "1234"), 0, 0), 4000)
	start.IfIndex, start.PortIfIndex = 3, 4
	got := updated(s, &start)
	want := *s
	want.StartSeen, want.Started = true, stampOf(at(8))
	want.setIfIndexes(7, 4)
	want.Attrs, want.StartTimestamp = s.Attrs+attrs(radius.CallingStationID, "1234"), 4000
	if diff := cmp.Diff(&want, got, sessionOptions); diff != "" {
		t.Error(diff)
	}
}

// TestKindOfLateStart: a service that only the start names decides the kind.
func TestKindOfLateStart(t *testing.T) {
	const login, prompt, telnet = 1, 7, 0
	tests := []struct {
		name           string
		interim, start []any
		kind, want     Kind // of the start's packet, and of the session
	}{
		{"the interim names no service", nil, []any{radius.ServiceType, prompt}, Exec, Exec},
		{"the interim names the service in part", []any{radius.ServiceType, login}, []any{radius.ServiceType, login, radius.LoginService, telnet}, Connection, Connection},
		{"the interim named the host", []any{radius.ServiceType, login, radius.LoginIPHost, 9}, []any{radius.ServiceType, login, radius.LoginService, telnet}, Connection, Connection},
		{"the interim names the whole service", []any{radius.ServiceType, prompt}, []any{radius.ServiceType, login}, Connection, Network},
		{"the start names no service", []any{radius.ServiceType, prompt}, []any{radius.LoginService, telnet}, Connection, Network},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			interim, start := event(Interim, 100, tt.interim...), event(Start, 0, tt.start...)
			start.Kind = tt.kind
			if got := updated(newSession(1, &interim.NAS, &interim), &start).Kind; got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestApplyEvent: events add to a session, also if they come out of order.
func TestApplyEvent(t *testing.T) {
	begin := withTimestamp(event(Start, 0), 1000)
	s := newSession(1, &begin.NAS, &begin)
	newer := withTimestamp(withSessionTime(event(Interim, 60), 60), 1060)
	newer.IfIndex, newer.PortIfIndex = 5, 6
	s = updated(s, &newer)
	if s.LastEvent != stampOf(at(60)) || s.EventTimestamp != 1060 || s.IfIndex() != 5 || s.PortIfIndex() != 6 {
		t.Errorf("after an interim: %+v", s)
	}
	// The NAS's clock went back, and the packet has no interfaces.
	older := withTimestamp(withSessionTime(event(Interim, 50), 70), 1050)
	s = updated(s, &older)
	if s.LastEvent != stampOf(at(60)) || s.EventTimestamp != 1060 || s.IfIndex() != 5 || s.PortIfIndex() != 6 || s.Usage.SessionTime != 70 {
		t.Errorf("after an interim with an earlier time: %+v", s)
	}
	moved := event(Interim, 80)
	moved.IfIndex, moved.PortIfIndex = 8, 9
	if s = updated(s, &moved); s.IfIndex() != 8 || s.PortIfIndex() != 9 {
		t.Errorf("after it moved: %+v", s)
	}
	stop := event(Stop, 55)
	for name, tt := range map[string]struct {
		over *Session
		want int
	}{
		"its stop":                  {ended(s, &stop, 0, stop.now), 55},
		"our own":                   {ended(s, nil, stampOf(at(90)), stampOf(at(95))), 90},
		"our own, with an old time": {ended(s, nil, stampOf(at(55)), stampOf(at(95))), 80},
	} {
		if tt.over.LastEvent != stampOf(at(tt.want)) || tt.over.State != Ended {
			t.Errorf("after %s: %+v", name, tt.over)
		}
	}
}
