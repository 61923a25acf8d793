package report

import (
	"fmt"
	"strings"
)

// Section is a part of docs/benchmarks.md.
type Section struct {
	Title       string
	Intro       string
	Machine     []string // on what the figures were taken, a line each
	Command     string   // what makes this section again
	Runs        int      // 0: as many as the command line says
	Unpinned    bool     // processes run on all CPUs
	Comparisons []Comparison
}

// Markdown renders the section: what was measured, where, how, the tables.
func (t Section) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n", t.Title, t.Intro)
	fmt.Fprintf(&b, "Made by `%s`: %s, median (lowest to highest); ratios are taken run by run.\n\n",
		t.Command, countRuns(t.Runs))
	for _, line := range t.Machine {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	for _, c := range t.Comparisons {
		b.WriteString("\n" + c.Markdown())
	}
	return b.String()
}

func countRuns(n int) string {
	if n == 1 {
		return "one run"
	}
	return fmt.Sprintf("%d interleaved runs", n)
}
