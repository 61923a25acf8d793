package sessions

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aaasess/internal/radius"
	"aaasess/sessions/silence"
)

func sampleSessions() []*Session {
	ev := withUsage(withTimestamp(event(Start, 0, radius.FramedIPAddress, 0x0a010102, radius.Class, "\x01\x02\xfe\xff", radius.Class, "second"), 993617100), 1<<40, 5)
	ev.IfIndex, ev.PortIfIndex = 12, 1<<31-1
	full := newSession(0xffffffff, &ev.NAS, &ev)
	bare := event(Interim, 1)
	bare.NAS, bare.Attrs = NAS{Addr: netip.MustParseAddr("2001:db8::1")}, attrs(radius.AcctSessionID, "x")
	scoped := bare
	scoped.NAS.Addr = netip.MustParseAddr("fe80::1%eth0")
	marked := *full
	marked.State = Terminating
	marked.setRare(func(r *rare) { r.acked, r.revived = 77, 78 })
	marked.setFormerNodes([]*nasNode{{NAS: NAS{IPv4: netip.MustParseAddr("10.0.0.1")}}, {NAS: NAS{Identifier: "old"}}})
	marked.Route = &Route{number: 1<<32 - 1}
	nameless := bare
	nameless.NAS = NAS{Identifier: "no address", Local: netip.MustParseAddr("192.0.2.254"), IPv6: netip.MustParseAddr("2001:db8::2")}
	told := marked
	told.ID = 4
	told.SetTold(79)
	child := marked
	child.ID = 5
	child.SetParent(1<<32 - 1)
	call := *full
	call.ID, call.Kind, call.Reached = 6, Resource, true
	granted := *full
	granted.ID, granted.Admission = 7, &Admission{Granted: attrs(radius.UserName, "bob@isp", radius.Class, "\x00\xff", radius.FramedIPAddress, 0x0a010103)}
	granted.setAttrs(granted.Attrs)
	named := marked
	named.ID, named.Admission = 8, &Admission{Upstream: "0A000001own"}
	both := child
	both.ID, both.Admission = 9, &Admission{Granted: granted.Admission.Granted, Upstream: "own"}
	both.setAttrs(both.Attrs)
	silent := child
	silent.ID, silent.Silence = 10, silence.Record{Heard: 1<<32 - 1, Mark: 600, Gap: 300, Interval: 301, Alike: 4}
	process, program, vpn := child, *full, silent
	command := both
	process.ID, program.ID, vpn.ID, command.ID = 11, 12, 13, 14
	process.setEnd(&Ending{PID: 1<<31 - 1, ProcessStart: 1 << 40, Signal: 15})
	program.setEnd(&Ending{Event: true})
	vpn.setEnd(&Ending{OpenVPN: "office"})
	command.setEnd(&Ending{Command: "end-tty", PID: 2, ProcessStart: 1})
	linked, shared := *full, vpn
	linked.ID, shared.ID = 15, 16
	linked.setRare(func(r *rare) {
		r.link = &link{key: linkKey{1<<64 - 1, full.IfIndex()}, used: Traffic{1, 2, 3, 1<<64 - 1}, counted: Traffic{11, 12, 13, 14}}
	})
	shared.setRare(func(r *rare) { r.link = &link{key: linkKey{1, full.IfIndex()}, shared: true} })
	return []*Session{
		full, newSession(1, &bare.NAS, &bare), newSession(2, &scoped.NAS, &scoped), newSession(3, &nameless.NAS, &nameless), &marked, &told, &child, &call,
		&granted, &named, &both, &silent, &process, &program, &vpn, &command, &linked, &shared,
	}
}

var sessionOptions = cmp.Options{
	cmpopts.EquateComparable(netip.Addr{}, fingerprint{}), cmp.AllowUnexported(Session{}, nasNode{}, fingerprints{}, rare{}, link{}, linkKey{}), cmpopts.IgnoreTypes(sync.Mutex{}),
	cmpopts.IgnoreFields(Session{}, "node"), cmp.Comparer(func(a, b *Route) bool { return a.id() == b.id() }),
}

// withOwnNodes returns the session with nodes for its former NASes.
func (s stored) withOwnNodes() *Session {
	for _, n := range s.former {
		s.setFormerNodes(append(s.formerNodes(), &nasNode{NAS: n}))
	}
	return s.Session
}

func TestSessionCodec(t *testing.T) {
	for _, s := range sampleSessions() {
		b := appendSession(nil, s)
		routes := newRoutes()
		got, err := parseSession(s.ID, b, nil, &routes)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, got.withOwnNodes(), sessionOptions); diff != "" {
			t.Error(diff)
		}
		for i := range b {
			if _, err := parseSession(s.ID, b[:i], nil, &routes); !errors.Is(err, ErrState) {
				t.Errorf("cut to %d of %d octets: %v", i, len(b), err)
			}
		}
		if _, err := parseSession(s.ID, append(b, 0), nil, &routes); !errors.Is(err, ErrState) {
			t.Errorf("an octet too many: %v", err)
		}
	}
}

// TestSessionOctets: sessions are written as before, so they can be read by the version that was
// there when their octets were kept. Only a session that version cannot express has others.
func TestSessionOctets(t *testing.T) {
	octets, err := os.ReadFile("testdata/sessions-v4.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, s := range sampleSessions() {
		fmt.Fprintf(&got, "%x %x\n", sessionKey(s.ID), appendSession(nil, s))
	}
	for i, b := range sampleWaiting() {
		fmt.Fprintf(&got, "%x %x\n", waitingKey(1, i), b)
	}
	if diff := cmp.Diff(string(octets), got.String()); diff != "" {
		t.Error(diff)
	}
}

// TestMoreFlags: every flag says that something follows, and that must be valid.
func TestMoreFlags(t *testing.T) {
	s := sampleSessions()[0]
	s.SetTold(1)
	s.SetParent(1)
	b := appendSession(nil, s)
	routes := newRoutes()
	b[1] = byte(Resource)
	for bit := range 8 {
		b[5] = moreTold | moreParent | 1<<bit
		c := b
		if 1<<bit == moreUpstream || 1<<bit == moreGranted {
			c = appendText(slices.Clip(b), string(attrs(radius.Class, "x")))
		}
		if 1<<bit == moreSilence {
			c = append(slices.Clip(b), 3, 2, 1, 1, 1)
		}
		if 1<<bit == moreEnding {
			c = appendEnding(slices.Clip(b), &Ending{Event: true})
		}
		if 1<<bit == moreLink {
			c = appendLink(slices.Clip(b), &link{key: linkKey{1, s.IfIndex()}})
		}
		if _, err := parseSession(s.ID, c, nil, &routes); err != nil {
			t.Errorf("with flag %d: %v", 1<<bit, err)
		}
	}
	b[5] = moreTold | moreParent | moreSilence
	for name, octets := range map[string][]byte{"zeros": {0, 0, 0, 0, 0}, "a mark in the future": {3, 4, 1, 1, 1}, "too short": {3, 2, 1, 1}} {
		if _, err := parseSession(s.ID, append(slices.Clip(b), octets...), nil, &routes); !errors.Is(err, ErrState) {
			t.Errorf("silence with %s: %v", name, err)
		}
	}
	b[5] = moreTold | moreParent | moreGranted
	for _, granted := range []string{"", "no attributes"} {
		if _, err := parseSession(s.ID, appendText(slices.Clip(b), granted), nil, &routes); !errors.Is(err, ErrState) {
			t.Errorf("granted %q: %v", granted, err)
		}
	}
}

// TestLinkCodec: an interface needs a host and a number.
func TestLinkCodec(t *testing.T) {
	for name, tt := range map[string]struct {
		host    uint64
		ifIndex uint32
		shared  byte
		ok      bool
	}{
		"valid": {1, 1, 1, true}, "no host": {0, 1, 0, false}, "no number": {1, 0, 0, false}, "an unknown value": {1, 1, 2, false},
	} {
		b := appendLink(nil, &link{key: linkKey{tt.host, tt.ifIndex}})
		b[8] = tt.shared
		d, s := newDecoder(b), &Session{}
		s.setIfIndexes(tt.ifIndex, 0)
		d.link(moreLink, s)
		if err := d.end("link"); (err == nil) != tt.ok || tt.ok && (!s.HasLink() || s.link().counts()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEnding: an ending that is not valid is an error, and so is an unknown value of a flag.
func TestEnding(t *testing.T) {
	for name, e := range map[string]*Ending{
		"no way": {}, "two ways": {Event: true, Command: "x"}, "no process": {Signal: 15}, "process 1": {Signal: 15, PID: 1, ProcessStart: 1},
		"no time": {Signal: 15, PID: 2}, "no number": {Event: true, ProcessStart: 1}, "negative": {Signal: 15, PID: -2, ProcessStart: 1},
	} {
		d := newDecoder(appendEnding(nil, e))
		if got := d.ending(moreEnding); e.IsValid() || d.OK() {
			t.Errorf("%s: %+v", name, got)
		}
	}
	b := appendEnding(nil, &Ending{Event: true})
	b[3] = 2
	if d := newDecoder(b); d.ending(moreEnding) != nil && d.OK() {
		t.Error("an unknown flag is taken")
	}
}

// TestLargestEnded: the longest numbers, and the longest texts that are kept, fit.
func TestLargestEnded(t *testing.T) {
	long := strings.Repeat("x", 253)
	scoped, plain := netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("2001:db8::1")
	s := &Session{
		ID: 1, Kind: Network, State: Ended, EventTimestamp: 1<<32 - 1, StartTimestamp: 1<<32 - 1,
		Started: 1, LastEvent: 1 - 1<<63, LastTraffic: 1 - 1<<63, Route: &Route{number: 1<<32 - 1},
		NAS:   &NAS{Addr: scoped, Local: scoped, Identifier: long[:32], IPv4: netip.MustParseAddr("10.0.0.1"), IPv6: plain},
		Usage: Usage{1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 1<<32 - 1},
	}
	s.setRare(func(r *rare) {
		r.acked, r.revived, r.told = 1-1<<63, 1-1<<63, 1-1<<63
		r.parent, r.ifIndex, r.portIfIndex = 1<<32-1, 1<<32-1, 1<<32-1
	})
	s.setAttrs(attrs(radius.UserName, long, radius.AcctSessionID, long, radius.CallingStationID, long, radius.Class, long))
	var all allFingerprints
	for i := range all {
		all[i] = fingerprint{sum: 1, attrs: 2, at: 1<<32 - 1}
	}
	s.fingerprints = all.compact()
	routes := newRoutes()
	for _, a := range []*Admission{nil, {Granted: attrs(radius.Class, long)}, {Upstream: long, Granted: attrs(radius.Class, long)}} {
		s.Admission = a
		b := appendEnded(nil, s)
		over, err := parseSession(1, b, nil, &routes)
		if err != nil || len(b) > s.mostEnded() || over.Route.id() != 1<<32-1 || over.Name() != s.Name() {
			t.Errorf("%d octets: %v", len(b), err)
		}
	}
}

// TestGrantedOfEnded: an ended session keeps what each record carries, if it is short.
func TestGrantedOfEnded(t *testing.T) {
	short, long := attrs(radius.UserName, "bob", radius.Class, "one", radius.Class, "two", radius.ChargeableUserIdentity, "cui"), attrs(radius.Class, strings.Repeat("x", 200))
	for granted, want := range map[radius.Attributes]radius.Attributes{short: short, short + attrs(radius.SessionTimeout, 60): short, long: "", attrs(radius.SessionTimeout, 60): ""} {
		s := sampleSessions()[0]
		s.Admission = &Admission{Granted: granted}
		routes := newRoutes()
		over, err := parseSession(s.ID, appendEnded(nil, s), nil, &routes)
		if err != nil || over.Granted() != want {
			t.Errorf("of %q: %q, %v", granted, over.Granted(), err)
		}
	}
}

func TestCountersCodec(t *testing.T) {
	want := Counters{HighWater: 1<<32 - 1, Total: 1 << 40, Disconnected: 3}
	when := anchor{table: 1, wall: -2, uptime: 3, boot: 4}
	b := appendCounters(nil, 77, want, when)
	last, got, then, err := parseCounters(b)
	if err != nil || last != 77 || got != want || then != when {
		t.Errorf("got %d %+v %+v, %v", last, got, then, err)
	}
	for i := range b {
		if _, _, _, err := parseCounters(b[:i]); !errors.Is(err, ErrState) {
			t.Errorf("cut to %d octets: %v", i, err)
		}
	}
}

func FuzzParseSession(f *testing.F) {
	for _, s := range sampleSessions() {
		f.Add(appendSession(nil, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		routes := newRoutes()
		read, err := parseSession(1, b, nil, &routes)
		if err != nil {
			return
		}
		s := read.withOwnNodes()
		again, err := parseSession(1, appendSession(nil, s), nil, &routes)
		if err != nil {
			t.Fatalf("%+v cannot be parsed again: %v", s, err)
		}
		if diff := cmp.Diff(s, again.withOwnNodes(), sessionOptions); diff != "" {
			t.Error(diff)
		}
		over := appendEnded(nil, s)
		if _, err := parseSession(1, over, nil, &routes); err != nil || len(over) > maxEnded {
			t.Errorf("the ended session has %d octets: %v", len(over), err)
		}
	})
}

// sampleWaiting is two stops that wait: one of the NAS, one of ours.
func sampleWaiting() [][]byte {
	s := *sampleSessions()[0]
	s.State = Ended
	return [][]byte{
		appendWaiting(nil, stampOf(at(60)), &Notice{Type: Stop, Session: &s, At: at(1), Attrs: attrs(radius.UserName, "alice"), AfterEnd: true}),
		appendWaiting(nil, stampOf(at(60)), &Notice{Type: Stop, Session: &s, At: at(2), Lasted: time.Hour, Cause: CauseAdminReset}),
	}
}

func FuzzParseWaiting(f *testing.F) {
	for _, b := range sampleWaiting() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		routes := newRoutes()
		until, n, err := parseWaiting(1, b, &routes)
		if err != nil {
			return
		}
		once := appendWaiting(nil, until, &n)
		until, n, err = parseWaiting(1, once, &routes)
		if err != nil || string(appendWaiting(nil, until, &n)) != string(once) {
			t.Errorf("%x cannot be read as it was written: %v", once, err)
		}
	})
}

// TestWaitingCutShort: what was cut or has too much is an error.
func TestWaitingCutShort(t *testing.T) {
	b, routes := sampleWaiting()[0], newRoutes()
	for i := range b {
		if _, _, err := parseWaiting(1, b[:i], &routes); !errors.Is(err, ErrState) {
			t.Errorf("cut to %d of %d octets: %v", i, len(b), err)
		}
	}
	if _, _, err := parseWaiting(1, append(b, 0), &routes); !errors.Is(err, ErrState) {
		t.Errorf("an octet too many: %v", err)
	}
}

func FuzzParseCounters(f *testing.F) {
	f.Add(appendCounters(nil, 77, Counters{1, 2, 3}, anchor{1, 2, 3, 4}))
	f.Fuzz(func(t *testing.T, b []byte) {
		last, c, a, err := parseCounters(b)
		if err != nil {
			return
		}
		if l, again, when, err := parseCounters(appendCounters(nil, last, c, a)); err != nil || l != last || again != c || when != a {
			t.Errorf("%d %+v %+v became %d %+v %+v, %v", last, c, a, l, again, when, err)
		}
	})
}

// TestParseHearing: what was cut, has too much, or is of another version is an error.
func TestParseHearing(t *testing.T) {
	for _, at := range []silence.Time{0, 1, 1<<32 - 1} {
		b := appendHearing(nil, at)
		if got, err := parseHearing(b); err != nil || got != at {
			t.Errorf("%d becomes %d, %v", at, got, err)
		}
		newer := slices.Clone(b)
		newer[0]++
		for _, wrong := range [][]byte{b[:0], b[:len(b)-1], append(b, 0), newer} {
			if _, err := parseHearing(wrong); !errors.Is(err, ErrState) {
				t.Errorf("%x: %v", wrong, err)
			}
		}
	}
	if _, err := parseHearing(binary.AppendUvarint([]byte{hearingVersion}, 1<<32)); !errors.Is(err, ErrState) {
		t.Errorf("a number of more than 32 bits: %v", err)
	}
}

func FuzzParseHearing(f *testing.F) {
	for _, at := range []silence.Time{0, 300, 1<<32 - 1} {
		f.Add(appendHearing(nil, at))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		at, err := parseHearing(b)
		if err != nil {
			return
		}
		if again, err := parseHearing(appendHearing(nil, at)); err != nil || again != at {
			t.Errorf("%d became %d, %v", at, again, err)
		}
	})
}

// FuzzSilence: what is read of the packets of a NAS is written as it was read, and is good for the
// arithmetic of silences.
func FuzzSilence(f *testing.F) {
	for _, r := range []silence.Record{silence.Begun(10), {Heard: 1<<32 - 1, Mark: 1, Gap: 300, Interval: 300, Alike: 4}} {
		f.Add(appendSilence(nil, &r))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := newDecoder(b)
		r := d.silence(moreSilence)
		if d.end("silence") != nil {
			return
		}
		again := newDecoder(appendSilence(nil, &r))
		if got := again.silence(moreSilence); again.end("silence") != nil || got != r {
			t.Errorf("%+v became %+v", r, got)
		}
		if heard := r.Hear(r.Heard, true); heard.Heard < r.Heard || heard.Mark > heard.Heard {
			t.Errorf("%+v: then %+v", r, heard)
		}
	})
}

// readState reads durable state from a file: a key and its value in each line.
func readState(t *testing.T, name string) map[string]string {
	t.Helper()
	octets, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	state := map[string]string{}
	for line := range strings.Lines(string(octets)) {
		var k, v []byte
		if _, err := fmt.Sscanf(line, "%x %x", &k, &v); err != nil {
			t.Fatal(err)
		}
		state[string(k)] = string(v)
	}
	return state
}

// TestLoadVersion1: state that version 1 of the codec wrote is read in full, and its sessions
// continue.
func TestLoadVersion1(t *testing.T) {
	tb := New(Config{Now: func() time.Time { return at(100) }}, discardJournal{})
	if err := tb.Load(eachKey(readState(t, "testdata/state-v1.txt"))); err != nil {
		t.Fatal(err)
	}
	v := tb.View()
	if v.Len() != 6 || v.Total != 120 || tb.last != 120 {
		t.Errorf("%d rows, total %d, last %d", v.Len(), v.Total, tb.last)
	}
	bob := v.Get(9)
	if bob.User() != "bob" || *bob.NAS != (NAS{Addr: netip.MustParseAddr("192.0.2.7"), IPv4: netip.MustParseAddr("10.1.1.7")}) {
		t.Errorf("%+v", bob)
	}
	if s := v.Get(104); s.State != Terminating || s.Usage.InputOctets != 1<<40 || s.Counted != InputOctets|SessionTime || s.NAS.Identifier != "nas-1" {
		t.Errorf("%+v", s)
	}
	if over := tb.remembered.get(105); over == nil || over.AcctSessionID() != "s1" {
		t.Errorf("ended: %+v", over)
	}
	stop := event(Stop, 100)
	stop.NAS, stop.AcctSessionID = NAS{Addr: netip.MustParseAddr("192.0.2.7"), IPv4: netip.MustParseAddr("10.1.1.7")}, "s9"
	apply(t, tb, stop)
	if tb.rows.get(9) != nil {
		t.Error("a stop does not end a session of version 1")
	}
}
