package metrics_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/aaasessd/internal/metrics"
)

// page is the page that lists the metrics.
const page = "../../../../docs/metrics.md"

// row returns the row of a metric in the tables of the page.
func row(f metrics.Family) string {
	labels := ""
	if len(f.Labels) > 0 {
		labels = "`" + strings.Join(f.Labels, "`, `") + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |", f.Name, f.Type, labels, f.Help)
}

// pageFaults returns what differs between the rows of a page and the metrics.
func pageFaults(text string, all []metrics.Family) (out []string) {
	var rows []string
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, "| `aaasess_") {
			rows = append(rows, strings.TrimSpace(l))
		}
	}
	for _, f := range all {
		if !slices.Contains(rows, row(f)) {
			out = append(out, "missing: "+row(f))
		}
		rows = slices.DeleteFunc(rows, func(r string) bool { return r == row(f) })
	}
	for _, r := range rows {
		out = append(out, "wrong: "+r)
	}
	return out
}

// TestPage: docs/metrics.md has exactly the metrics, with their types, labels and meanings.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range pageFaults(string(text), metrics.Families()) {
		t.Error(fault)
	}
}

func TestPageCanFail(t *testing.T) {
	all := []metrics.Family{{Name: "aaasess_a", Help: "A.", Type: "gauge", Labels: []string{"x", "y"}}, {Name: "aaasess_b_total", Help: "B.", Type: "counter"}}
	good := "| `aaasess_a` | gauge | `x`, `y` | A. |\n| `aaasess_b_total` | counter |  | B. |\n"
	for _, tt := range []struct {
		name, text string
		want       int
	}{
		{"good", good, 0},
		{"a row is missing", strings.SplitAfter(good, "\n")[0], 1},
		{"a row of no metric", good + "| `aaasess_c` | gauge |  | C. |\n", 1},
		{"another meaning", strings.Replace(good, "A.", "Z.", 1), 2},
		{"another label", strings.Replace(good, "`y`", "`z`", 1), 2},
		{"another type", strings.Replace(good, "counter", "gauge", 1), 2},
	} {
		if got := pageFaults(tt.text, all); len(got) != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}
