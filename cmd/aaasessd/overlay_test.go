package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/overlay"
	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/internal/servers"
)

// overlaidConfig returns plainConfig with these servers in group radius, which everything is accounted
// to.
func overlaidConfig(t *testing.T, all ...*upstream) string {
	t.Helper()
	text := "  secret: upstream\n  timeout: 100ms\n  retransmit: 0\n  hold-down: 0s\n  servers:\n"
	for i, u := range all {
		text += fmt.Sprintf("    - {name: r%d, address: %s, acct-port: %s}\n", i, u.addrPort().Addr(), portOf(u.addrPort()))
	}
	return with(t, plainConfig, "methods: [local]", "methods: [group radius]", "accounting:\n  network", text+"accounting:\n  network")
}

// createdAt returns a server that a manager creates, for an upstream.
func createdAt(index uint32, u *upstream) servers.Created {
	at := u.addrPort()
	return servers.Created{Protocol: servers.RADIUS, Index: index, Addr: at.Addr(), AcctPort: at.Port()}
}

func destroyedServer(name string) servers.Key {
	return servers.Key{Protocol: servers.RADIUS, Name: name}
}

// overlayServers returns the names of the servers in use.
func (l *inProcess) overlayServers() (names []string) {
	for _, s := range l.d.identities() {
		names = append(names, s.Name)
	}
	var viewed []string
	for _, e := range l.d.serverView().Entries {
		viewed = append(viewed, e.Name)
	}
	if !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(viewed))) {
		l.t.Errorf("management sees %q, want %q", viewed, names)
	}
	return names
}

// checkServers checks which servers are in use, and that the overlay is the one in the file.
func (l *inProcess) checkServers(want ...string) {
	l.t.Helper()
	if got := l.overlayServers(); !slices.Equal(got, want) {
		l.t.Errorf("servers %q, want %q", got, want)
	}
	file, err := overlay.Open(filepath.Join(l.dir, "state", overlayFile), l.d.log)
	if err != nil {
		l.t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%+v", file.Overlay()), fmt.Sprintf("%+v", l.d.overlay()); got != want {
		l.t.Errorf("the file has %s, in use is %s", got, want)
	}
}

// apply applies an overlay as a SET does.
func (l *inProcess) apply(o servers.Overlay) error { return l.d.applyOverlay(o, 550*time.Millisecond) }

func (l *inProcess) mustApply(o servers.Overlay) {
	l.t.Helper()
	if err := l.d.checkOverlay(o); err != nil {
		l.t.Error("the check says", err)
	}
	if err := l.apply(o); err != nil {
		l.t.Fatal(err)
	}
}

// TestOverlay: servers that managers create and destroy count at once, after a reload and after a
// restart, until the change is undone.
func TestOverlay(t *testing.T) {
	file, other := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.2:0")
	l := launch(t, overlaidConfig(t, file), environment{})
	session, want := 0, map[*upstream][]string{}
	// goesTo checks that a record goes to a server.
	goesTo := func(u *upstream) {
		t.Helper()
		session++
		l.mustAccount(packet(acctStart, fmt.Sprint("S", session), "alice"))
		want[u] = append(want[u], fmt.Sprintf("Start %08X", session))
		var got []string
		eventually(t, "the server has the record", func() bool { got = u.kinds(); return slices.Equal(got, want[u]) }, &got)
	}
	goesTo(file)
	moved := servers.Overlay{Created: []servers.Created{createdAt(3, other)}, Destroyed: []servers.Key{destroyedServer("r0")}}
	l.mustApply(moved)
	l.checkServers("snmp-radius-3")
	goesTo(other)
	l.reload(overlaidConfig(t, file), "configuration loaded")
	l.checkServers("snmp-radius-3")
	goesTo(other)
	l.restart(overlaidConfig(t, file))
	l.checkServers("snmp-radius-3")
	goesTo(other)
	l.mustApply(servers.Overlay{})
	l.checkServers("r0")
	goesTo(file)
	l.restart(overlaidConfig(t, file))
	l.checkServers("r0")
	goesTo(file)
	if text := l.log.String(); strings.Contains(text, "given up") {
		t.Error("something was given up")
	}
}

// TestOverlayUsesLoadedFile: a change uses the file as it was loaded, whatever is on the disk since.
func TestOverlayUsesLoadedFile(t *testing.T) {
	l := launch(t, overlaidConfig(t, listen(t, "127.0.0.1:0")), environment{})
	l.configure("broken")
	l.mustApply(servers.Overlay{Created: []servers.Created{createdAt(1, listen(t, "127.0.0.2:0"))}})
	l.checkServers("r0", "snmp-radius-1")
	l.reload("broken", "configuration not loaded")
	l.checkServers("r0", "snmp-radius-1")
}

// TestOverlayRefused: a change that does not fit changes nothing.
func TestOverlayRefused(t *testing.T) {
	u := listen(t, "127.0.0.1:0")
	l := launch(t, with(t, overlaidConfig(t, u), "  secret: upstream\n", "", "}\naccounting", ", secret: upstream}\naccounting"), environment{})
	other := createdAt(1, listen(t, "127.0.0.2:0"))
	for _, tt := range []struct {
		name string
		next servers.Overlay
		want string
	}{
		{"the last server of the group", servers.Overlay{Destroyed: []servers.Key{destroyedServer("r0")}}, "without it, group radius has no server"},
		{"no key", servers.Overlay{Created: []servers.Created{other}}, "no key of its own"},
		{"an address in the file", servers.Overlay{Created: []servers.Created{createdAt(1, u)}}, "server r0 of the file has its address"},
	} {
		err := l.apply(tt.next)
		if checked := l.d.checkOverlay(tt.next); fmt.Sprint(checked) != fmt.Sprint(err) {
			t.Errorf("%s: the check says %v", tt.name, checked)
		}
		if _, ok := errors.AsType[*overlay.GivenUp](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		l.checkServers("r0")
	}
}

// TestOverlayNotWritten: a change that the disk does not accept changes nothing. When the disk accepts
// it again, the file has what is in use.
func TestOverlayNotWritten(t *testing.T) {
	l := launch(t, overlaidConfig(t, listen(t, "127.0.0.1:0")), environment{})
	first := servers.Overlay{Created: []servers.Created{createdAt(1, listen(t, "127.0.0.2:0"))}}
	l.mustApply(first)
	blocked := filepath.Join(l.dir, "state", overlayFile+".new")
	if err := os.Mkdir(blocked, 0o700); err != nil { // nobody, not even root, can replace a folder
		t.Fatal(err)
	}
	if err := l.apply(servers.Overlay{}); err == nil {
		t.Error("no error")
	}
	if err := l.d.setStateChangeEnabled(true); err == nil || l.d.stateChangeEnabled() {
		t.Errorf("casServerStateChangeEnable is %t, %v", l.d.stateChangeEnabled(), err)
	}
	l.checkServers("r0", "snmp-radius-1")
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	if err := l.d.setStateChangeEnabled(true); err != nil {
		t.Error(err)
	}
	l.restart(overlaidConfig(t, listen(t, "127.0.0.1:0")))
	l.checkServers("r0", "snmp-radius-1")
	if !l.d.stateChangeEnabled() {
		t.Error("casServerStateChangeEnable is not kept")
	}
}

// TestOverlayGivenUp: what does not fit a changed file is given up for good, with a message, at a
// reload and at a start.
func TestOverlayGivenUp(t *testing.T) {
	u, other := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.2:0")
	text := overlaidConfig(t, u)
	taken := overlaidConfig(t, u, other)
	for _, how := range []struct {
		name   string
		change func(l *inProcess)
	}{
		{"reload", func(l *inProcess) { l.reload(taken, "configuration loaded") }},
		{"start", func(l *inProcess) { l.restart(taken) }},
	} {
		t.Run(how.name, func(t *testing.T) {
			l := launch(t, text, environment{})
			l.mustApply(servers.Overlay{Created: []servers.Created{createdAt(1, other)}})
			how.change(l)
			l.checkServers("r0", "r1")
			if line := "server r1 of the file has its address, 127.0.0.2"; strings.Count(l.log.String(), line) != 1 {
				t.Errorf("the log does not say once %q", line)
			}
			l.reload(text, "configuration loaded")
			l.checkServers("r0")
		})
	}
	t.Run("a start that fails", func(t *testing.T) {
		l := launch(t, text, environment{})
		l.mustApply(servers.Overlay{Created: []servers.Created{createdAt(1, other)}})
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
		l.configure(with(t, taken, "  local: {file: records.jsonl}", "  exec: {default: {record: stop-only, methods: [local]}}\n  local: {file: aaasess.yaml/x}"))
		d, err := assemble(l.file, l.log, l.log, environment{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(d.run(t.Context(), l.hup), d.close()); err == nil {
			t.Fatal("no error")
		}
		l.configure(text)
		l.start(environment{})
		l.checkServers("r0", "snmp-radius-1")
	})
	t.Run("a reload that is refused", func(t *testing.T) {
		l := launch(t, text, environment{})
		l.mustApply(servers.Overlay{Created: []servers.Created{createdAt(1, other)}})
		l.reload(with(t, taken, "min-free: 1MiB", "min-free: 2MiB"), "a restart is needed")
		l.checkServers("r0", "snmp-radius-1")
		if strings.Contains(l.log.String(), "given up") {
			t.Error("something was given up")
		}
	})
}

// TestShowOverlay: the control socket shows what managers have changed, also of groups that no method
// list names.
func TestShowOverlay(t *testing.T) {
	u, other := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.2:0")
	text := with(t, overlaidConfig(t, u), "accounting:\n  network", "tacacs: {servers: [{name: t1, address: 192.0.2.1, key: k}]}\naccounting:\n  network")
	l := launch(t, text, environment{})
	if g := l.group("radius"); g.Managed != nil || g.Servers[0].Created {
		t.Errorf("before: %+v", g)
	}
	l.mustApply(servers.Overlay{
		Created:   []servers.Created{createdAt(1, other), {Protocol: servers.TACACS, Index: 2, Addr: netip.MustParseAddr("192.0.2.2"), AuthPort: 49, Key: "k"}},
		Destroyed: []servers.Key{destroyedServer("r0"), {Protocol: servers.TACACS, Name: "t1"}},
	})
	l.reload(with(t, text, "192.0.2.1", "192.0.2.2", "name: r0", "name: r9"), "configuration loaded")
	managed, err := l.client().ManagedServers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := &api.ManagedServers{
		Created:   []api.ManagedServer{{Protocol: api.RADIUS, Name: "snmp-radius-1", Address: "127.0.0.2"}, {Protocol: api.TACACS, Name: "snmp-tacacs-2", Address: "192.0.2.2"}},
		Destroyed: []api.ManagedServer{{Protocol: api.TACACS, Name: "t1"}},
		GivenUp:   []api.GivenUpServer{{Protocol: api.RADIUS, Name: "r0", Reason: "the file does not have it any more"}},
	}
	if diff := cmp.Diff(want, managed); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	g := l.group("radius")
	if diff := cmp.Diff(want.Of(api.RADIUS), g.Managed); diff != "" {
		t.Errorf("of the group, -want +got:\n%s", diff)
	}
	if len(g.Servers) != 2 || g.Servers[0].Created || !g.Servers[1].Created {
		t.Errorf("servers %+v", g.Servers)
	}
}

// TestOverlayLate: a change that is late is undone, in use and on the disk, and the SET has its error
// in time.
func TestOverlayLate(t *testing.T) {
	l := launch(t, overlaidConfig(t, listen(t, "127.0.0.1:0")), environment{})
	next := servers.Overlay{Created: []servers.Created{createdAt(1, listen(t, "127.0.0.2:0"))}}
	slow, set := make(chan struct{}), l.d.overlays.set
	l.d.overlays.set = func(o servers.Overlay) error { // the goroutine of serveReloads reads it at the next change
		err := set(o)
		<-slow
		return err
	}
	began := time.Now()
	if err := l.apply(next); !errors.Is(err, overlay.ErrLate) {
		t.Errorf("the error is %v", err)
	}
	if after := time.Since(began); after > 600*time.Millisecond {
		t.Errorf("the SET has waited for %v", after)
	}
	if err := l.apply(next); !errors.Is(err, overlay.ErrLate) { // the first one is still being written
		t.Errorf("the error is %v", err)
	}
	close(slow)
	l.reload(overlaidConfig(t, listen(t, "127.0.0.1:0")), "configuration loaded") // after the undo
	l.checkServers("r0")
	l.mustApply(next)
	l.checkServers("r0", "snmp-radius-1")
}

// TestOverlayUndone: a change is undone even if the disk does not accept it, or the daemon is ending.
func TestOverlayUndone(t *testing.T) {
	text := overlaidConfig(t, listen(t, "127.0.0.1:0"))
	l := launch(t, text, environment{})
	next := servers.Overlay{Created: []servers.Created{createdAt(1, listen(t, "127.0.0.2:0"))}}
	l.mustApply(next)
	blocked := filepath.Join(l.dir, "state", overlayFile+".new")
	if err := os.Mkdir(blocked, 0o700); err != nil { // nobody, not even root, can replace a folder
		t.Fatal(err)
	}
	if err := l.d.undoOverlay(servers.Overlay{}); err == nil {
		t.Error("no error, although it is not on the disk")
	}
	if got := l.overlayServers(); !slices.Equal(got, []string{"r0"}) {
		t.Errorf("servers %q", got)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	if err := l.d.undoOverlay(servers.Overlay{}); err != nil {
		t.Error(err)
	}
	l.checkServers("r0")
	l.mustApply(next)
	if err := l.d.refuseOverlay(&overlay.Request{Undo: true}); !errors.Is(err, overlay.ErrEnding) {
		t.Error(err)
	}
	l.restart(text)
	l.checkServers("r0")
}

// TestOverlayAndReloads: changes and reloads at the same time neither wait for each other without end
// nor get lost; changes at the end of the daemon are refused.
func TestOverlayAndReloads(t *testing.T) {
	u, other := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.2:0")
	text := overlaidConfig(t, u)
	l := launch(t, text, environment{})
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	all.Go(func() {
		for ctx.Err() == nil {
			select {
			case l.hup <- os.Interrupt:
			case <-ctx.Done():
			}
		}
	})
	for i := range 100 {
		next := servers.Overlay{}
		if i%2 == 0 {
			next.Created = []servers.Created{createdAt(1, other)}
		}
		if err := l.apply(next); err != nil {
			t.Fatal(i, err)
		}
		if got := fmt.Sprintf("%+v", l.d.overlay()); got != fmt.Sprintf("%+v", next) {
			t.Fatalf("change %d: in use is %s", i, got)
		}
	}
	cancel()
	all.Wait()
	applied := make(chan error)
	go func() {
		for {
			if err := l.apply(servers.Overlay{Created: []servers.Created{createdAt(1, other)}}); err != nil {
				applied <- err
				return
			}
		}
	}()
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	if err := <-applied; !errors.Is(err, overlay.ErrEnding) {
		t.Errorf("the error is %v", err)
	}
}

// TestOverlayOfDrainingGroup: a group that cannot deliver keeps its records when its servers change.
func TestOverlayOfDrainingGroup(t *testing.T) {
	silent, other := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.2:0")
	silent.setSilent(true)
	l := launch(t, overlaidConfig(t, silent), environment{})
	var want []string
	for i := range 50 {
		l.mustAccount(packet(acctStart, fmt.Sprint("S", i), "alice"))
		want = append(want, fmt.Sprintf("Start %08X", i+1))
	}
	eventually(t, "records are in flight", func() bool { return silent.asked.Load() > 0 })
	l.mustApply(servers.Overlay{Created: []servers.Created{createdAt(1, other)}, Destroyed: []servers.Key{destroyedServer("r0")}})
	var got []string
	eventually(t, "the new server has all records", func() bool { got = other.kinds(); return slices.Equal(got, want) }, &got)
}

// TestOverlayAfterKill: a daemon that was killed while it wrote a change has the old or the new
// servers at the next start, whole.
func TestOverlayAfterKill(t *testing.T) {
	u, other := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.2:0")
	text := overlaidConfig(t, u)
	l := launch(t, text, environment{})
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(l.dir, "state", overlayFile)
	t.Run("before the file was replaced", func(t *testing.T) {
		if err := os.WriteFile(name+".new", []byte(`{"version": 1, "created": [`), 0o600); err != nil {
			t.Fatal(err)
		}
		l.start(environment{})
		l.checkServers("r0")
		l.mustApply(servers.Overlay{Created: []servers.Created{createdAt(1, other)}})
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("before the change was in use", func(t *testing.T) {
		file, err := overlay.Open(name, l.d.log)
		if err != nil {
			t.Fatal(err)
		}
		next := servers.Overlay{Created: []servers.Created{createdAt(1, other), {Protocol: servers.TACACS, Index: 7, Addr: netip.MustParseAddr("192.0.2.1"), AuthPort: 49, Key: "k"}}}
		if err := file.SetOverlay(next); err != nil {
			t.Fatal(err)
		}
		l.start(environment{})
		l.checkServers("r0", "snmp-radius-1", "snmp-tacacs-7")
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		if err := os.WriteFile(name, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		l.start(environment{})
		l.checkServers("r0")
		if !strings.Contains(l.log.String(), "set aside") || strings.Contains(l.log.String(), "another program") {
			t.Error("the log does not say that the file is set aside, or that it is ours")
		}
	})
}

// TestServerConfigReloaded: snmp.aaa-server-config counts after a reload.
func TestServerConfigReloaded(t *testing.T) {
	text := overlaidConfig(t, listen(t, "127.0.0.1:0"))
	l := launch(t, text, environment{})
	if l.d.overlays.mayConfigure.Load() || !l.d.hasSecret(servers.RADIUS) || l.d.hasSecret(servers.TACACS) {
		t.Error("managers may change servers, or the secrets are wrong")
	}
	l.reload(with(t, text, "session-mib-disconnect: true", "aaa-server-config: true", "  secret: upstream\n", "", "}\naccounting", ", secret: upstream}\naccounting"), "configuration loaded")
	if !l.d.overlays.mayConfigure.Load() || l.d.hasSecret(servers.RADIUS) {
		t.Error("managers may not change servers, or the secrets are wrong")
	}
	if !config.Default().SNMP.AAAServerConfig {
		t.Error("not with the built-in configuration")
	}
}

// TestOverlayLogins: logins go to a server that a manager has created for authentication only. It is
// shown in the group, which has another server for accounting.
func TestOverlayLogins(t *testing.T) {
	file, other := newAuthServer(t, passwords(t, "of the file")), newAuthServer(t, passwords(t, "of SNMP"))
	text := with(t, authConfig(t, file), "[group isp]", "[group radius]", "  groups:\n    - {name: isp, servers: [a0], timeout: 300ms, retransmit: 1, hold-down: 0s}\n", "  timeout: 300ms\n  hold-down: 0s\n",
		"methods: [local]", "methods: [group radius]")
	l := launch(t, text, environment{})
	n := l.nas()
	n.must(radius.CodeAccessAccept, n.request("alice", "of the file", nil))
	created := servers.Created{Protocol: servers.RADIUS, Index: 8, Addr: netip.MustParseAddr("127.0.0.1"), AuthPort: uint16(other.conn.LocalAddr().(*net.UDPAddr).Port), Key: authSecret}
	accounts := servers.Created{Protocol: servers.RADIUS, Index: 9, Addr: netip.MustParseAddr("127.0.0.9"), AcctPort: 1646, Key: authSecret}
	l.mustApply(servers.Overlay{Created: []servers.Created{created, accounts}, Destroyed: []servers.Key{destroyedServer("a0")}})
	n.must(radius.CodeAccessAccept, n.request("alice", "of SNMP", nil))
	g := l.group("radius")
	var shown []string
	for _, s := range g.Servers {
		shown = append(shown, fmt.Sprint(s.Index, " ", s.Name, " ", s.AuthenticationPort != 0, " ", s.AccountingPort != 0, " ", s.Created))
	}
	if want := []string{"1 snmp-radius-9 false true true", "2 snmp-radius-8 true false true"}; !slices.Equal(shown, want) {
		t.Errorf("servers %q, want %q", shown, want)
	}
	l.mustApply(servers.Overlay{})
	n.must(radius.CodeAccessAccept, n.request("alice", "of the file", nil))
}
