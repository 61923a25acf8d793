package term

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aaasess/cmd/internal/human"
)

// Screen builds text in the layouts of spec S3: titles between lines of = or -, and fields with a
// colon.
type Screen struct{ strings.Builder }

const (
	screenWidth = 79
	labelWidth  = 28 // of a field, before its colon

	NotSpecified = "(Not Specified)" // an optional setting that is not set
	None         = "(None)"          // an empty list, or an event that has not happened
)

// Rule writes a line of a character.
func (s *Screen) Rule(c string) { s.Line(strings.Repeat(c, screenWidth)) }

// Line writes a line.
func (s *Screen) Line(text string) { s.WriteString(text + "\n") }

// Title writes the heading of a frame.
func (s *Screen) Title(format string, args ...any) {
	s.Rule("=")
	s.Line(fmt.Sprintf(format, args...))
	s.Rule("=")
}

// Section writes a heading within a frame.
func (s *Screen) Section(text string) {
	s.Rule("-")
	s.Line(text)
	s.Rule("-")
}

// Field writes a label and its value, which it makes printable.
func (s *Screen) Field(label, value string) { s.FieldAt(labelWidth, label, value) }

// FieldAt writes a field whose label has this width.
func (s *Screen) FieldAt(width int, label, value string) {
	s.Line(strings.TrimRight(fmt.Sprintf("%-*s: %s", width, label, human.Printable(value)), " "))
}

// Cells writes the titles, a line of -, and the rows in columns of at least these widths. A longer
// cell widens its column to its own width and a space.
func (s *Screen) Cells(minWidths []int, titles, rows [][]string) {
	widths := slices.Clone(minWidths)
	for _, row := range rows {
		for i := range row {
			row[i] = human.Printable(row[i])
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i])+1)
		}
	}
	print := func(row []string) {
		line := ""
		for i, cell := range row {
			line += cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		}
		s.Line(strings.TrimRight(line, " "))
	}
	for _, row := range titles {
		print(row)
	}
	s.Rule("-")
	for _, row := range rows {
		print(row)
	}
}

// Moment formats a time as S3 does, in the local time zone.
func Moment(t time.Time) string {
	if t.IsZero() {
		return None
	}
	return t.Local().Format("01/02/2006 15:04:05")
}

// Quoted formats a name as S3 does.
func Quoted(name string) string { return `"` + human.Printable(name) + `"` }

// YesNo returns yes or no.
func YesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
