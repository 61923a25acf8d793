package stand

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestParseCollection(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       Collection
		ok         bool
	}{
		{"a collection", "gc 12 @3.504s 2%: 0.25+17+0.5 ms clock, 1.0+0.11/12/0.5+2.0 ms cpu, 4->5->2 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 4 P", Collection{3504 * time.Millisecond, 17750 * time.Microsecond}, true},
		{"a forced one", "gc 1 @12.000s 0%: 0+1+0 ms clock, 0+0/1/0+0 ms cpu, 4->4->0 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)", Collection{12 * time.Second, time.Millisecond}, true},
		{"memory returned", "scvg: 8 MB released", Collection{}, false},
		{"the log of the daemon", `time=2026-11-30T12:00:00Z level=WARN msg="gc 1 @1s 1%: 0+1+0 ms clock"`, Collection{}, false},
	} {
		if c, ok := parseCollection(tt.line); c != tt.want || ok != tt.ok {
			t.Errorf("%s: %v, %t, want %v, %t", tt.name, c, ok, tt.want, tt.ok)
		}
	}
}

// TestCollections: the collections of this Go release have the expected form.
func TestCollections(t *testing.T) {
	if os.Getenv("STAND_TEST_COLLECT") != "" {
		runtime.GC()
		return
	}
	log := filepath.Join(t.TempDir(), "log")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCollections$")
	cmd.Env = append(os.Environ(), TraceCollections, "STAND_TEST_COLLECT=1", "GOGC=1")
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd.Stderr = f
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	all, err := (&Process{logPath: log}).Collections()
	if err != nil || len(all) == 0 || all[0].Took <= 0 {
		t.Errorf("%v, %v", all, err)
	}
}

func TestCountLogs(t *testing.T) {
	r := &Relay{Dir: t.TempDir()}
	state := filepath.Join(r.Dir, "state")
	touch := func(name string) {
		if err := os.WriteFile(filepath.Join(state, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	touch("000009.log")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		counted := make(chan int, 1)
		go func() { counted <- r.CountLogs(ctx) }()
		for _, names := range [][]string{{"000010.sst"}, {"000011.log"}, {"000013.log", "000012.sst"}, {"MANIFEST-000014"}} {
			time.Sleep(logsEvery)
			synctest.Wait()
			for _, name := range names {
				touch(name)
			}
		}
		time.Sleep(2 * logsEvery)
		cancel()
		if n := <-counted; n != 2 {
			t.Errorf("%d logs, want 2", n)
		}
	})
}
