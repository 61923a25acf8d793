package report

import (
	"strconv"
	"strings"
)

// Count writes a number as the tables do.
func Count(n int) string { return groupThousands(strconv.Itoa(n)) }

// OneLine joins the lines of a paragraph.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
