package main

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"aaasess/cmd/internal/api"
)

// eventuallyRecordsInAnyOrder waits until a file has these records: those of different sessions have no order.
func (l *inProcess) eventuallyRecordsInAnyOrder(name string, want ...string) {
	l.t.Helper()
	var got []string
	want = slices.Sorted(slices.Values(want))
	eventually(l.t, fmt.Sprintf("%s has %q", name, want), func() bool {
		got = slices.Sorted(slices.Values(l.records(name)))
		return slices.Equal(got, want)
	}, &got)
}

// TestRebootSign: with each value of reboot-sign, a start ends the session of its client that has the same
// value, and no other one: neither one of a client without it nor one with other values.
func TestRebootSign(t *testing.T) {
	addr := func(last byte) func(*layeh.Packet) error {
		return func(p *layeh.Packet) error { return rfc2865.FramedIPAddress_Set(p, net.IPv4(10, 0, 0, last)) }
	}
	station := func(id string) func(*layeh.Packet) error {
		return func(p *layeh.Packet) error { return rfc2865.CallingStationID_SetString(p, id) }
	}
	for _, tt := range []struct {
		sign         string
		value, other func(*layeh.Packet) error
		want         api.SupersededStatus
	}{
		{"nas-port", onPort(1), onPort(2), api.SupersededStatus{NASPort: 1}},
		{"framed-ip-address", addr(1), addr(2), api.SupersededStatus{FramedIPAddress: 1}},
		{"calling-station-id", station("a"), station("b"), api.SupersededStatus{CallingStationID: 1}},
	} {
		t.Run(tt.sign, func(t *testing.T) {
			signed := fmt.Sprintf("  clients:\n    - {name: signed, address: 127.0.0.9, secret: \"nas secret\", reboot-sign: [%s]}\n", tt.sign)
			l := launch(t, with(t, plainConfig, "  clients:\n", signed), environment{})
			l.accountFrom("127.0.0.1", packet(acctStart, "A", "alice", tt.value), packet(acctStart, "B", "alice", tt.value))
			l.accountFrom("127.0.0.9", packet(acctStart, "C", "alice", tt.value), packet(acctStart, "D", "alice", tt.other), packet(acctStart, "E", "bob", tt.value))
			l.eventuallyRecordsInAnyOrder("records.jsonl", "Start 00000001", "Start 00000002", "Start 00000003", "Start 00000004", "Stop 00000003", "Start 00000005")
			if got := l.d.superseded.status(); got != tt.want {
				t.Errorf("counted %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestOnePerStation: a start ends the session of its station and the one on its port, as configured
// and after reloads and a restart.
func TestOnePerStation(t *testing.T) {
	station := func(id string) func(*layeh.Packet) error {
		return func(p *layeh.Packet) error { return rfc2865.CallingStationID_SetString(p, id) }
	}
	onLine := func(p *layeh.Packet) error { return rfc2865.NASPort_Set(p, 1) }
	ports := with(t, plainConfig, "secret: ", "reboot-sign: [nas-port], secret: ")
	one := with(t, ports, "sessions: {", "sessions: {one-per-station: true, ")
	l := launch(t, plainConfig, environment{})
	l.mustAccount(packet(acctStart, "A", "alice", station("s1"), onLine), packet(acctStart, "B", "alice", station("s1"), onLine))
	want := []string{"Start 00000001", "Start 00000002"}
	l.eventuallyRecordsInAnyOrder("records.jsonl", want...)

	l.reload(ports, "configuration loaded")
	l.mustAccount(packet(acctStart, "C", "alice", station("s1"), onLine), packet(acctStart, "D", "alice", station("s1")))
	want = append(want, "Stop 00000001", "Stop 00000002", "Start 00000003", "Start 00000004")
	l.eventuallyRecordsInAnyOrder("records.jsonl", want...)
	if got, want := l.d.superseded.status(), (api.SupersededStatus{NASPort: 2}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	line := regexp.MustCompile(`session is superseded by the start of another one, making the stop record" session=0000000[12] user=alice nas=\S+ client=loopback attribute=NAS-Port new_session=00000003 suppressed=0`)
	if n := strings.Count(l.log.String(), "superseded"); n != 1 || !line.MatchString(l.log.String()) { // one a minute
		t.Errorf("%d lines: %s", n, l.log)
	}

	l.restart(one)
	l.mustAccount(packet(acctStart, "E", "alice", station("s1")))
	want = append(want, "Stop 00000003", "Stop 00000004", "Start 00000005")
	l.eventuallyRecordsInAnyOrder("records.jsonl", want...)
	if got, want := l.d.superseded.status(), (api.SupersededStatus{CallingStationID: 2}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}

	l.reload(plainConfig, "configuration loaded")
	l.mustAccount(packet(acctStart, "F", "alice", station("s1")))
	l.eventuallyRecordsInAnyOrder("records.jsonl", append(want, "Start 00000006")...)
}
