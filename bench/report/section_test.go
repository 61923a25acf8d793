package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSectionMarkdown(t *testing.T) {
	c := Comparison{
		Title: "1,000 rows", Contenders: []string{"a"}, Metrics: []Metric{{"walk", "cells/s"}},
		Series: Series{"a": {{"walk": 3000}}},
	}
	text := Section{
		Title: "Walks", Intro: "What is walked.", Machine: []string{"2 CPUs", "a kernel"},
		Command: "go run ./bench -runs 5", Runs: 5, Comparisons: []Comparison{c, c},
	}
	table := `### 1,000 rows

| metric | a |
| :--- | ---: |
| walk, cells/s | 3,000 |
`
	want := `## Walks

What is walked.

Made by ` + "`go run ./bench -runs 5`" + `: 5 interleaved runs.
A figure is the median, with the lowest and highest in parentheses. Ratios are computed run by run.

- 2 CPUs
- a kernel

` + table + "\n" + table
	if diff := cmp.Diff(want, text.Markdown()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text.Runs = 1
	if !strings.Contains(text.Markdown(), ": one run.") {
		t.Errorf("a single run is called something else:\n%s", text.Markdown())
	}
}
