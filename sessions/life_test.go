package sessions_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

const (
	start   = sessions.Start
	stop    = sessions.Stop
	interim = sessions.Interim
	on      = sessions.On
	off     = sessions.Off
	other   = sessions.Other

	sec = time.Second
	mb  = 1_000_000
)

// TestAnsweredIsCopyOrRecorded: each answered packet is a copy or is in a record (R24).
func TestAnsweredIsCopyOrRecorded(t *testing.T) {
	disconnect := func(w *world) { w.disconnect(1) }
	ack := func(w *world) { w.ack(1) }
	ourStop := func(w *world) { w.endAsAdmin(1) }
	runScenarios(t, []scenario{
		{"a NAS reuses an id after a crash", script{
			report{typ: start, stamp: -9000},
			5 * sec,
			report{typ: interim, stamp: -4000, time: 5000, octets: 900 * mb},
			5 * sec,
			report{typ: start, stamp: 0},
			60 * sec,
			report{typ: interim, stamp: 60, time: 60, octets: 1000},
			60 * sec,
			report{typ: stop, stamp: 120, time: 120, octets: 2000},
		}, []string{"Start 1", "Interim-Update 1 900000000", "Stop 1 ours 900000000 cause 2", "Start 2", "Interim-Update 2 1000", "Stop 2 2000"}, nil},
		{"the same immediately, without Acct-Delay-Time", script{
			report{typ: start, stamp: -9000},
			report{typ: interim, time: 5000, octets: 900 * mb},
			report{typ: start, stamp: 0},
			report{typ: interim, time: 60},
			report{typ: stop, time: 120, octets: 2000},
		}, []string{"Start 1", "Interim-Update 1 900000000", "Stop 1 ours 900000000 cause 2", "Start 2", "Interim-Update 2", "Stop 2 2000"}, nil},
		{"a copy of the start of an id that was used before", script{
			report{typ: start, stamp: 0, delay: 0},
			30 * sec,
			report{typ: start, stamp: 30, delay: 0},
			30 * sec,
			report{typ: stop, stamp: 60, time: 30, octets: 1, delay: 0},
			report{typ: start, stamp: 30, delay: 30}, // less its delay it has the stamp of the first one
		}, []string{"Start 1", "Stop 1 cause 2", "Start 2", "Stop 2 1"}, nil},
		{"two users with one id at the same time", script{
			report{typ: start, user: "alice", station: "A"},
			report{typ: start, user: "bob", station: "B"},
			report{typ: interim, user: "alice", station: "A", time: 60, octets: 100},
			report{typ: interim, user: "bob", station: "B", time: 60, octets: 200},
			report{typ: stop, user: "alice", station: "A", time: 90, octets: 101},
			report{typ: interim, user: "bob", station: "B", time: 120, octets: 201},
		}, []string{"Start 1", "Start 2", "Interim-Update 1 100", "Interim-Update 2 200", "Stop 1 101", "Interim-Update 2 201"}, []sessions.ID{2}},
		{"session time falls, octets grow", script{
			report{typ: start},
			report{typ: interim, time: 188, octets: 1},
			report{typ: interim, time: 120, octets: 2},
			report{typ: interim, time: 150, octets: 3},
			report{typ: interim, time: 189, octets: 4},
		}, []string{"Start 1", "Interim-Update 1 1", "Interim-Update 1 2", "Interim-Update 1 3", "Interim-Update 1 4"}, []sessions.ID{1}},
		{"one interim with a wrong session time", script{
			report{typ: start},
			report{typ: interim, time: 60, octets: 1},
			report{typ: interim, time: 23311, octets: 2},
			report{typ: interim, time: 180, octets: 3},
			report{typ: interim, time: 240, octets: 3},
		}, []string{"Start 1", "Interim-Update 1 1", "Interim-Update 1 2", "Interim-Update 1 3", "Interim-Update 1 3"}, []sessions.ID{1}},
		{"no session time, and the NAS's clock steps back", script{
			report{typ: start, stamp: 0},
			60 * sec,
			report{typ: interim, stamp: 60, octets: 1},
			60 * sec,
			report{typ: interim, stamp: -8880, octets: 2},
			60 * sec,
			report{typ: interim, stamp: -8820, octets: 3},
		}, []string{"Start 1", "Interim-Update 1 1", "Interim-Update 1 2", "Interim-Update 1 3"}, []sessions.ID{1}},
		{"a stop with a wrong delay", script{
			report{typ: start}, 60 * sec, report{typ: stop, delay: 15000, time: 2},
		}, []string{"Start 1", "Stop 1"}, nil},
		{"the NAS's stop after our own, without an answer", script{
			report{typ: start, stamp: -3600, octets: 0},
			disconnect, ourStop, 20 * sec,
			report{typ: stop, stamp: 0, time: 3600, octets: 99999999, cause: 1},
		}, []string{"Start 1 0", "Stop 1 ours 0 cause 6", "Stop 1 99999999 cause 6"}, nil},
		{"the NAS's stop after an ACK and our own", script{
			report{typ: start},
			report{typ: interim, time: 9, octets: 10},
			disconnect, ack, 2 * sec, ourStop, 10 * sec,
			report{typ: stop, time: 10, octets: 7 * mb, delay: 11},
		}, []string{"Start 1", "Interim-Update 1 10", "Stop 1 ours 10 cause 6", "Stop 1 7000000 cause 6"}, nil},
		{"records without rows", script{
			report{typ: other, status: 9, sid: "T"},
			report{typ: start},
			report{typ: other, status: 15},
			report{typ: other, status: 4000000000},
			report{typ: other, status: 4000000000, sid: "b"},
		}, []string{"Other 0", "Start 1", "Other 1", "Other 1", "Other 0"}, []sessions.ID{1}},
		{"an address that comes later, 0.0.0.0 before", script{
			report{typ: start, addr: "0.0.0.0"}, report{typ: start, addr: "10.0.0.1"},
		}, []string{"Start 1", "Interim-Update 1"}, []sessions.ID{1}},
		{"an address that comes later, 255.255.255.254 before, with an Event-Timestamp", script{
			report{typ: start, addr: "255.255.255.254", stamp: 0}, 3 * sec, report{typ: start, addr: "10.0.0.1", stamp: 0},
		}, []string{"Start 1", "Interim-Update 1"}, []sessions.ID{1}},
		{"an address that comes later, 169.254 before, each with its Event-Timestamp", script{
			report{typ: start, addr: "169.254.7.7", stamp: 0, delay: 0}, 3 * sec, report{typ: start, addr: "10.0.0.1", stamp: 3, delay: 0},
		}, []string{"Start 1", "Interim-Update 1"}, []sessions.ID{1}},
		{"an address that comes later, none before", script{
			report{typ: start}, 3 * sec, report{typ: start, addr: "10.0.0.1"},
		}, []string{"Start 1", "Interim-Update 1"}, []sessions.ID{1}},
		{"an interim after the stop", script{
			report{typ: stop, time: 100, octets: 100}, report{typ: interim, time: 200, octets: 200}, report{typ: stop, time: 210, octets: 210},
		}, []string{"Stop 1 100", "Interim-Update 1 200", "Stop 1 210"}, nil},
		{"a stop with a delay, and no other copy known", script{
			report{typ: start}, 1200 * time.Millisecond, report{typ: stop, delay: 10, time: 1},
		}, []string{"Start 1", "Stop 1"}, nil},
		{"the daemon was stopped: the start waited in the socket", script{
			8 * sec, report{typ: start, stamp: 0, delay: 0}, report{typ: stop, stamp: 1, time: 1, delay: 6},
		}, []string{"Start 1", "Stop 1"}, nil},
		{"a stop soon after, the host's clock an hour back", script{
			report{typ: start}, 60 * sec, func(w *world) { w.step(-time.Hour) }, 60 * sec, report{typ: stop, time: 120},
		}, []string{"Start 1", "Stop 1"}, nil},
		{"an Accounting-On after the host's clock went a day back", script{
			report{typ: start}, 60 * sec, func(w *world) { w.step(-24 * time.Hour) }, 60 * sec, report{typ: on}, report{typ: start, sid: "b"},
		}, []string{"Start 1", "Stop 1 cause 11", "Start 2"}, []sessions.ID{2}},
		{"one hostapd with two BSSs", script{
			report{typ: start, called: "02-00-00-00-AA-00:one"},
			report{typ: interim, called: "02-00-00-00-AA-00:one", time: 60, octets: 5},
			report{typ: off, called: "02-00-00-00-BB-00:two"},
			report{typ: stop, called: "02-00-00-00-AA-00:one", time: 90, octets: 9 * mb},
		}, []string{"Start 1", "Interim-Update 1 5", "Stop 1 9000000"}, nil},
		{"a late stop of the former session", script{
			report{typ: start, stamp: 0},
			300 * sec,
			report{typ: start, stamp: 300},
			5 * sec,
			report{typ: stop, stamp: 290, time: 290, octets: 77},
		}, []string{"Start 1", "Stop 1 cause 2", "Start 2", "Stop 1 77"}, []sessions.ID{2}},
		{"the second start was lost", script{
			report{typ: interim, stamp: 0, time: 5000, octets: 900 * mb},
			100 * sec,
			report{typ: interim, stamp: 100, time: 60, octets: 5000},
			60 * sec,
			report{typ: stop, stamp: 160, time: 120, octets: 2000},
		}, []string{"Interim-Update 1 900000000", "Stop 1 ours 900000000 cause 2", "Interim-Update 2 5000", "Stop 2 2000"}, nil},
		{"an access point without a clock", script{
			report{typ: start, stamp: 0}, report{typ: start, stamp: 30 - stamp0},
		}, []string{"Start 1", "Stop 1 cause 2", "Start 2"}, []sessions.ID{2}},
		{"strongSwan changes Calling-Station-Id", script{
			report{typ: start, station: "192.0.2.9[4500]"}, report{typ: interim, station: "198.51.100.9[4500]", time: 60}, report{typ: stop, station: "198.51.100.9[4500]", time: 70},
		}, []string{"Start 1", "Interim-Update 1", "Stop 1"}, nil},
		{"no Event-Timestamp, no time: a copy, and a new session", script{
			report{typ: start}, 3 * sec, report{typ: start, delay: 3}, 100 * sec, report{typ: interim, octets: 1}, 497 * sec, report{typ: start},
		}, []string{"Start 1", "Interim-Update 1 1", "Stop 1 ours 1 cause 2", "Start 2"}, []sessions.ID{2}},
		{"interims continue after we ended the session", script{
			report{typ: start}, report{typ: interim, time: 60, octets: 10}, disconnect, ourStop, report{typ: interim, time: 120, octets: 20}, report{typ: stop, time: 130, octets: 30, cause: 1},
		}, []string{"Start 1", "Interim-Update 1 10", "Stop 1 ours 10 cause 6", "Interim-Update 1 20", "Stop 1 30"}, nil},
		{"a user who leaves before the NAS answers us", script{
			report{typ: start}, disconnect, report{typ: stop, cause: 1, time: 5},
		}, []string{"Start 1", "Stop 1"}, nil},
		{"a stop after an ACK", script{
			report{typ: start}, disconnect, ack, report{typ: stop, cause: 1, time: 5},
		}, []string{"Start 1", "Stop 1 cause 6"}, nil},
		{"a stop after the NAS's Accounting-Off", script{
			report{typ: start, stamp: 0}, 60 * sec, report{typ: off}, 2 * sec, report{typ: stop, stamp: 60, time: 60, octets: 5},
		}, []string{"Start 1", "Stop 1 cause 11", "Stop 1 5"}, nil},
		{"an older interim after the stop", script{
			report{typ: start, stamp: 0}, 100 * sec, report{typ: stop, stamp: 100, time: 100, octets: 50}, report{typ: interim, stamp: 60, time: 60, octets: 40},
		}, []string{"Start 1", "Stop 1 50", "Interim-Update 1 40"}, nil},
		{"a start after its stop", script{
			report{typ: stop, stamp: 100, time: 100, octets: 50}, report{typ: start, stamp: 0, delay: 101}, report{typ: start, stamp: 0, delay: 104},
		}, []string{"Stop 1 50", "Start 1"}, nil},
		{"a new session right after the stop", script{
			report{typ: start}, 5 * sec, report{typ: stop}, sec, report{typ: start}, 5 * sec, report{typ: stop},
		}, []string{"Start 1", "Stop 1", "Start 2", "Stop 2"}, nil},
		{"a NAS without a clock sends the same Event-Timestamp after each restart", script{
			report{typ: start, stamp: 0}, 60 * sec, report{typ: on}, 5 * sec, report{typ: start, stamp: 0}, 3 * sec, report{typ: start, stamp: 0, delay: 3},
		}, []string{"Start 1", "Stop 1 cause 11", "Start 2"}, []sessions.ID{2}},
		{"a late copy of the start of a closed session", script{
			report{typ: start, stamp: 0, delay: 0}, 10 * sec, report{typ: on}, 5 * sec, report{typ: start, stamp: 0, delay: 15},
		}, []string{"Start 1", "Stop 1 cause 11"}, nil},
		{"forgotten after an hour", script{
			report{typ: start, stamp: 0}, report{typ: stop, stamp: 5, time: 5}, 2 * time.Hour, report{typ: start, sid: "b"}, report{typ: stop, stamp: 5, time: 5},
		}, []string{"Start 1", "Stop 1", "Start 2", "Stop 3"}, []sessions.ID{2}},
		{"starts with an Event-Timestamp of their transmission", script{
			report{typ: start, stamp: 0, delay: 0},
			3 * sec,
			report{typ: start, stamp: 3, delay: 3},
			6 * sec,
			report{typ: start, stamp: 10, delay: 9},
			sec,
			report{typ: start, sid: "b", stamp: 10},
			3 * sec,
			report{typ: start, sid: "b", stamp: 13},
		}, []string{"Start 1", "Interim-Update 1", "Interim-Update 1", "Start 2", "Interim-Update 2"}, []sessions.ID{1, 2}},
		{"a new session whose Event-Timestamp minus delay equals the old one's by chance", script{
			report{typ: start, stamp: 0, delay: 0},
			3 * sec,
			report{typ: interim, stamp: 3, time: 3, octets: 9},
			9 * sec,
			report{typ: start, stamp: 6, delay: 6},
			report{typ: stop, stamp: 12, time: 6, octets: 5},
		}, []string{"Start 1", "Interim-Update 1 9", "Stop 1 ours 9 cause 2", "Start 2", "Stop 2 5"}, nil},
		{"starts with an Event-Timestamp of their transmission, all at once", script{
			report{typ: start, stamp: 0, delay: 0}, report{typ: start, stamp: 3, delay: 3}, report{typ: start, stamp: 9, delay: 9},
		}, []string{"Start 1", "Interim-Update 1", "Interim-Update 1"}, []sessions.ID{1}},
		{"a copy of a stop without Event-Timestamps, when the next session has begun", script{
			report{typ: start},
			3 * sec,
			report{typ: stop, time: 3, octets: 500, delay: 0},
			100 * time.Millisecond,
			report{typ: start, delay: 0},
			1100 * time.Millisecond,
			report{typ: stop, time: 3, octets: 500, delay: 1},
		}, []string{"Start 1", "Stop 1 500", "Start 2"}, []sessions.ID{2}},
		{"the same after a stop", script{
			report{typ: start, stamp: 0, delay: 0},
			3 * sec,
			report{typ: stop, stamp: 3, time: 3, octets: 9},
			9 * sec,
			report{typ: start, stamp: 6, delay: 6},
		}, []string{"Start 1", "Stop 1 9", "Start 2"}, []sessions.ID{2}},
		{"an interim that was lost, and the NAS's clock went back", script{
			report{typ: start, stamp: 100, delay: 0},
			10 * sec, func(*world) {}, 10 * sec,
			report{typ: stop, stamp: 50, time: 20, octets: 9},
			sec,
			report{typ: interim, stamp: 110, time: 10, octets: 5, delay: 11},
		}, []string{"Start 1", "Stop 1 9", "Interim-Update 1 5"}, nil},
		{"a start that waited in the socket, then its NAS restarted", script{
			3 * sec, report{typ: start, stamp: 0, delay: 0}, report{typ: on, stamp: 2, delay: 1},
		}, []string{"Start 1", "Stop 1 cause 11"}, nil},
		{"starts that are new sessions", script{
			report{typ: start, stamp: 0, delay: 0},
			3 * sec,
			report{typ: start, stamp: 3, delay: 0},
			3 * sec,
			report{typ: start, stamp: 6, delay: 1},
			sec,
			report{typ: start, sid: "b", stamp: 10},
			40 * sec,
			report{typ: start, sid: "b", stamp: 50},
		}, []string{"Start 1", "Stop 1 cause 2", "Start 2", "Stop 2 cause 2", "Start 3", "Start 4", "Stop 4 cause 2", "Start 5"}, []sessions.ID{3, 5}},
		{"copies", script{
			report{typ: start, stamp: 0, delay: 0},
			3 * sec,
			report{typ: start, stamp: 0, delay: 3},
			57 * sec,
			report{typ: interim, stamp: 60, time: 60, octets: 5, delay: 0},
			3 * sec,
			report{typ: interim, stamp: 60, time: 60, octets: 5, delay: 3},
			6 * sec,
			report{typ: interim, stamp: 70, time: 70, octets: 5, delay: 0},
			report{typ: interim, stamp: 60, time: 60, octets: 5, delay: 9},
			60 * sec,
			report{typ: stop, stamp: 130, time: 130, octets: 6, delay: 0},
			30 * sec,
			report{typ: stop, stamp: 130, time: 130, octets: 6, delay: 30},
			report{typ: interim, stamp: 70, time: 70, octets: 5, delay: 90},
			report{typ: start, stamp: 0, delay: 160},
			300 * sec,
			report{typ: stop, stamp: 130, time: 130, octets: 6, delay: 330},
		}, []string{"Start 1", "Interim-Update 1 5", "Interim-Update 1 5", "Stop 1 6"}, nil},
		{"like a copy, but with a new value", script{
			report{typ: start, stamp: 0}, report{typ: interim, stamp: 60, time: 60}, report{typ: interim, stamp: 60, time: 60, addr: "10.0.0.1"}, report{typ: interim, stamp: 60, time: 60, addr: "10.0.0.1"},
		}, []string{"Start 1", "Interim-Update 1", "Interim-Update 1"}, []sessions.ID{1}},
		{"without a time of its own: no copy after a minute", script{
			report{typ: start}, 100 * sec, report{typ: interim, octets: 1}, 59 * sec, report{typ: interim, octets: 1}, 62 * sec, report{typ: interim, octets: 1},
		}, []string{"Start 1", "Interim-Update 1 1", "Interim-Update 1 1"}, []sessions.ID{1}},
	})
}

// TestSessionOfPacket: which session a packet belongs to (R25).
func TestSessionOfPacket(t *testing.T) {
	runScenarios(t, []scenario{
		{"a NAS that changes its source address", script{
			report{typ: start, from: "192.0.2.1", ip: "10.0.0.1"},
			report{typ: interim, from: "192.0.2.2", ip: "10.0.0.1", time: 60},
			report{typ: start, sid: "b", from: "192.0.2.2", ip: "10.0.0.1"},
			report{typ: stop, from: "192.0.2.3", ip: "10.0.0.1", time: 70},
			sec,
			report{typ: on, from: "192.0.2.9", ip: "10.0.0.1"},
		}, []string{"Start 1", "Interim-Update 1", "Start 2", "Stop 1", "Stop 2 cause 11"}, nil},
		{"an On with only the identifier", script{report{typ: start, ip: "10.0.0.1"}, sec, report{typ: on}}, []string{"Start 1", "Stop 1 cause 11"}, nil},
		{"an On with only the address", script{report{typ: start, ip: "10.0.0.1"}, sec, report{typ: on, id: "-", ip: "10.0.0.1"}}, []string{"Start 1", "Stop 1 cause 11"}, nil},
		{"two NASes behind a proxy with a default identifier", script{
			report{typ: start, id: "accel-ppp", ip: "10.0.0.1"},
			report{typ: start, id: "accel-ppp", ip: "10.0.0.2"},
			sec,
			report{typ: interim, id: "accel-ppp", ip: "10.0.0.2", time: 60},
			report{typ: on, id: "accel-ppp", ip: "10.0.0.1"},
		}, []string{"Start 1", "Start 2", "Interim-Update 2", "Stop 1 cause 11"}, []sessions.ID{2}},
		{"an On with a default identifier only: those of its source address", script{
			report{typ: start, id: "accel-ppp", ip: "10.0.0.1", from: "192.0.2.1"},
			report{typ: start, id: "accel-ppp", ip: "10.0.0.2", from: "192.0.2.2"},
			sec,
			report{typ: on, id: "accel-ppp", from: "192.0.2.2"},
		}, []string{"Start 1", "Start 2", "Stop 2 cause 11"}, []sessions.ID{1}},
		{"an identifier only in the stop", script{report{typ: start, id: "-", ip: "10.0.0.1"}, report{typ: stop, ip: "10.0.0.1", time: 5}}, []string{"Start 1", "Stop 1"}, nil},
		{"an identifier only in the stop, nothing before", script{report{typ: start, id: "-"}, report{typ: stop, time: 5}}, []string{"Start 1", "Stop 1"}, nil},
		{"renamed in the stop", script{report{typ: start, id: "old"}, report{typ: stop, id: "new", time: 5}}, []string{"Start 1", "Stop 1"}, nil},
		{"renamed, another station", script{report{typ: start, id: "old"}, report{typ: stop, id: "new", station: "else", time: 5}}, []string{"Start 1", "Stop 2"}, []sessions.ID{1}},
		{"one NAS has only an identifier, one only an address", script{
			report{typ: start, sid: "a", id: "one", from: "192.0.2.1"},
			report{typ: start, sid: "b", id: "-", ip: "10.0.0.2", from: "192.0.2.2"},
			sec,
			report{typ: on, id: "one", from: "192.0.2.1"},
			report{typ: start, sid: "c", id: "one", from: "192.0.2.1"},
			sec,
			report{typ: on, id: "-", ip: "10.0.0.2", from: "192.0.2.2"},
		}, []string{"Start 1", "Start 2", "Stop 1 cause 11", "Start 3", "Stop 2 cause 11"}, []sessions.ID{3}},
		{"another client entry", script{
			report{typ: start, from: "192.0.2.1"}, report{typ: stop, from: "198.51.100.1", time: 5}, report{typ: on, from: "198.51.100.1"},
		}, []string{"Start 1", "Stop 2"}, []sessions.ID{1}},
		{"a session that began after the On", script{
			report{typ: start, sid: "a"}, 5 * sec, report{typ: start, sid: "b"}, 5 * sec, report{typ: on, delay: 7},
		}, []string{"Start 1", "Start 2", "Stop 1 cause 11"}, []sessions.ID{2}},
		{"a NAS gets an identifier, then sends only that", script{
			report{typ: start, id: "-", ip: "10.0.0.1"}, report{typ: interim, id: "nas-1", ip: "10.0.0.1", time: 1}, report{typ: stop, id: "nas-1", from: "192.0.2.5", time: 2},
		}, []string{"Start 1", "Interim-Update 1", "Stop 1"}, nil},
	})
}

// TestIdenticalSessionAfterReboot: a NAS without a clock reboots after a stop, and has an identical
// session again.
func TestIdenticalSessionAfterReboot(t *testing.T) {
	w := newWorld(t)
	w.play(script{
		report{typ: start, stamp: 20},
		70 * sec,
		report{typ: stop, stamp: 90, time: 70, octets: 100},
		5 * sec,
		report{typ: on},
		5 * sec,
		report{typ: start, stamp: 20},
		70 * sec,
		report{typ: stop, stamp: 90, time: 70, octets: 100},
	})
	if diff := cmp.Diff([]string{"Start 1", "Stop 1 100", "Start 2", "Stop 2 100"}, w.accounted()); diff != "" {
		t.Error(diff)
	}
}

// TestRevived: a session that returns keeps its number and is counted once (R24). It can be ended
// again.
func TestRevived(t *testing.T) {
	w := newWorld(t)
	w.play(script{
		report{typ: start, class: "gold"},
		func(w *world) { w.disconnect(1); w.endAsAdmin(1) },
		report{typ: interim, time: 60, octets: 5},
	})
	v := w.View()
	if s := v.Get(1); s == nil || s.State != sessions.Active || s.Acked() != 0 || s.Attrs.Text(radius.Class) != "gold" || s.User() != "alice" {
		t.Fatalf("session 1 is %+v", s)
	}
	if want := (sessions.Counters{HighWater: 1, Total: 1, Disconnected: 1}); v.Counters != want {
		t.Errorf("%+v, want %+v", v.Counters, want)
	}
	w.disconnect(1)
	w.restart()
	if s := w.View().Get(1); s.State != sessions.Terminating || w.View().Disconnected != 2 {
		t.Errorf("state %s, %d disconnected", s.State, w.View().Disconnected)
	}
	if err := w.Invariants(); err != nil {
		t.Error(err)
	}
}

// TestHugeDelay: Acct-Delay-Time may have any value. casnIdleTime is limited to its largest value.
func TestHugeDelay(t *testing.T) {
	w := newWorld(t)
	w.sleep(2 * sec)
	w.send(report{typ: start, delay: 1<<32 - 1})
	if idle := w.View().Get(1).IdleTime(w.Clock().Add(sec)); idle != 1<<32-1 {
		t.Errorf("idle for %d s", idle)
	}
	w.restart()
	w.send(report{typ: stop, delay: 5})
	if rows := w.rows(); len(rows) != 0 {
		t.Errorf("rows %v", rows)
	}
}

// TestClockSteps: a step of the host's clock changes neither casnIdleTime, nor the start, nor the
// session time of our stop.
func TestClockSteps(t *testing.T) {
	w := newWorld(t)
	w.send(report{typ: start})
	w.sleep(10 * sec)
	w.step(-time.Hour)
	w.sleep(5 * sec)
	w.restart()
	s := w.View().Get(1)
	if idle := s.IdleTime(w.Clock()); idle != 15 {
		t.Errorf("idle for %d s", idle)
	}
	if ago := w.wall.Sub(w.Date(s.Started)); ago != 15*sec {
		t.Errorf("it began %v ago", ago)
	}
	w.disconnect(1)
	w.endAsAdmin(1)
	notices := w.journal.Notices()
	if n := notices[len(notices)-1]; n.Lasted != 15*sec || !n.At.Equal(w.wall) {
		t.Errorf("it lasted %v, until %v", n.Lasted, n.At)
	}
}

// TestEndedSize: an ended session needs at most 250 octets, whatever the NAS sends, and is still
// recognised.
func TestEndedSize(t *testing.T) {
	long := func(s string) string { return strings.Repeat(s, 253/len(s)) }
	for _, r := range []report{
		{class: long("class")},
		{user: long("user")},
		{sid: long("session")},
		{station: long("station")},
		{id: long("identifier")},
		{sid: long("session"), user: long("user"), station: long("station"), id: long("nas"), class: long("c"), ip: "10.0.0.1", ip6: "2001:db8::1"},
	} {
		w := newWorld(t)
		begin, end := r, r
		begin.typ, begin.stamp = start, 0
		end.typ, end.stamp, end.time, end.octets = stop, 1<<20, 1<<20, 1<<50
		other := end
		other.octets = 1<<50 + 1
		w.play(script{begin, end, func(w *world) { w.restart() }, end, other})
		if diff := cmp.Diff([]string{"Start 1", "Stop 1 1125899906842624", "Stop 1 1125899906842625"}, w.accounted()); diff != "" {
			t.Error(diff)
		}
		if err := w.Invariants(); err != nil {
			t.Error(err)
		}
	}
}
