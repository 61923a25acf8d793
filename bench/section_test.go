package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSectionMarkdown(t *testing.T) {
	c := comparison{
		title: "1,000 rows", contenders: []string{"a"}, metrics: []metric{{"walk", "cells/s"}},
		series: series{"a": {{"walk": 3000}}},
	}
	text := sectionText{
		title: "Walks", intro: "What is walked.", machine: []string{"2 CPUs", "a kernel"},
		command: "go run ./bench -runs 5", runs: 5, comparisons: []comparison{c, c},
	}
	table := `### 1,000 rows

| metric | a |
| :--- | ---: |
| walk, cells/s | 3,000 |
`
	want := `## Walks

What is walked.

Made by ` + "`go run ./bench -runs 5`" + `: 5 interleaved runs, median (lowest to highest); ratios are taken run by run.

- 2 CPUs
- a kernel

` + table + "\n" + table
	if diff := cmp.Diff(want, text.markdown()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text.runs = 1
	if !strings.Contains(text.markdown(), ": one run,") {
		t.Errorf("a single run is called something else:\n%s", text.markdown())
	}
}

func TestDescribeMachineNamesTheCPUSet(t *testing.T) {
	lines := strings.Join(describeMachine(t.Context(), "0-1"), "\n")
	if !strings.Contains(lines, "pinned to CPU 0-1") || !strings.Contains(lines, "Linux") {
		t.Errorf("got:\n%s", lines)
	}
}

func TestFieldOf(t *testing.T) {
	file := filepath.Join(t.TempDir(), "info")
	if err := os.WriteFile(file, []byte("vendor : x\nmodel name\t: Fast: 3 GHz\nmodel name : second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, key, want string }{
		{"first of its name", file, "model name", "Fast: 3 GHz"},
		{"not there", file, "flags", "unknown"},
		{"no file", file + "-no", "model name", "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fieldOf(tt.path, tt.key, ":"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
