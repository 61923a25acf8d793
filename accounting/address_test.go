package accounting

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"
)

func TestHasAddress(t *testing.T) {
	for _, tt := range []struct {
		name, attrs string
		want        bool
	}{
		{"nothing", "", false},
		{"Framed-IP-Address", "0806 0a000001", true},
		{"none yet", "0806 00000000", false},
		{"the user chooses", "0806 ffffffff", false},
		{"the NAS chooses", "0806 fffffffe", false},
		{"Framed-IPv6-Address", "a812 20010db8000000000000000000000001", true},
		{"Framed-IPv6-Prefix", "6108 0020 20010db8", true},
		{"Delegated-IPv6-Prefix", "7b08 0020 20010db8", true},
		{"Framed-Interface-Id alone", "600a 0000000000000001", false},
	} {
		if got := HasAddress(octets(t, tt.attrs)); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

func TestWithAddress(t *testing.T) {
	const later = "2806 00000003 0806 0a000001 0606 00000002 600a 0000000000000001 6108 0020 20010db8 2e06 00000009"
	const addresses = "0806 0a000001 600a 0000000000000001 6108 0020 20010db8"
	for _, tt := range []struct {
		name, start, later, want string // "": no address is borrowed
	}{
		{"behind Framed-Protocol", "0103 61 0606 00000002 0706 00000001 2806 00000001", later, "0103 61 0606 00000002 0706 00000001" + addresses + "2806 00000001"},
		{"behind Service-Type", "0606 00000002 2806 00000001", later, "0606 00000002" + addresses + "2806 00000001"},
		{"at the end", "0103 61 2806 00000001", later, "0103 61 2806 00000001" + addresses},
		{"in place of none", "0806 fffffffe 0606 00000002 600a 0000000000000002", later, "0606 00000002 0806 0a000001 6108 0020 20010db8 600a 0000000000000002"},
		{"the later record has none", "0103 61", "0806 fffffffe 600a 0000000000000001", ""},
	} {
		start := octets(t, tt.start)
		got, ok := WithAddress(start, octets(t, tt.later))
		want := octets(t, tt.want)
		if tt.want == "" {
			want = start
		}
		if got != want || ok != (tt.want != "") {
			t.Errorf("%s: %x %t, want %x", tt.name, got, ok, want)
		}
	}
	full := radius.Attributes(strings.Repeat("\x12\x6e"+strings.Repeat("x", 108), MaxAttributes/110))
	if got, ok := WithAddress(full, octets(t, later)); got != full || ok {
		t.Error("a full start got an address")
	}
}

// TestDelayStart: the start of a network session that has no address waits for it, and the second
// start that brings it is recorded even without newinfo.
func TestDelayStart(t *testing.T) {
	const hold = 5 * time.Second
	const address = "\x08\x06\x0a\x00\x00\x01"
	delaying := routes{}
	for _, k := range []sessions.Kind{sessions.Network, sessions.Exec} {
		delaying[k] = &Route{List: k.String() + "/default", Record: StartStop, DelayStart: hold, Methods: []MethodName{Local}}
	}
	of := func(kind sessions.Kind, typ sessions.EventType, change func(*sessions.Notice)) sessions.Notice {
		n := notice(1, kind, typ)
		change(&n)
		return n
	}
	second := func(n *sessions.Notice) {
		n.SecondStart = true
	}
	for _, tt := range []struct {
		name   string
		notice sessions.Notice
		want   []time.Duration // Hold of the records
	}{
		{"a start without an address", of(sessions.Network, sessions.Start, func(*sessions.Notice) {}), []time.Duration{hold}},
		{"a start with one", of(sessions.Network, sessions.Start, func(n *sessions.Notice) { n.Attrs += address }), []time.Duration{0}},
		{"the session has one", of(sessions.Network, sessions.Start, func(n *sessions.Notice) { n.Session.Attrs += address }), []time.Duration{0}},
		{"a start after the end", of(sessions.Network, sessions.Start, func(n *sessions.Notice) { n.AfterEnd = true }), []time.Duration{0}},
		{"the start of a resync", of(sessions.Network, sessions.Start, func(n *sessions.Notice) { n.Only = string(Local) }), []time.Duration{5 * time.Second}},
		{"an exec start", of(sessions.Exec, sessions.Start, func(*sessions.Notice) {}), []time.Duration{0}},
		{"an interim", of(sessions.Network, sessions.Interim, func(*sessions.Notice) {}), []time.Duration{0}},
		{"a second start without an address", of(sessions.Network, sessions.Interim, second), nil},
		{"a second start with one", of(sessions.Network, sessions.Interim, func(n *sessions.Notice) { second(n); n.Attrs += address }), []time.Duration{0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openStore(t, store.NewDisk())
			r := newRouter(t, s, delaying)
			r.SetNewInfo(false)
			n := tt.notice
			n.Session.Route = sessions.NewRoute(r.Route(n.Session))
			committed(t, r, sessions.Change{Notices: []sessions.Notice{n}})
			var got []time.Duration
			for _, rec := range records(t, s, "local") {
				got = append(got, rec.Hold)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("holds %v, want %v", fmt.Sprint(got), tt.want)
			}
		})
	}
}
