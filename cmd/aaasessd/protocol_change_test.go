package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/internal/tacacs/tacacstest"
)

// TestGroupChangesProtocol: a group keeps its name and its queue, and gets servers of the other
// protocol while records wait. They arrive there, in order, and nothing is lost on the way back.
func TestGroupChangesProtocol(t *testing.T) {
	for _, keys := range []string{"", ", retransmit: 1, backoff: {max-delay: 1s, retry: 3}"} {
		t.Run(keys, func(t *testing.T) {
			r, s := listen(t, "127.0.0.1:0"), listenTACACS(t)
			r.setSilent(true)
			s.Stop()
			list := "{default: {record: start-stop, methods: [group isp]}}"
			ofRADIUS := mixedConfig(t, list, map[string]*upstream{"isp": r}, nil)
			ofTACACS := mixedConfig(t, list, nil, map[string]*tacacstest.Server{"isp": s})
			if keys != "" {
				ofRADIUS = strings.Replace(ofRADIUS, ", retransmit: 0, hold-down: 0s}", ", hold-down: 0s"+keys+"}", 1)
				ofTACACS = strings.Replace(ofTACACS, ", hold-down: 0s}", ", hold-down: 0s"+keys+"}", 1)
			}
			l := launch(t, ofRADIUS, environment{})
			l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStart, "S2", "bob"), packet(acctStop, "S1", "alice"))
			l.reload(ofTACACS, "configuration loaded")
			l.mustAccount(packet(acctStart, "S3", "carol"))
			l.reload(ofRADIUS, "configuration loaded")
			l.mustAccount(packet(acctStop, "S3", "carol"))
			l.reload(ofTACACS, "configuration loaded")
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			var got []string
			eventually(t, "all arrive", func() bool { got = stored(s); return len(got) == 5 }, &got)
			for _, n := range []string{"1", "3"} {
				if slices.Index(got, "START "+n) > slices.Index(got, "STOP "+n) {
					t.Errorf("%q", got)
				}
			}
			var q api.Queue
			eventually(t, "the queue is empty", func() bool { q = l.queue("group/isp"); return q.Records == 0 }, &q)
			r.setSilent(false)
			l.reload(ofRADIUS, "configuration loaded")
			l.mustAccount(packet(acctStop, "S2", "bob"))
			eventuallyOrder(t, "group isp", r, storeRecord(acctStop, 2))
		})
	}
}

// TestCommandsOfGroupThatChangesProtocol: commands that wait for TACACS+ servers do not stop the queue
// of a group that now has RADIUS servers.
func TestCommandsOfGroupThatChangesProtocol(t *testing.T) {
	r, s := listen(t, "127.0.0.1:0"), listenTACACS(t)
	s.Stop()
	list := "{default: {record: start-stop, methods: [group isp]}}"
	ofRADIUS := mixedConfig(t, list, map[string]*upstream{"isp": r}, nil)
	ofTACACS := with(t, mixedConfig(t, list, nil, map[string]*tacacstest.Server{"isp": s}),
		"accounting:\n  network", "accounting:\n  commands: {15: {default: {record: stop-only, methods: [group isp]}}}\n  network")
	l := launch(t, ofTACACS, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	for i := range 20 {
		l.command(t, fmt.Sprintf("show version %d", i))
	}
	l.mustAccount(packet(acctStop, "S1", "alice"))
	l.reload(ofRADIUS, "configuration loaded")
	eventuallyOrder(t, "group isp", r, storeRecord(acctStart, 1), storeRecord(acctStop, 1))
	var q api.Queue
	eventually(t, "the commands are set aside", func() bool { q = l.queue("group/isp"); return q.SetAside == 20 }, &q)
	l.reload(ofTACACS, "configuration loaded")
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.client().Replay(t.Context(), api.RecordsRequest{All: true}); err != nil {
		t.Fatal(err)
	}
	var got []string
	eventually(t, "the commands arrive", func() bool { got = stored(s); return len(got) == 20 }, &got)
}

func (l *inProcess) command(t *testing.T, text string) string {
	t.Helper()
	a, err := l.client().Simulate(t.Context(), &api.SimulateRequest{Event: api.SimulateCommand, NAS: "172.16.25.15", User: "u", Line: "tty3", Level: 15, Command: text})
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// TestAccountingOnOfOtherProtocol: a group gets a server of the other protocol at the same address and
// port. It is another server, so the old one gets the Off, and the new one the On.
func TestAccountingOnOfOtherProtocol(t *testing.T) {
	s := listenTACACS(t)
	r := listen(t, s.Addr())
	list := "{default: {record: start-stop, methods: [group isp]}}"
	system := "  system: {default: {record: start-stop, methods: [group isp]}}\n  local: {file"
	l := launch(t, with(t, mixedConfig(t, list, map[string]*upstream{"isp": r}, nil), "  local: {file", system), environment{})
	eventually(t, "the On arrives", func() bool { return slices.Equal(r.order(), []string{"Accounting-On"}) })
	l.reload(with(t, mixedConfig(t, list, nil, map[string]*tacacstest.Server{"isp": s}), "  local: {file", system), "configuration loaded")
	var got []string
	eventually(t, "the system record arrives", func() bool { got = stored(s); return len(got) == 1 }, &got)
	eventually(t, "the Off arrives", func() bool { return slices.Equal(r.order(), []string{"Accounting-On", "Accounting-Off"}) })
}
