package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/aaasessd/internal/statechange"
	"aaasess/internal/servers"
)

// viewOf returns what management sees of a server.
func (l *inProcess) viewOf(name string) *servers.Entry {
	l.t.Helper()
	v := l.d.serverView()
	for i := range v.Entries {
		if e := &v.Entries[i]; e.Name == name {
			return e
		}
	}
	l.t.Fatalf("no server %s: %+v", name, v)
	return nil
}

// TestServerStatistics: the counters of a server stay over a reload with another address and secret, and
// over restarts. What the control socket shows is the same.
func TestServerStatistics(t *testing.T) {
	first, second := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	text := relayConfig(t, "isp", first)
	l := launch(t, text, environment{})
	began := l.viewOf("r0").Accounting.CountedSince
	successes := func(want uint64) {
		t.Helper()
		eventually(t, "the server has answered", func() bool { return l.viewOf("r0").Accounting.Successes == want })
		group, err := l.client().ServerGroup(t.Context(), "isp")
		if err != nil {
			t.Fatal(err)
		}
		if s := group.Servers[0].State; s == nil || s.OperState != "up" || s.Since.IsZero() {
			t.Errorf("the control socket shows the state %+v", s)
		}
		if st := group.Servers[0].Statistics; st.Requests != want || st.Successes != want {
			t.Errorf("the control socket shows %+v", st)
		}
	}
	l.mustAccount(packet(acctStart, "S1", "alice"))
	successes(1)
	text = with(t, text, "port: "+portOf(first.addrPort()), "port: "+portOf(second.addrPort()))
	l.reload(text, "configuration loaded")
	l.mustAccount(packet(acctStart, "S2", "bob"))
	successes(2)
	if e := l.viewOf("r0"); !e.Accounting.CountedSince.Equal(began) || e.AcctPort != second.addrPort().Port() || e.Index != 1 || e.Priority != 1 || !e.Addr.IsLoopback() {
		t.Errorf("after the reload: %+v", e)
	}

	restart := func(change ...string) {
		t.Helper()
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(l.dir, "state", statisticsFile)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(with(t, string(b), change...)), 0o600); err != nil {
			t.Fatal(err)
		}
		l.start(environment{})
	}
	restart(`"orderly": true`, `"orderly": true`)
	if e := l.viewOf("r0"); e.Accounting.Successes != 2 || e.Accounting.CountedSince.Sub(began).Abs() > time.Second {
		t.Errorf("after an orderly end: %+v, counted since %v before", e, began)
	}
	l.mustAccount(packet(acctStart, "S3", "carol"))
	successes(3)
	started := time.Now()
	restart(`"orderly": true`, `"orderly": false`)
	if e := l.viewOf("r0"); e.Accounting.Successes != 3 || e.Accounting.CountedSince.Before(started) {
		t.Errorf("after another end: %+v", e)
	}
	restart(`"version": 1`, `"version": 1x`)
	if e := l.viewOf("r0"); e.Accounting.Successes != 0 || !strings.Contains(l.log.String(), "server statistics cannot be read") {
		t.Errorf("with a damaged file: %+v", e)
	}
	l.reload(with(t, text, "name: r0", "name: other", "[r0]", "[other]"), "configuration loaded")
	eventually(t, "a name that is gone is forgotten", func() bool {
		all := l.d.radius.Statistics().Records
		return len(all) == 1 && all[0].Name == "other"
	})
	if e := l.viewOf("other"); e.Index != 1 || len(l.d.serverView().Entries) != 1 {
		t.Errorf("the only server: %+v", e)
	}
}

// TestServerDies: the state of a server is dead at once when its group finds that out.
func TestServerDies(t *testing.T) {
	u := listen(t, "127.0.0.1:0")
	u.setSilent(true)
	l := launch(t, with(t, relayConfig(t, "isp", u), "hold-down: 0s", "hold-down: 300ms"), environment{})
	if s := l.viewOf("r0").State; s.Dead || s.Deaths != 0 {
		t.Errorf("before any request: %+v", s)
	}
	l.mustAccount(packet(acctStart, "S1", "alice"))
	eventually(t, "the server is dead", func() bool { return l.viewOf("r0").State.Dead })
	u.setSilent(false)
	eventually(t, "the server is up", func() bool { return !l.viewOf("r0").State.Dead })
	if s := l.viewOf("r0").State; s.Deaths != 1 || s.TotalDead != s.Previous || s.TotalDead <= 0 {
		t.Errorf("%+v", s)
	}
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	l.start(environment{})
	if s := l.viewOf("r0").State; s.Deaths != 1 || s.Dead {
		t.Errorf("after a restart: %+v", s)
	}
}

// TestDeadOverRestart: a server that is dead when the daemon ends in order is still dead in the state
// folder. So the next daemon tells managers that it is not any more, whether or not it is used then.
func TestDeadOverRestart(t *testing.T) {
	u := listen(t, "127.0.0.1:0")
	u.setSilent(true)
	l := launch(t, with(t, relayConfig(t, "isp", u), "hold-down: 0s", "hold-down: 1h"), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	eventually(t, "the server is dead", func() bool { return l.viewOf("r0").State.Dead })
	died := l.viewOf("r0").State.Since
	u.setSilent(false)
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	if n := l.d.stateChanges.Stats().Disabled; n != 1 {
		t.Errorf("the end is %d changes of the state", n-1)
	}
	started := time.Now()
	l.start(environment{})
	var told uint64
	eventually(t, "managers would be told", func() bool { told = l.d.stateChanges.Stats().Disabled; return told == 1 }, &told)
	if s := l.viewOf("r0").State; s.Dead || s.Deaths != 1 || s.Since.Before(started) || (s.Previous-s.Since.Sub(died)).Abs() > time.Second || s.TotalDead != s.Previous {
		t.Errorf("%+v, started at %v", s, started)
	}
}

// TestEndTellsHeld: the end tells managers the state of a server whose last change was held back, because it
// changes too often.
func TestEndTellsHeld(t *testing.T) {
	l := launch(t, relayConfig(t, "isp", listen(t, "127.0.0.1:0")), environment{})
	if err := l.d.setStateChangeEnabled(true); err != nil {
		t.Fatal(err)
	}
	for i := range statechange.Burst + 1 {
		l.d.stateChanges.Changed(servers.Change{Protocol: servers.RADIUS, Name: "r0", Lifetime: servers.Lifetime{Dead: i%2 == 0}})
	}
	eventually(t, "the last change is held back", func() bool { return l.d.stateChanges.Stats().Held == 1 })
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	if s := l.d.stateChanges.Stats(); s.Held != 0 || s.Told != statechange.Burst+1 {
		t.Errorf("%+v", s)
	}
}
