package term

import (
	"cmp"
	"io"
	"strings"
	"unicode/utf8"

	"aaasess/cmd/internal/human"
)

// Column is one column of a table.
type Column struct {
	Title string
	Right bool // aligned to the right, as numbers are
	Cut   int  // a longer cell is cut to this many characters; 0 for no limit
	Width int  // the column always has this width, and longer cells are cut; 0: as wide as its cells
}

// Table prints rows in aligned columns while they arrive. It buffers bufferedRows rows, fits the
// columns to them and prints them. Columns never become narrower again, and those with a fixed width
// never change.
type Table struct {
	w       io.Writer
	columns []Column
	Width   []int
	rows    [][]string // not printed yet, with the titles before the first row
	HasRows bool       // row was called
	// Style returns the style of the cells of a column STATE, by their text; nil: they have none.
	Style func(cell string) string
}

// BufferedRows is the number of rows to which a table fits its columns at first.
const BufferedRows = 10_000

// NewTable returns a table that prints to w.
func NewTable(w io.Writer, columns []Column) *Table {
	t := &Table{w: w, columns: columns, Width: make([]int, len(columns))}
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i], t.Width[i] = c.Title, c.Width
	}
	t.rows = append(t.rows, titles)
	return t
}

// Row adds a row. It makes the text printable, and writes - for an empty cell.
func (t *Table) Row(cells ...string) error {
	t.HasRows = true
	for i, cell := range cells {
		cell = human.Printable(cell)
		if limit := cmp.Or(t.columns[i].Width, t.columns[i].Cut); limit > 0 && utf8.RuneCountInString(cell) > limit {
			cell = string([]rune(cell)[:limit-1]) + "…"
		}
		cells[i] = cmp.Or(cell, "-")
	}
	t.rows = append(t.rows, cells)
	if len(t.rows) < BufferedRows {
		return nil
	}
	return t.Flush()
}

// Flush prints the buffered rows, with the titles before the first row. A table without rows prints
// nothing.
func (t *Table) Flush() error {
	if !t.HasRows {
		return nil
	}
	for _, row := range t.rows {
		for i, cell := range row {
			t.Width[i] = max(t.Width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		for i, cell := range row {
			width := utf8.RuneCountInString(cell)
			if style := t.styleOf(i, cell); style != "" {
				cell = style + cell + StyleReset
			}
			pad := strings.Repeat(" ", t.Width[i]-width)
			switch {
			case t.columns[i].Right:
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

func (t *Table) styleOf(column int, cell string) string {
	if t.Style == nil || t.columns[column].Title != "STATE" {
		return ""
	}
	return t.Style(cell)
}
