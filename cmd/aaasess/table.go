package main

import (
	"io"
	"strings"
	"unicode/utf8"
)

// column is one column of a table.
type column struct {
	title string
	right bool // numbers stand on the right
	cut   int  // longest cell; 0 for any
}

// table prints rows in aligned columns. It looks at some hundred rows for the widths before it
// prints them, and only ever widens: a list of any length is printed as it arrives.
type table struct {
	w       io.Writer
	columns []column
	width   []int
	rows    [][]string
	begun   bool
}

const rowsAhead = 500

func newTable(w io.Writer, columns []column) *table {
	t := &table{w: w, columns: columns, width: make([]int, len(columns))}
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.title
	}
	t.rows = append(t.rows, titles)
	return t
}

// row adds a row of text as the network has it.
func (t *table) row(cells ...string) error {
	t.begun = true
	for i, cell := range cells {
		cell = printable(cell)
		if limit := t.columns[i].cut; limit > 0 && utf8.RuneCountInString(cell) > limit {
			cell = string([]rune(cell)[:limit-1]) + "…"
		}
		if cell == "" {
			cell = "-"
		}
		cells[i] = cell
	}
	t.rows = append(t.rows, cells)
	if len(t.rows) < rowsAhead {
		return nil
	}
	return t.flush()
}

// flush prints the rows that are held, and the titles before the first of them.
func (t *table) flush() error {
	if !t.begun {
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
			pad := strings.Repeat(" ", t.width[i]-utf8.RuneCountInString(cell))
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
