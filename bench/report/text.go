package report

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxColumns is the width of prose in docs/benchmarks.md.
const maxColumns = 100

// Count formats a number as the tables do, with commas between thousands.
func Count(n int) string { return groupThousands(strconv.Itoa(n)) }

// Wrap breaks the lines of Markdown prose anew, at 100 columns. It keeps paragraphs, and list items
// that begin with "- ". A word that is longer than a line stays whole.
func Wrap(text string) string {
	var out []string
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var b strings.Builder
		for i, item := range strings.Split("\n"+paragraph, "\n- ") {
			words := strings.Fields(item)
			if len(words) == 0 {
				continue // there is nothing before the first item
			}
			indent := ""
			if i > 0 {
				words[0], indent = "- "+words[0], "  "
			}
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			wrapWords(&b, words, indent)
		}
		out = append(out, b.String())
	}
	return strings.Join(out, "\n\n")
}

func wrapWords(b *strings.Builder, words []string, indent string) {
	column := 0
	for i, word := range words {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > maxColumns:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
}
