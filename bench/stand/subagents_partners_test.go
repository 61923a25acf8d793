//go:build partners

package stand

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aaasess/bench/snmpclient"

	"github.com/google/go-cmp/cmp"
)

// cPeers have fixed values in all columns; our casnIdleTime is a clock.
var cPeers = []string{PeerContainer, PeerCanned, PeerCannedYield}

// cell is a line of a walk, without the value, which may differ between peers.
type cell struct{ oid, syntax string }

// cellsOf parses the output of snmpbulkwalk -On, such as ".1.3.6 = Gauge32: 5".
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

// wantCells returns casnActiveTable with the rows 1 to n, in the order of a walk.
func wantCells(n int) (cells []cell) {
	syntax := []string{"STRING", "IpAddress", "Gauge32", "INTEGER", "Gauge32", "OID", "INTEGER"}
	for i, s := range syntax {
		for row := 1; row <= n; row++ {
			cells = append(cells, cell{fmt.Sprintf("%s.%d.%d", snmpclient.CasnEntry, snmpclient.FirstColumn+i, row), s})
		}
	}
	return cells
}

// The comparison is fair only if all peers answer with the same cells of the same types.
func TestPeersServeTheSameCells(t *testing.T) {
	const rows = 1000
	h := Host{CPUs: "0", Dir: t.TempDir()}
	programs, err := BuildPeers(t.Context(), h.Dir, Subagents)
	if err != nil {
		t.Fatal(err)
	}
	want := wantCells(rows)
	for _, peer := range Subagents {
		t.Run(peer, func(t *testing.T) {
			s, err := OpenStand(t.Context(), h, programs[peer], rows)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			m, err := s.Bulkwalk(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if m.Cells != rows*snmpclient.ColumnCount {
				t.Errorf("%d cells, want %d", m.Cells, rows*snmpclient.ColumnCount)
			}
			if diff := cmp.Diff(want, cellsOf(t, s.walkFile()), cmp.AllowUnexported(cell{})); diff != "" {
				t.Errorf("cells (-want +got):\n%.2000s", diff)
			}
		})
	}
}

// The canned peers have prepared the same octets for the first row as the container peer looks up.
func TestPeersServeTheSameFirstRow(t *testing.T) {
	h := Host{CPUs: "0", Dir: t.TempDir()}
	programs, err := BuildPeers(t.Context(), h.Dir, cPeers)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`.2.1 = STRING: "user0000000001@isp.test"`, ".3.1 = IpAddress: 10.0.0.1", ".4.1 = Gauge32: 0",
		".5.1 = INTEGER: 2", ".6.1 = Gauge32: 0", ".7.1 = OID: .1.3.6.1.2.1.2.2.1.1.2", ".8.1 = INTEGER: 0",
	}
	for _, peer := range cPeers {
		t.Run(peer, func(t *testing.T) {
			s, err := OpenStand(t.Context(), h, programs[peer], 1)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Bulkwalk(t.Context()); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(s.walkFile())
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Split(strings.ReplaceAll(string(b), snmpclient.CasnEntry, ""), "\n")[:snmpclient.ColumnCount]
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// If a peer ends, the error has its output, and comes at once.
func TestStandNamesWhatEnded(t *testing.T) {
	h := Host{CPUs: "0", Dir: t.TempDir()}
	broken := filepath.Join(h.Dir, "broken")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho no table today >&2\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := OpenStand(t.Context(), h, broken, 10)
	if err == nil || !strings.Contains(err.Error(), "no table today") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
}
