package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
)

// systemConfig returns a configuration with the groups one and two, a system list of these keys, and
// network sessions that are accounted to group one.
func systemConfig(t *testing.T, one, two *upstream, system string) string {
	t.Helper()
	return with(t, announcing(t, one, two, two, "one"), "acct-on-off: {oper-state-change: true, group: tied}", "description: a",
		"acct-on-off: {}", "description: b", "    - {name: three, servers: [r3], acct-on-off: {monitor-group: tied}}\n", "",
		"  acct-on-off-groups: [{name: tied, description: \"who waits for whom\"}]\n", "",
		"    - {name: r3, address: 127.0.0.1, port: "+portOf(two.addrPort())+", secret: upstream}\n", "",
		"  local: {file", "  system: "+system+"\n  local: {file")
}

// lines returns the types of the records in the file, and their numbers.
func (l *inProcess) lines() (out []string) {
	l.t.Helper()
	b, err := os.ReadFile(filepath.Join(l.dir, "records.jsonl"))
	if err != nil {
		l.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var rec struct {
			Type, List, Session string
			Attributes          map[string]any
		}
		if err := json.Unmarshal([]byte(line), &rec); err != nil {
			l.t.Fatal(err)
		}
		if rec.List != "system/default" || rec.Session == "" || rec.Attributes["NAS-Identifier"] == "" {
			l.t.Errorf("the line is %s", line)
		}
		out = append(out, rec.Type)
	}
	return out
}

// TestSystemToFile: the method local has a line for the start and the end of accounting. A reload
// changes nothing, and it writes one if it adds or removes the list.
func TestSystemToFile(t *testing.T) {
	text := with(t, plainConfig, "  network: {default: {record: start-stop, methods: [local]}}\n", "  system: {default: {record: start-stop, methods: [local]}}\n")
	l := launch(t, text, environment{})
	lines := func(want ...string) {
		t.Helper()
		var got []string
		eventually(t, "the file has the lines", func() bool { got = l.lines(); return slices.Equal(got, want) }, &got)
	}
	lines("Accounting-On")
	l.reload(text, "configuration loaded")
	l.reload(with(t, text, "record: start-stop, methods: [local]", "record: none", "  system:", "  network: {default: {record: stop-only, methods: [local]}}\n  system:"), "configuration loaded")
	lines("Accounting-On", "Accounting-Off")
	l.reload(text, "configuration loaded")
	lines("Accounting-On", "Accounting-Off", "Accounting-On")
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	lines("Accounting-On", "Accounting-Off", "Accounting-On", "Accounting-Off")
}

// TestSystemFallsBack: the first group does not answer, so the file gets the Accounting-On. Then the
// group gets records. When it is back, the Accounting-Off goes to it.
func TestSystemFallsBack(t *testing.T) {
	one, two := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	one.setSilent(true)
	l := launch(t, systemConfig(t, one, two, "{default: {record: start-stop, methods: [group one, local, group two]}}"), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	eventually(t, "the file has the Accounting-On", func() bool { return slices.Equal(l.lines(), []string{"Accounting-On"}) })
	eventually(t, "it is answered", func() bool { return l.group("one").AcctOnOff.State == api.StateOn })
	if g := l.group("one").AcctOnOff; g.Server != "local" || g.Blocked {
		t.Errorf("the first group is %+v", g)
	}
	if got := l.d.offTime(); got != 400*time.Millisecond { // two servers, two transmissions each
		t.Errorf("the Accounting-Off takes %v", got)
	}
	if g := l.group("two").AcctOnOff; g.After != "group one" || !g.Enabled || g.Sends() || g.Blocked || l.group("one").AcctOnOff.After != "" {
		t.Errorf("the last group is %+v", g)
	}
	one.setSilent(false)
	eventuallyOrder(t, "group one", one, "Start 00000001")
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Start 00000001", "Accounting-Off"}, one.order()); diff != "" {
		t.Error("group one:", diff)
	}
	if got := append(l.lines(), two.order()...); !slices.Equal(got, []string{"Accounting-On"}) {
		t.Errorf("the others have %q", got)
	}
}

// TestRedundancySuppress: "Suppresses the system accounting messages during switchover" (S2). Over a
// restart with a live session, its group is told nothing. The group of no session is.
func TestRedundancySuppress(t *testing.T) {
	one, two := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	text := systemConfig(t, one, two, "{redundancy: {suppress: true}, default: {record: start-stop, broadcast: true, methods: [group one, group two]}}")
	l := launch(t, text, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	eventuallyOrder(t, "group one", one, "Accounting-On", "Start 00000001")
	l.restart(text)
	l.mustAccount(packet(acctInterim, "S1", "alice"))
	eventuallyOrder(t, "group one", one, "Accounting-On", "Start 00000001", "Interim-Update 00000001")
	if g := l.group("one").AcctOnOff; g.State != api.StateOn || g.Trigger != "redundancy" || g.Blocked {
		t.Errorf("the group is %+v", g)
	}
	l.mustAccount(packet(acctStop, "S1", "alice"))
	want := []string{"Accounting-On", "Start 00000001", "Interim-Update 00000001", "Stop 00000001"}
	eventuallyOrder(t, "group one", one, want...)
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append(want, "Accounting-Off"), one.order()); diff != "" {
		t.Error("group one:", diff)
	}
	if diff := cmp.Diff([]string{"Accounting-On", "Accounting-Off", "Accounting-On", "Accounting-Off"}, two.order()); diff != "" {
		t.Error("group two:", diff)
	}
}

// TestHostConfig: a reload adds a server to a group, and another removes the first one. These two are
// told, and the Accounting-On of the group goes on. Without host-config the same reloads send nothing.
func TestHostConfig(t *testing.T) {
	for _, on := range []bool{true, false} {
		t.Run(fmt.Sprint(on), func(t *testing.T) {
			one, two := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
			text := systemConfig(t, one, two, fmt.Sprintf("{host-config: %v, default: {record: start-stop, methods: [group one]}}", on))
			l := launch(t, text, environment{})
			l.mustAccount(packet(acctStart, "S1", "alice"))
			eventuallyOrder(t, "r1", one, "Accounting-On", "Start 00000001")
			first := l.group("one").AcctOnOff
			tell := func(what string) []string {
				if on {
					return []string{what}
				}
				return nil
			}
			l.reload(with(t, text, "{name: one, servers: [r1]", "{name: one, servers: [r1, r2]"), "configuration loaded")
			eventuallyOrder(t, "r2", two, tell("Accounting-On")...)
			l.reload(with(t, text, "{name: one, servers: [r1]", "{name: one, servers: [r2]"), "configuration loaded")
			eventuallyOrder(t, "r1", one, append([]string{"Accounting-On", "Start 00000001"}, tell("Accounting-Off")...)...)
			l.mustAccount(packet(acctStop, "S1", "alice"))
			eventuallyOrder(t, "r2", two, append(tell("Accounting-On"), "Stop 00000001")...)
			if g := l.group("one").AcctOnOff; g.State != api.StateOn || g.SessionID != first.SessionID || g.Blocked {
				t.Errorf("the group is %+v, at first it was %+v", g, first)
			}
			if err := l.stop(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append(tell("Accounting-On"), "Stop 00000001", "Accounting-Off"), two.order()); diff != "" {
				t.Error("r2 at the end:", diff)
			}
		})
	}
}
