package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/internal/tacacs/tacacstest"
	"aaasess/sessions/radius/radiustest"
)

// TestOneOffsAfterKill: commands are recorded while sessions start, and the daemon is killed. Each number
// that was told is of one record only, and each of these records arrives.
func TestOneOffsAfterKill(t *testing.T) {
	s := listenTACACS(t)
	s.Set(tacacstest.Behavior{OneSession: true})
	text := with(t, mixedConfig(t, "{default: {record: start-stop, methods: [group devices]}}", nil, map[string]*tacacstest.Server{"devices": s}),
		"accounting:\n  network", "accounting:\n  commands: {15: {default: {record: stop-only, methods: [group devices]}}}\n  network")
	l := launch(t, text, environment{})
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for round := range 3 {
		var out lines
		cmd := process(t, l.dir, &out, "--config", l.file)
		eventually(t, "it is ready", func() bool { return strings.Contains(out.String(), "msg=ready") })
		_, addr, _ := strings.Cut(out.String(), "accounting=[")
		addr, _, _ = strings.Cut(addr, "]")
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				for i := range 40 {
					if worker == 0 {
						p := packet(acctStart, fmt.Sprintf("S%d-%d", round, i), "alice")
						_, _ = radiustest.Account(ctx, netip.AddrPort{}, netip.MustParseAddrPort(addr), p)
						continue
					}
					text := fmt.Sprintf("show %d %d %d", round, worker, i)
					a, err := l.client().Simulate(t.Context(), &api.SimulateRequest{Event: api.SimulateCommand, NAS: "172.16.25.15", User: "u", Line: "tty3", Level: 15, Command: text})
					if err != nil {
						return
					}
					mu.Lock()
					if before, is := want[a.ID]; is {
						t.Errorf("%s is %s and %s", a.ID, before, text)
					}
					want[a.ID] = text
					n := len(want)
					mu.Unlock()
					if n == 60*(round+1) {
						_ = cmd.Process.Kill()
						cancel()
					}
				}
			})
		}
		wg.Wait()
		cancel()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	l.start(environment{})
	last := l.command(t, "show last")
	want[last] = "show last"
	eventually(t, "the queue is empty", func() bool { return l.queue("group/devices").Records == 0 })
	type rec struct{ kind, cmd string }
	got := map[string]rec{}
	for _, a := range s.Acknowledged() {
		r := a.Request
		task, cmd := "", ""
		for _, arg := range r.Args {
			if v, ok := strings.CutPrefix(arg, "task_id="); ok {
				task = v
			}
			if v, ok := strings.CutPrefix(arg, "cmd="); ok {
				cmd = v
			}
		}
		if before, is := got[task]; is && before.cmd != cmd {
			t.Errorf("task %s is %+v and %q", task, before, cmd)
		}
		got[task] = rec{"", cmd}
	}
	for id, text := range want {
		var n uint32
		if _, err := fmt.Sscanf(id, "%x", &n); err != nil {
			t.Fatal(err)
		}
		if got[fmt.Sprint(n)].cmd != text+" <cr>" {
			t.Errorf("%s %q: got %+v", id, text, got[fmt.Sprint(n)])
		}
	}
	t.Logf("%d commands told, %d tasks", len(want), len(got))
}
