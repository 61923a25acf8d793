package main

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/internal/apiclient"
	"aaasess/sessions/radius/radiustest"
)

func TestMemoryWatch(t *testing.T) {
	now, used, reads := time.Now(), uint64(0), 0
	m := &memoryWatch{limit: 1000, now: func() time.Time { return now }, used: func() uint64 { reads++; return used }}
	for _, step := range []struct {
		used  uint64
		after time.Duration
		want  bool
	}{
		{900, 0, false},
		{901, time.Second / 2, false}, // not read yet
		{901, time.Second / 2, true},
		{100, time.Second / 2, true},
		{100, time.Second / 2, false},
	} {
		now, used = now.Add(step.after), step.used
		for range 100 {
			if got := m.isShort(); got != step.want {
				t.Fatalf("%+v: %v", step, got)
			}
		}
	}
	if reads != 3 {
		t.Errorf("the metrics were read %d times in two seconds", reads)
	}
}

// TestMemoryUsed: garbage and memory that was returned do not count, live memory does.
func TestMemoryUsed(t *testing.T) {
	const size = 64 << 20
	measure := func() int64 {
		runtime.GC()
		return int64(memoryUsed())
	}
	before := measure()
	live := make([]byte, size)
	with := measure()
	runtime.KeepAlive(live)
	live = nil
	without := measure()
	_ = live
	if with-before < size*9/10 || without-before > size/10 {
		t.Errorf("%d octets before, %d with %d more, %d without", before, with, size, without)
	}
}

// TestSessionsMax: a start beyond sessions.max is not answered, counted and logged; a stop and what
// needs no row are.
func TestSessionsMax(t *testing.T) {
	l := launch(t, with(t, plainConfig, "sessions: {", "sessions: {max: 2, "), environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStart, "S2", "bob"))
	for range 2 {
		if err := l.account(packet(acctStart, "S3", "carol"), 300*time.Millisecond); err == nil {
			t.Error("a start beyond the maximum is answered")
		}
	}
	l.mustAccount(packet(acctStop, "S4", "dave"))
	status, err := l.client().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := string(status.Sections["limits"]); !strings.HasPrefix(got, `{"max":2,"refusedByMax":`) || strings.Contains(got, `"refusedByMax":0`) {
		t.Errorf("status: %s", got)
	}
	if n := strings.Count(l.log.String(), "new sessions are refused"); n != 1 {
		t.Errorf("%d lines in the log", n)
	}
	l.mustAccount(packet(acctStop, "S1", "alice"), packet(acctStart, "S3", "carol"))
	if n := l.d.table.View().Len(); n != 2 {
		t.Errorf("%d rows", n)
	}
}

// TestMemoryLimit: a daemon that needs more than nine tenths of GOMEMLIMIT refuses new sessions and
// answers stops.
func TestMemoryLimit(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "aaasess.yaml")
	if err := os.WriteFile(file, []byte(plainConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOMEMLIMIT", "4MiB")
	var out lines
	process(t, dir, &out, "--config", file)
	eventually(t, "it is ready", func() bool { return strings.Contains(out.String(), "msg=ready") })
	_, addr, _ := strings.Cut(out.String(), "accounting=[")
	addr, _, _ = strings.Cut(addr, "]")
	to := netip.MustParseAddrPort(addr)
	if _, err := radiustest.Account(t.Context(), netip.AddrPort{}, to, packet(acctStop, "S1", "alice")); err != nil {
		t.Errorf("a stop is not answered: %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := radiustest.Account(short, netip.AddrPort{}, to, packet(acctStart, "S2", "bob")); err == nil {
		t.Error("a start is answered")
	}
	status, err := apiclient.New(filepath.Join(dir, "ctl.sock"), limit).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := string(status.Sections["limits"]); !strings.Contains(got, `"memory":4194304`) || strings.Contains(got, `"refusedByMemory":0`) {
		t.Errorf("status: %s", got)
	}
	eventually(t, "the log says so", func() bool { return strings.Contains(out.String(), "memory is too short") })
}
