//go:build partners

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// cPeers say what they were built to say; our casnIdleTime is a clock.
var cPeers = []string{peerContainer, peerCanned, peerCannedYield}

// cell is a line of a walk, without what may differ between peers.
type cell struct{ oid, syntax string }

// cellsOf reads snmpbulkwalk -On: ".1.3.6 = Gauge32: 5".
func cellsOf(t *testing.T, path string) (cells []cell) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		oid, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok {
			continue // "Variables found: N"
		}
		syntax, _, _ := strings.Cut(value, ": ")
		cells = append(cells, cell{oid, syntax})
	}
	return cells
}

// wantCells is casnActiveTable with the rows 1 to n, in the order of a walk.
func wantCells(n int) (cells []cell) {
	syntax := []string{"STRING", "IpAddress", "Gauge32", "INTEGER", "Gauge32", "OID", "INTEGER"}
	for i, s := range syntax {
		for row := 1; row <= n; row++ {
			cells = append(cells, cell{fmt.Sprintf("%s.%d.%d", casnEntry, firstColumn+i, row), s})
		}
	}
	return cells
}

// The comparison is honest only if all peers answer the same questions with
// the same number of cells of the same types.
func TestPeersServeTheSameCells(t *testing.T) {
	const rows = 1000
	h := host{cpus: "0", dir: t.TempDir()}
	programs, err := buildPeers(t.Context(), h.dir, subagents)
	if err != nil {
		t.Fatal(err)
	}
	want := wantCells(rows)
	for _, peer := range subagents {
		t.Run(peer, func(t *testing.T) {
			s, err := openStand(t.Context(), h, programs[peer], rows)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			m, err := s.bulkwalk(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if m.Cells != rows*columnCount {
				t.Errorf("%d cells, want %d", m.Cells, rows*columnCount)
			}
			if diff := cmp.Diff(want, cellsOf(t, s.walkFile()), cmp.AllowUnexported(cell{})); diff != "" {
				t.Errorf("cells (-want +got):\n%.2000s", diff)
			}
		})
	}
}

// The first row's octets: what the canned peers have prepared is what the
// container peer looks up.
func TestPeersServeTheSameFirstRow(t *testing.T) {
	h := host{cpus: "0", dir: t.TempDir()}
	programs, err := buildPeers(t.Context(), h.dir, cPeers)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`.2.1 = STRING: "user0000000001@isp.test"`, ".3.1 = IpAddress: 10.0.0.1", ".4.1 = Gauge32: 0",
		".5.1 = INTEGER: 2", ".6.1 = Gauge32: 0", ".7.1 = OID: .1.3.6.1.2.1.2.2.1.1.2", ".8.1 = INTEGER: 0",
	}
	for _, peer := range cPeers {
		t.Run(peer, func(t *testing.T) {
			s, err := openStand(t.Context(), h, programs[peer], 1)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := s.bulkwalk(t.Context()); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(s.walkFile())
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Split(strings.ReplaceAll(string(b), casnEntry, ""), "\n")[:columnCount]
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestQuick runs what -quick does, to a table with every rate and ratio.
func TestQuick(t *testing.T) {
	c, err := parseFlags([]string{"-quick", "-peers", "container,canned"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: host{cpus: c.cpus, dir: t.TempDir()}, progress: io.Discard}
	text, err := runSNMP(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(text.comparisons) != 1 {
		t.Fatalf("%d comparisons, want 1", len(text.comparisons))
	}
	got := text.comparisons[0]
	for _, m := range tableMetrics {
		for _, peer := range c.peers {
			if v := got.series.values(peer, m.name); len(v) != 1 || v[0] <= 0 {
				t.Errorf("%s, %s: %v", peer, m.name, v)
			}
		}
	}
	if rendered := got.markdown(); strings.Contains(rendered, " - ") || !strings.Contains(rendered, "container / canned") {
		t.Errorf("an incomplete table:\n%s", rendered)
	}
}

// Sizes are compared by name: each is a contender, the first is what the
// others are divided by.
func TestSizesAreComparedToTheFirst(t *testing.T) {
	h := host{cpus: "0", dir: t.TempDir()}
	programs, err := buildPeers(t.Context(), h.dir, []string{peerCanned})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: config{runs: 1, rateSizes: []int{500, 2000}}, host: h, progress: io.Discard}
	c, err := b.compareSizes(t.Context(), programs[peerCanned])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]pair{{"2,000 rows", "500 rows"}}, c.pairs, cmp.AllowUnexported(pair{})); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
	for _, m := range rateMetrics {
		for _, size := range c.contenders {
			if v := c.series.values(size, m.name); len(v) != 1 || v[0] <= 0 {
				t.Errorf("%s, %s: %v", size, m.name, v)
			}
		}
	}
}

// A peer that cannot serve is an error with its own words, not a wait.
func TestStandNamesWhatEnded(t *testing.T) {
	h := host{cpus: "0", dir: t.TempDir()}
	broken := filepath.Join(h.dir, "broken")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho no table today >&2\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := openStand(t.Context(), h, broken, 10)
	if err == nil || !strings.Contains(err.Error(), "no table today") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
}

// A measurement that lacks cells is refused, however fast it was.
func TestTooFewCellsAreAnError(t *testing.T) {
	h := host{cpus: "0", dir: t.TempDir()}
	programs, err := buildPeers(t.Context(), h.dir, []string{peerCanned})
	if err != nil {
		t.Fatal(err)
	}
	s, err := openStand(t.Context(), h, programs[peerCanned], 20)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out := make(sample)
	err = measureRate(t.Context(), s, out, walkOne, 141, s.bulkwalk)
	if err == nil || !strings.Contains(err.Error(), "140 cells of 141") || len(out) != 0 {
		t.Errorf("error %v, sample %v", err, out)
	}
}

func TestProcessIsPinnedAndEnds(t *testing.T) {
	h := host{cpus: "0", dir: t.TempDir()}
	for _, tt := range []struct{ name, script string }{
		{"at once", "while :; do :; done"},
		{"deaf to SIGTERM", "trap '' TERM; while :; do :; done"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // the deaf one takes stopLimit
			p, err := h.start(t.Context(), "/bin/sh", "-c", tt.script)
			if err != nil {
				t.Fatal(err)
			}
			awaitCPU(t, p, 20*time.Millisecond)
			if got := fieldOf(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid), "Cpus_allowed_list", ":"); got != "0" {
				t.Errorf("allowed on CPUs %s, want 0", got)
			}
			p.stop()
			if err := syscall.Kill(p.cmd.Process.Pid, 0); err != syscall.ESRCH {
				t.Errorf("process after stop: %v, want %v", err, syscall.ESRCH)
			}
			if p.ended() == nil {
				t.Error("stopped but not ended")
			}
		})
	}
}

// awaitCPU waits until the process has used that much: it runs, then, and its
// clock does too.
func awaitCPU(t *testing.T, p *process, want time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		got, err := p.cpuTime()
		if err != nil {
			t.Fatal(err)
		}
		if got >= want {
			return
		}
	}
	t.Fatalf("%s did not use %v of CPU", p.name, want)
}

func TestRunReportsFailure(t *testing.T) {
	h := host{cpus: "0", dir: t.TempDir()}
	_, err := h.run(t.Context(), io.Discard, "/bin/sh", "-c", "echo no such table >&2; exit 4")
	if err == nil || !strings.Contains(err.Error(), "sh: exit status 4: no such table") {
		t.Errorf("error %v", err)
	}
}
