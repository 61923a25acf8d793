package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// screen is text in the layout of S3: titles between lines of = and -, fields with a colon.
type screen struct{ strings.Builder }

const (
	screenWidth = 79
	labelWidth  = 28 // of a field, before its colon

	notSpecified = "(Not Specified)" // a setting that has no value
	none         = "(None)"          // something that has not happened
)

func (s *screen) rule(c string) { s.line(strings.Repeat(c, screenWidth)) }

func (s *screen) line(text string) { s.WriteString(text + "\n") }

// title is a heading of a whole frame.
func (s *screen) title(format string, args ...any) {
	s.rule("=")
	s.line(fmt.Sprintf(format, args...))
	s.rule("=")
}

// section is a heading within a frame.
func (s *screen) section(text string) {
	s.rule("-")
	s.line(text)
	s.rule("-")
}

func (s *screen) field(label, value string) { s.fieldAt(labelWidth, label, value) }

func (s *screen) fieldAt(width int, label, value string) {
	s.line(strings.TrimRight(fmt.Sprintf("%-*s: %s", width, label, printable(value)), " "))
}

// cells prints rows in columns of at least these widths: one that has a longer cell is as wide as that
// and a space. The rows before the line of - are titles.
func (s *screen) cells(widths []int, titles, rows [][]string) {
	wide := append([]int(nil), widths...)
	for _, row := range rows {
		for i := range row {
			row[i] = printable(row[i])
			wide[i] = max(wide[i], utf8.RuneCountInString(row[i])+1)
		}
	}
	print := func(row []string) {
		line := ""
		for i, cell := range row {
			line += cell + strings.Repeat(" ", wide[i]-utf8.RuneCountInString(cell))
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

// moment is a time as S3 has it, in the time zone of who looks.
func moment(t time.Time) string {
	if t.IsZero() {
		return none
	}
	return t.Local().Format("01/02/2006 15:04:05")
}

// quoted is a name as S3 has it.
func quoted(name string) string { return `"` + printable(name) + `"` }

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
