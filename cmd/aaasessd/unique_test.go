package main

import (
	"regexp"
	"strings"
	"testing"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"

	"aaasess/cmd/internal/api"
)

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
	l.eventuallyRecords("records.jsonl", want...)

	l.reload(ports, "configuration loaded")
	l.mustAccount(packet(acctStart, "C", "alice", station("s1"), onLine), packet(acctStart, "D", "alice", station("s1")))
	want = append(want, "Stop 00000001", "Stop 00000002", "Start 00000003", "Start 00000004")
	l.eventuallyRecords("records.jsonl", want...)
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
	l.eventuallyRecords("records.jsonl", want...)
	if got, want := l.d.superseded.status(), (api.SupersededStatus{CallingStationID: 2}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}

	l.reload(plainConfig, "configuration loaded")
	l.mustAccount(packet(acctStart, "F", "alice", station("s1")))
	l.eventuallyRecords("records.jsonl", append(want, "Start 00000006")...)
}
