package report

import (
	"fmt"
	"strings"
)

// Section is a part of docs/benchmarks.md: some comparisons and what they have in common.
type Section struct {
	Title       string
	Intro       string   // Markdown prose; Markdown breaks its lines
	Machine     []string // the machine and its software, a line each
	Command     string   // the command that makes this section again
	Runs        int      // 0: the number of the command line
	Unpinned    bool     // processes run on all CPUs
	Comparisons []Comparison
}

// Markdown renders the section: the introduction, the command, the machine and the tables.
func (t Section) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n", t.Title, Wrap(t.Intro))
	fmt.Fprintf(&b, "Made by `%s`: %s.\n%s\n\n", t.Command, countRuns(t.Runs), figuresNote)
	for _, line := range t.Machine {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	for _, c := range t.Comparisons {
		b.WriteString("\n" + c.Markdown())
	}
	return b.String()
}

// figuresNote explains the cells of the tables.
const figuresNote = "A figure is the median, with the lowest and highest in parentheses. Ratios are computed run by run."

func countRuns(n int) string {
	if n == 1 {
		return "one run"
	}
	return fmt.Sprintf("%d interleaved runs", n)
}
