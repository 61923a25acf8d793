package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// screen builds text in the layouts of spec S3: titles between lines of = or -, and fields with a
// colon.
type screen struct{ strings.Builder }

const (
	screenWidth = 79
	labelWidth  = 28 // of a field, before its colon

	notSpecified = "(Not Specified)" // an optional setting that is not set
	none         = "(None)"          // an empty list, or an event that has not happened
)

func (s *screen) rule(c string) { s.line(strings.Repeat(c, screenWidth)) }

func (s *screen) line(text string) { s.WriteString(text + "\n") }

// title writes the heading of a frame.
func (s *screen) title(format string, args ...any) {
	s.rule("=")
	s.line(fmt.Sprintf(format, args...))
	s.rule("=")
}

// section writes a heading within a frame.
func (s *screen) section(text string) {
	s.rule("-")
	s.line(text)
	s.rule("-")
}

func (s *screen) field(label, value string) { s.fieldAt(labelWidth, label, value) }

func (s *screen) fieldAt(width int, label, value string) {
	s.line(strings.TrimRight(fmt.Sprintf("%-*s: %s", width, label, printable(value)), " "))
}

// cells writes the titles, a line of -, and the rows in columns of at least these widths. A longer
// cell widens its column to its own width and a space.
func (s *screen) cells(minWidths []int, titles, rows [][]string) {
	widths := slices.Clone(minWidths)
	for _, row := range rows {
		for i := range row {
			row[i] = printable(row[i])
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i])+1)
		}
	}
	print := func(row []string) {
		line := ""
		for i, cell := range row {
			line += cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		}
		s.line(strings.TrimRight(line, " "))
	}
	for _, row := range titles {
		print(row)
	}
	s.rule("-")
	for _, row := range rows {
		print(row)
	}
}

// moment formats a time as S3 does, in the local time zone.
func moment(t time.Time) string {
	if t.IsZero() {
		return none
	}
	return t.Local().Format("01/02/2006 15:04:05")
}

// quoted formats a name as S3 does.
func quoted(name string) string { return `"` + printable(name) + `"` }

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
