package live

import (
	"time"

	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
)

// fitted is a column of NarrowColumns in a table that fits a terminal.
type fitted struct {
	index int // in NarrowColumns
	width int // at the least width of the terminal
	share int // how many sixths of the further width it gets
}

// The widths are those of the longest values, so that columns do not shift while a list is printed:
// AGE and IDLE such as 99d23h, IN and OUT such as 1.23M, STATE terminating, ADDRESS an IPv4 address.
var (
	fitted80 = []fitted{{0, 8, 0}, {1, 12, 3}, {2, 15, 1}, {3, 10, 2}, {4, 6, 0}, {5, 6, 0}, {8, 11, 0}}
	fitted96 = []fitted{{0, 8, 0}, {1, 13, 3}, {2, 15, 1}, {3, 11, 2}, {4, 6, 0}, {5, 6, 0}, {6, 5, 0}, {7, 5, 0}, {8, 11, 0}}
	// DISCONNECT gets what the others leave.
	fitted110 = []fitted{{0, 8, 0}, {1, 14, 2}, {2, 15, 1}, {3, 10, 1}, {4, 6, 0}, {5, 6, 0}, {6, 5, 0}, {7, 5, 0}, {8, 11, 0}, {9, 12, 2}}
)

// FittingColumns returns the columns of a list of sessions that fit a terminal of this width, or one
// of 80 columns if it is narrower, and a function for their cells.
func FittingColumns(width int) ([]term.Column, func(api.Session, time.Time) []string) {
	list, least := fitted80, 80
	switch {
	case width >= 110:
		list, least = fitted110, 110
	case width >= 96:
		list, least = fitted96, 96
	}
	further := max(0, width-least)
	columns := make([]term.Column, len(list))
	for i, f := range list {
		columns[i] = NarrowColumns[f.index]
		columns[i].Width = f.width + further*f.share/6
	}
	return columns, func(s api.Session, now time.Time) []string {
		all := NarrowCells(s, now)
		cells := make([]string, len(list))
		for i, f := range list {
			cells[i] = all[f.index]
		}
		return cells
	}
}
