//go:build partners

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
)

// listedSession is a network session and the groups that receive its records.
type listedSession struct {
	port   uint32 // NAS-Port; 0: none
	called string // Called-Station-Id; "": none
	want   string // types of records by group; "": it is not accounted
}

// allRecords is what groups receive that get all records of a session.
func allRecords(groups ...string) string {
	return strings.Join(groups, ": Start Interim-Update Stop, ") + ": Start Interim-Update Stop"
}

// packets returns its start, an interim and its stop.
func (s listedSession) packets(name string) []*layeh.Packet {
	attrs := func(p *layeh.Packet) error {
		if s.called != "" {
			if err := rfc2865.CalledStationID_SetString(p, s.called); err != nil {
				return err
			}
		}
		if s.port == 0 {
			return nil
		}
		return rfc2865.NASPort_Set(p, rfc2865.NASPort(s.port))
	}
	return []*layeh.Packet{packet(acctStart, name, name, attrs), packet(acctInterim, name, name, attrs), packet(acctStop, name, name, attrs)}
}

// TestListsAtServers: where the records of network sessions arrive, by their number and their line.
func TestListsAtServers(t *testing.T) {
	r := startReceivers(t, map[string]int{"A": 1, "B": 1, "C": 1})
	for _, tt := range []struct {
		name, accounting string
		sessions         []listedSession
	}{
		{
			"a DNIS map with a list beside it", `  network:
    default: {record: start-stop, methods: [group C]}
  dnis-map:
    enable: true
    numbers:
      7777: {record: start-stop, broadcast: true, methods: [group A, group B]}
      8888: {record: none}
`,
			[]listedSession{
				{called: "7777", want: allRecords("A", "B")},
				{called: "7778", want: allRecords("C")},
				{want: allRecords("C")},
				{called: "77777", want: allRecords("C")},
				{called: "7777", port: 3, want: allRecords("A", "B")},
				{called: "8888"},
			},
		},
		{
			"a named list on the lines 1 to 16, and none on line 17", `  network:
    default: {record: start-stop, methods: [group A]}
    red1: {record: start-stop, methods: [group B]}
    quiet: {record: none}
  apply:
    - {nas-port: [1-16], network: red1}
    - {nas-port: [17], network: quiet}
`,
			[]listedSession{
				{port: 1, want: allRecords("B")},
				{port: 16, want: allRecords("B")},
				{port: 17},
				{port: 18, want: allRecords("A")},
				{want: allRecords("A")},
				{port: 5, called: "7777", want: allRecords("B")},
			},
		},
		{
			"the DNIS map before a named list, with stops only", `  network:
    red1: {record: start-stop, methods: [group A]}
  apply:
    - {nas-port: [1-16], network: red1}
  dnis-map:
    enable: true
    numbers:
      7777: {record: stop-only, methods: [group B]}
`,
			[]listedSession{
				{port: 1, called: "7777", want: "B: Stop"},
				{port: 1, called: "7778", want: allRecords("A")},
				{port: 17, called: "7777", want: "B: Stop"},
				{port: 17},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := launch(t, r.config(t, tt.accounting), environment{})
			names := make([]string, len(tt.sessions))
			for i, s := range tt.sessions {
				names[i] = fmt.Sprintf("%s, session %d", tt.name, i)
				l.mustAccount(s.packets(names[i])...)
			}
			awaitDelivered(t, l.client())
			for i, s := range tt.sessions {
				if got := r.recordsOf(names[i]); got != s.want {
					t.Errorf("%+v: got %q", s, got)
				}
			}
			if err := l.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// recordsOf returns the types of the records of a user that each group has received, in order and
// each once, as in listedSession.
func (r receivers) recordsOf(user string) string {
	var out []string
	for _, group := range slices.Sorted(maps.Keys(r)) {
		var types []string
		for _, a := range merged(r[group]) {
			if a.Record.Get("User-Name") == user {
				types = append(types, a.Record.Get("Acct-Status-Type"))
			}
		}
		if types = slices.Compact(types); len(types) > 0 {
			out = append(out, group+": "+strings.Join(types, " "))
		}
	}
	return strings.Join(out, ", ")
}
