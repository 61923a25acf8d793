package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"

	"aaasess/cmd/aaasessd/internal/acctcontrol"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/sessions/radius/radiustest"
)

// TestReload: a reload changes everything that it can change. A failed reload changes nothing.
func TestReload(t *testing.T) {
	before := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.Silence)
	after := radiustest.Listen(t, "127.0.0.1:0", "new secret", radiustest.ACK)
	base := with(t, plainConfig, "3799", portOf(before.AddrPort()))
	l := launch(t, base, environment{})
	exec := func(p *layeh.Packet) error {
		return rfc2865.ServiceType_Set(p, rfc2865.ServiceType_Value_NASPromptUser)
	}
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.eventuallyRecords("records.jsonl", "Start 00000001")

	changed := with(t, base,
		"level: info", "level: debug",
		"session-mib-disconnect: true", "session-mib-disconnect: false",
		nasSecret, "new secret",
		portOf(before.AddrPort()), portOf(after.AddrPort()),
		"record: start-stop", "record: stop-only",
		"  local: {file: records.jsonl}", "  exec: {default: {record: start-stop, methods: [local]}}\n  local: {file: others.jsonl}")
	for _, tt := range []struct{ name, text, want string }{
		{"a key that needs a restart", with(t, changed, "min-free: 1MiB", "min-free: 2MiB"), "a restart is needed to change store.min-free"},
		{"a fault", with(t, changed, "state: state", "state: state\nstat: x"), "aaasess.yaml:2:1"},
		{"a file that cannot be opened", with(t, changed, "others.jsonl", "aaasess.yaml/others.jsonl"), "aaasess.yaml/others.jsonl"},
	} {
		l.reload(tt.text, tt.want)
		if err := l.account(packet(acctStart, "S1", "alice"), limit); err != nil {
			t.Errorf("%s: the old secret does not count: %v", tt.name, err)
		}
		if l.d.log.Enabled(t.Context(), slog.LevelDebug) || !l.d.mayDisconnect.Load() {
			t.Errorf("%s: changed something", tt.name)
		}
	}

	l.reload(changed, "configuration loaded")
	if err := l.account(packet(acctStart, "S9", "old"), 300*time.Millisecond); err == nil {
		t.Error("the old secret still counts")
	}
	send := func(p *layeh.Packet) {
		t.Helper()
		p.Secret = []byte("new secret")
		l.mustAccount(p)
	}
	send(packet(acctStart, "S2", "bob", exec)) // a new list
	send(packet(acctStart, "S3", "carol"))     // no longer accounted, until its stop
	send(packet(acctStop, "S3", "carol"))
	want := []string{"Start 00000002", "Stop 00000003"}
	eventually(t, "the records are in the new file", func() bool {
		got := l.records("others.jsonl")
		slices.Sort(got)
		return slices.Equal(got, want)
	})
	if diff := cmp.Diff([]string{"Start 00000001"}, l.records("records.jsonl")); diff != "" {
		t.Error("the old file:", diff)
	}
	l.disconnect("alice")
	if after.Next(); before.Waiting() > 0 {
		t.Error("the NAS was asked where it was before")
	}
	if !l.d.log.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("the level is not debug")
	}
	if l.d.mayDisconnect.Load() {
		t.Error("an SNMP SET may still end sessions")
	}
}

// TestReopen: after the file was renamed, records go to a new file.
func TestReopen(t *testing.T) {
	l := launch(t, plainConfig, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.eventuallyRecords("records.jsonl", "Start 00000001")
	if err := os.Rename(filepath.Join(l.dir, "records.jsonl"), filepath.Join(l.dir, "records.1")); err != nil {
		t.Fatal(err)
	}
	l.reload(plainConfig, "configuration loaded")
	l.mustAccount(packet(acctStop, "S1", "alice"))
	l.eventuallyRecords("records.jsonl", "Stop 00000001")
	l.eventuallyRecords("records.1", "Start 00000001")
}

// load sends starts until it is canceled. Each is answered.
func (l *inProcess) load(name string) (stop func() int) {
	ctx, cancel := context.WithCancel(l.t.Context())
	var answered int
	var all sync.WaitGroup
	all.Go(func() {
		for ; ctx.Err() == nil; answered++ {
			if err := l.account(packet(acctStart, fmt.Sprint(name, answered), name), limit); err != nil {
				l.t.Error(err)
				return
			}
		}
	})
	return func() int {
		cancel()
		all.Wait()
		return answered
	}
}

// TestRename: a group is renamed under load while its server does not answer. Every answered record
// is delivered in the end. When the sessions have ended too, the old names are gone.
func TestRename(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	server.setSilent(true)
	l := launch(t, relayConfig(t, "isp", server), environment{})
	stop := l.load("S")
	for _, name := range []string{"uplink", "isp", "other"} { // one name returns
		asked := server.asked.Load()
		eventually(t, "records are in flight", func() bool { return server.asked.Load() > asked })
		l.reload(relayConfig(t, name, server), "configuration loaded")
	}
	eventually(t, "records are for the last one", func() bool { return l.queue("group/other").Records > 0 })
	server.setSilent(false)
	answered := stop()
	var want []string
	for i := range answered {
		want = append(want, fmt.Sprintf("Start %08X", i+1))
	}
	var got []string
	eventually(t, "all are delivered", func() bool { got = server.kinds(); return slices.Equal(got, want) })
	for range 2 { // each reload checks what was removed
		l.reload(relayConfig(t, "other", server), "configuration loaded")
	}
	if strings.Contains(l.log.String(), "accounting method removed") {
		t.Error("a name is gone that live sessions have")
	}
	l.mustAccount(packet(rfc2866.AcctStatusType_Value_AccountingOn, "", "")) // ends all sessions
	for i := range answered {
		want = append(want, fmt.Sprintf("Stop %08X", i+1))
	}
	eventually(t, "their stops are delivered", func() bool { got = server.kinds(); return slices.Equal(got, want) })
	eventually(t, "the old names are gone", func() bool {
		return strings.Count(l.log.String(), "accounting method removed") >= 2
	})
	if names := l.configured(); !slices.Equal(names, []string{"group/other"}) {
		t.Errorf("queues with a method: %q", names)
	}
	if strings.Contains(l.log.String(), "records wait for a method") {
		t.Error("the log reports orphans")
	}
}

// configured returns the queues with a configured method.
func (l *inProcess) configured() (names []string) {
	for _, q := range acctcontrol.Queues(l.d.methods) {
		if q.Configured {
			names = append(names, q.Queue)
		}
	}
	return names
}

// TestMovedAfterRemoval: a record, and later ones of its session, go to the next method of their
// list, even if that was removed and idle.
func TestMovedAfterRemoval(t *testing.T) {
	silent, server := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	silent.setSilent(true)
	text := with(t, relayConfig(t, "slow", silent), "methods: [group slow]", "methods: [group slow, local]", "timeout: 100ms", "timeout: 4s")
	l := launch(t, text, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	l.reload(relayConfig(t, "isp", server), "configuration loaded")
	if names := l.configured(); !slices.Equal(names, []string{"group/isp"}) {
		t.Errorf("queues with a method that is configured: %q", names)
	}
	if got := l.records("records.jsonl"); len(got) > 0 {
		t.Fatalf("records too early: %q", got)
	}
	l.eventuallyRecords("records.jsonl", "Start 00000001")
	if strings.Contains(l.log.String(), "accounting method removed") {
		t.Error("a method is gone that a live session names")
	}
	l.mustAccount(packet(acctStop, "S1", "alice"))
	l.eventuallyRecords("records.jsonl", "Start 00000001", "Stop 00000001")
	eventually(t, "both are removed", func() bool { return l.isRemoved("local") && l.isRemoved(`"group slow"`) })
}

// TestOrphans: a group is renamed while the daemon does not run. The daemon reports the records
// that are left, and delivers them when the group is back.
func TestOrphans(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	server.setSilent(true)
	l := launch(t, relayConfig(t, "isp", server), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	server.setSilent(false)
	l.configure(relayConfig(t, "uplink", server))
	l.start(environment{})
	l.mustAccount(packet(acctStart, "S2", "bob"))
	eventually(t, "the new record is delivered", func() bool { return slices.Equal(server.kinds(), []string{"Start 00000002"}) })
	l.reload(relayConfig(t, "uplink", server), "configuration loaded")
	if n := strings.Count(l.log.String(), `queue=group/isp records=1`); n != 1 {
		t.Errorf("the log reports the orphan %d times", n)
	}
	if names := l.configured(); !slices.Equal(names, []string{"group/uplink"}) {
		t.Errorf("queues with a method: %q", names)
	}
	l.reload(relayConfig(t, "isp", server), "configuration loaded")
	eventually(t, "the old record is delivered", func() bool { return slices.Equal(server.kinds(), []string{"Start 00000001", "Start 00000002"}) })
}

// TestReloadAtTheEnd: reloads during the shutdown leave nothing running (launch checks that).
func TestReloadAtTheEnd(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	l := launch(t, relayConfig(t, "isp", server), environment{})
	load := l.d.load
	l.d.load = func() (*config.Config, error) {
		l.cancel()
		return load()
	}
	l.configure(relayConfig(t, "uplink", server))
	l.hup <- os.Interrupt
	if err := l.wait(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(l.log.String(), "configuration loaded") {
		t.Error("it was not loaded at the end")
	}
}
