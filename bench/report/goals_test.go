package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const goalsPage = `# Page

Text.

## One

### Small

| metric | ours | theirs | ours / theirs |
| :--- | ---: | ---: | ---: |
| rate, 1/s | 1,000 (900 to 1,100) | 500.0 (400.0 to 600.0) | 2.00 (1.50 to 2.75) |
| latency, µs | 10.0 | - | - |

### Large

| metric | ours |
| :--- | ---: |
| rate, 1/s | 3 (2 to 4) |

## Two

### Small

| metric | ours |
| :--- | ---: |
| rate, 1/s | 7 |
`

func TestGoals(t *testing.T) {
	at := func(g Goal, section, table, metric, column string) Goal {
		g.Section, g.Table, g.Metric, g.Column = section, table, metric, column
		return g
	}
	ratio := func(g Goal) Goal { return at(g, "One", "Small", "rate, 1/s", "ours / theirs") }
	for _, tt := range []struct {
		name string
		goal Goal
		want string // cells after the text
	}{
		{"at least", ratio(Goal{Least: 2}), "at least 2 | 2.00 (1.50 to 2.75) | yes"},
		{"too little", ratio(Goal{Least: 2.01}), "at least 2.01 | 2.00 (1.50 to 2.75) | no"},
		{"at most", ratio(Goal{Most: 2}), "at most 2 | 2.00 (1.50 to 2.75) | yes"},
		{"too much", ratio(Goal{Most: 1.99}), "at most 1.99 | 2.00 (1.50 to 2.75) | no"},
		{"the worst run, least", ratio(Goal{Least: 1.5, Every: true}), "at least 1.5 in every run | 2.00 (1.50 to 2.75) | yes"},
		{"too little in the worst run", ratio(Goal{Least: 1.6, Every: true}), "at least 1.6 in every run | 2.00 (1.50 to 2.75) | no"},
		{"the worst run, most", ratio(Goal{Most: 2.75, Every: true}), "at most 2.75 in every run | 2.00 (1.50 to 2.75) | yes"},
		{"too much in the worst run", ratio(Goal{Most: 2.74, Every: true}), "at most 2.74 in every run | 2.00 (1.50 to 2.75) | no"},
		{"thousands", at(Goal{Least: 10_000}, "One", "Small", "rate, 1/s", "ours"), "at least 10,000 | 1,000 (900 to 1,100) | no"},
		{"one run", at(Goal{Most: 10, Every: true}, "One", "Small", "latency, µs", "ours"), "at most 10 in every run | 10.0 | yes"},
		{"another table", at(Goal{Most: 3}, "One", "Large", "rate, 1/s", "ours"), "at most 3 | 3 (2 to 4) | yes"},
		{"another section", at(Goal{Most: 3}, "Two", "Small", "rate, 1/s", "ours"), "at most 3 | 7 | no"},
		{"no value", at(Goal{Most: 3}, "One", "Small", "latency, µs", "theirs"), "at most 3 | not measured | not measured"},
		{"no column", at(Goal{Most: 3}, "One", "Large", "rate, 1/s", "theirs"), "at most 3 | not measured | not measured"},
		{"no table", at(Goal{Most: 3}, "Two", "Large", "rate, 1/s", "ours"), "at most 3 | not measured | not measured"},
	} {
		tt.goal.Text = "goal " + tt.name
		page := WithGoals(goalsPage, []Goal{tt.goal})
		if want := "\n| goal " + tt.name + " | " + tt.want + " |\n"; !strings.Contains(page, want) {
			t.Errorf("%s: no %q in\n%s", tt.name, want, page[:strings.Index(page, "\n## One")])
		}
	}
}

// TestWithGoals: the summary stands before the first section, and takes the place of an older one.
func TestWithGoals(t *testing.T) {
	goal := []Goal{{Text: "a", Section: "Two", Table: "Small", Metric: "rate, 1/s", Column: "ours", Most: 7}}
	page := WithGoals(goalsPage, goal)
	if !strings.HasPrefix(page, "# Page\n\nText.\n\n## Goals\n\n") || !strings.HasSuffix(page, "\n| a | at most 7 | 7 | yes |\n"+goalsPage[strings.Index(goalsPage, "\n## One"):]) {
		t.Error(page)
	}
	if diff := cmp.Diff(page, WithGoals(WithGoals(goalsPage, append(goal, goal...)), goal)); diff != "" {
		t.Error(diff)
	}
}
