package sessions

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	testNAS = NAS{Addr: netip.MustParseAddr("192.0.2.1"), Name: "nas-1"}
	epoch   = time.Date(2001, 6, 27, 4, 45, 0, 0, time.UTC)
)

// at is a moment some seconds into the test.
func at(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

// event makes an event of session "s1" of testNAS.
func event(typ EventType, when int, more ...any) Event {
	return Event{
		Type: typ, NAS: testNAS, AcctSessionID: "s1", Kind: Network, At: at(when),
		Attrs: attrs(append([]any{UserName, "alice", AcctSessionID, "s1"}, more...)...),
	}
}

func withUsage(ev Event, octets uint64, seconds uint32) Event {
	ev.Usage, ev.HasUsage = Usage{InputOctets: octets, SessionTime: seconds}, true
	return ev
}

func stamped(ev Event, stamp uint32) Event {
	ev.EventStamp = stamp
	return ev
}

func TestDecide(t *testing.T) {
	started := event(Start, 0)
	live := begun(1, &testNAS, &started)
	used := withUsage(event(Interim, 60), 1000, 60)
	busy := updated(live, &used)
	marked := stamped(event(Start, 0), 5000)
	withStamp := begun(1, &testNAS, &marked)
	heardOf := event(Interim, 30)
	half := begun(1, &testNAS, &heardOf)
	ended := unix(at(100))

	tests := []struct {
		name  string
		known *Session
		ended time.Duration
		ev    Event
		want  step
	}{
		{"start of a new session", nil, 0, event(Start, 0), begin},
		{"interim of an unknown session", nil, 0, event(Interim, 0), begin},
		{"stop of an unknown session", nil, 0, event(Stop, 0), pass},
		{"start again", live, 0, event(Start, 0), repeat},
		{"start again, delayed by a second of rounding", live, 0, event(Start, 1), repeat},
		{"start after its interim", half, 0, event(Start, 0), update},
		{"start of another user under the same name", live, 0, event(Start, 50, UserName, "bob"), repeat},
		{"interim that says nothing to compare", live, 0, event(Interim, 10), update},
		{"interim with more octets", busy, 0, withUsage(event(Interim, 120), 2000, 120), update},
		{"interim of an idle session", busy, 0, withUsage(event(Interim, 120), 1000, 120), update},
		{"interim again", busy, 0, withUsage(event(Interim, 60), 1000, 60), repeat},
		{"older interim", busy, 0, withUsage(event(Interim, 30), 500, 30), repeat},
		{"interim with an address, nothing else new", busy, 0, withUsage(event(Interim, 61, FramedIPAddress, 0x0a010102), 1000, 60), update},
		{"stamped interim", withStamp, 0, stamped(event(Interim, 0), 5001), update},
		{"stamped interim again", updated(withStamp, ptr(stamped(event(Interim, 0), 5001))), 0, stamped(event(Interim, 3), 5001), repeat},
		{"stamped older interim", withStamp, 0, stamped(event(Interim, 0), 4000), repeat},
		{"interim in the second of the start, with an address", withStamp, 0, stamped(event(Interim, 0, FramedIPAddress, 9), 5000), update},
		{"stop", live, 0, event(Stop, 60), finish},
		{"late stop", nil, ended, event(Stop, 300), repeat},
		{"late start", nil, ended, event(Start, 90), repeat},
		{"late interim", nil, ended, event(Interim, 101), repeat},
		{"a new session with the name of an ended one", nil, ended, event(Start, 101), begin},
		{"interim long after we thought it over", nil, ended, event(Interim, 161), begin},
	}
	// attrs lists the first User-Name first: the other user must come first to be seen.
	tests[6].ev.Attrs, tests[6].want = attrs(UserName, "bob", AcctSessionID, "s1"), replace
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := decide(tt.known, tt.ended, &tt.ev); got != tt.want {
				t.Errorf("got step %d, want %d", got, tt.want)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

// TestIdle: only user data ends idleness (R2).
func TestIdle(t *testing.T) {
	start := event(Start, 0)
	s := begun(1, &testNAS, &start)
	steps := []struct {
		name string
		ev   Event
		when int
		want uint32
	}{
		{"from the start", event(Interim, 5), 10, 10},
		{"data", withUsage(event(Interim, 20), 100, 20), 25, 5},
		{"interim without more data", withUsage(event(Interim, 40), 100, 40), 50, 30},
		{"counter wrapped", withUsage(event(Interim, 60), 7, 60), 61, 1},
		{"the clock went back", withUsage(event(Interim, 80), 8, 80), 70, 0},
	}
	for _, st := range steps {
		s = updated(s, &st.ev)
		if got := s.IdleTime(at(st.when)); got != st.want {
			t.Errorf("%s: idle for %d s, want %d", st.name, got, st.want)
		}
	}
}

func TestMerge(t *testing.T) {
	start := attrs(UserName, "alice", AcctSessionID, "s1", Class, "a", Class, "b", VendorSpecific, "vendor")
	tests := []struct {
		name string
		typ  EventType
		with Attributes
		want Attributes
	}{
		{"nothing new", Interim, attrs(UserName, "alice", AcctSessionID, "s1"), start},
		{"counters are not kept", Interim, attrs(AcctInputOctets, 7, AcctSessionTime, 3, EventTimestamp, 9), start},
		{
			"an address is learned", Interim, attrs(UserName, "alice", FramedIPAddress, 7),
			attrs(AcctSessionID, "s1", Class, "a", Class, "b", VendorSpecific, "vendor", UserName, "alice", FramedIPAddress, 7),
		},
		{"vendor attributes of an interim", Interim, attrs(VendorSpecific, "other"), start},
		{
			"vendor attributes of a late start", Start, attrs(VendorSpecific, "other"),
			attrs(UserName, "alice", AcctSessionID, "s1", Class, "a", Class, "b", VendorSpecific, "other"),
		},
		{"the same classes", Interim, attrs(Class, "a", Class, "b"), start},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := merge(start, &Event{Type: tt.typ, Attrs: tt.with})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBegunFromInterim(t *testing.T) {
	ev := withUsage(event(Interim, 100, FramedIPAddress, 0x0a010101), 5, 90)
	s := begun(3, &testNAS, &ev)
	if !s.StartedAt().Equal(at(10)) || s.StartSeen || s.IPv4 != 0x0a010101 || s.User != "alice" {
		t.Errorf("got %+v", s)
	}
	early := event(Start, 9)
	if s = updated(s, &early); !s.StartedAt().Equal(at(9)) || !s.StartSeen {
		t.Errorf("after its start: %+v", s)
	}
}
