package main

import (
	"cmp"
	"io"
	"strings"
	"unicode/utf8"
)

// column is one column of a table.
type column struct {
	title string
	right bool // aligned to the right, as numbers are
	cut   int  // a longer cell is cut to this many characters; 0 for no limit
	width int  // the column always has this width, and longer cells are cut; 0: as wide as its cells
}

// table prints rows in aligned columns while they arrive. It buffers bufferedRows rows, fits the
// columns to them and prints them. Columns never become narrower again, and those with a fixed width
// never change.
type table struct {
	w       io.Writer
	columns []column
	width   []int
	rows    [][]string // not printed yet, with the titles before the first row
	hasRows bool       // row was called
	// style returns the style of the cells of a column STATE, by their text; nil: they have none.
	style func(cell string) string
}

const bufferedRows = 10_000

func newTable(w io.Writer, columns []column) *table {
	t := &table{w: w, columns: columns, width: make([]int, len(columns))}
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i], t.width[i] = c.title, c.width
	}
	t.rows = append(t.rows, titles)
	return t
}

// row adds a row. It makes the text printable, and writes - for an empty cell.
func (t *table) row(cells ...string) error {
	t.hasRows = true
	for i, cell := range cells {
		cell = printable(cell)
		if limit := cmp.Or(t.columns[i].width, t.columns[i].cut); limit > 0 && utf8.RuneCountInString(cell) > limit {
			cell = string([]rune(cell)[:limit-1]) + "…"
		}
		cells[i] = cmp.Or(cell, "-")
	}
	t.rows = append(t.rows, cells)
	if len(t.rows) < bufferedRows {
		return nil
	}
	return t.flush()
}

// flush prints the buffered rows, with the titles before the first row. A table without rows prints
// nothing.
func (t *table) flush() error {
	if !t.hasRows {
		return nil
	}
	for _, row := range t.rows {
		for i, cell := range row {
			t.width[i] = max(t.width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		for i, cell := range row {
			width := utf8.RuneCountInString(cell)
			if style := t.styleOf(i, cell); style != "" {
				cell = style + cell + styleReset
			}
			pad := strings.Repeat(" ", t.width[i]-width)
			switch {
			case t.columns[i].right:
				b.WriteString(pad + cell)
			case i == len(row)-1:
				b.WriteString(cell)
			default:
				b.WriteString(cell + pad)
			}
			if i < len(row)-1 {
				b.WriteString("  ")
			}
		}
		b.WriteByte('\n')
	}
	t.rows = nil
	_, err := io.WriteString(t.w, b.String())
	return err
}

func (t *table) styleOf(column int, cell string) string {
	if t.style == nil || t.columns[column].title != "STATE" {
		return ""
	}
	return t.style(cell)
}
