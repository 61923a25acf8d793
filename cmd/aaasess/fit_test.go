package main

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"aaasess/cmd/aaasess/internal/live"
	"aaasess/cmd/aaasess/internal/term"
)

// TestFittingColumns: every line fits the terminal, and the columns stand at the same places
// whatever the values are.
func TestFittingColumns(t *testing.T) {
	for _, width := range []int{1, 79, 80, 81, 95, 96, 109, 110, 120, 200} {
		columns, cells := live.FittingColumns(width)
		sum := 2 * (len(columns) - 1)
		for _, c := range columns {
			sum += c.Width
			if utf8.RuneCountInString(c.Title) > c.Width {
				t.Errorf("%d: %s has %d columns", width, c.Title, c.Width)
			}
		}
		if least := max(width, 80); sum > least || sum < least-6 {
			t.Errorf("%d: lines of %d columns", width, sum)
		}
		var out strings.Builder
		table := term.NewTable(&out, columns)
		for _, s := range examples() {
			if err := table.Row(cells(s, now)...); err != nil {
				t.Fatal(err)
			}
			if err := table.Flush(); err != nil { // each row in a piece of its own
				t.Fatal(err)
			}
		}
		for _, line := range strings.Split(out.String(), "\n") {
			if n := utf8.RuneCountInString(line); n > max(width, 80) {
				t.Errorf("%d: %d columns: %s", width, n, line)
			}
		}
		if width == 80 || width == 120 {
			golden(t, fmt.Sprintf("sessions-%d.txt", width), out.String())
		}
	}
}
