package manpage

import (
	"regexp"
	"slices"
	"strings"
)

// block is a part of a help text: a paragraph, a list, or lines that are not joined.
type block struct {
	paragraph string
	entries   []entry
	lines     []string
}

// entry is an entry of a list.
type entry struct {
	term string
	text []block
}

// termAndText matches the first line of an entry.
var termAndText = regexp.MustCompile(`^(\S+(?: \S+)*) {2,}(\S.*)$`)

// parse splits a help text.
func parse(text string) (blocks []block) {
	for _, part := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		lines := strings.Split(part, "\n")
		for len(lines) > 0 {
			n := run(lines)
			if indent(lines[0]) > 0 {
				blocks = append(blocks, parseList(lines[:n]))
			} else {
				blocks = append(blocks, block{paragraph: strings.Join(lines[:n], " ")})
			}
			lines = lines[n:]
		}
	}
	return blocks
}

// run returns how many lines at the start are indented, or are not, as the first one.
func run(lines []string) int {
	for i, l := range lines {
		if (indent(l) > 0) != (indent(lines[0]) > 0) {
			return i
		}
	}
	return len(lines)
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// parseList parses indented lines. They are a list if each line has a term, or continues the text of
// the entry above it.
func parseList(lines []string) block {
	base, column := indent(lines[0]), 0
	var list block
	var texts [][]string
	for _, l := range lines {
		if n := len(texts); n > 0 && indent(l) > base {
			texts[n-1] = append(texts[n-1], l[min(indent(l), column):])
			continue
		}
		l = l[min(indent(l), base):]
		m := termAndText.FindStringSubmatchIndex(l)
		if m == nil {
			return block{lines: dedent(lines, base)}
		}
		column = base + m[4]
		list.entries = append(list.entries, entry{term: l[m[2]:m[3]]})
		texts = append(texts, []string{l[m[4]:]})
	}
	for i, t := range texts {
		list.entries[i].text = parse(strings.Join(t, "\n"))
	}
	return list
}

func dedent(lines []string, by int) (out []string) {
	for _, l := range lines {
		out = append(out, l[min(indent(l), by):])
	}
	return out
}

// Cut removes the paragraphs of a help text that begin with one of the headings, such as "Signals:".
// It returns the rest, and what is below each heading.
func Cut(text string, headings ...string) (rest string, below map[string]string) {
	below = map[string]string{}
	var kept []string
	for _, part := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		heading, body, _ := strings.Cut(part, "\n")
		if slices.Contains(headings, heading) {
			below[heading] = body
			continue
		}
		kept = append(kept, part)
	}
	return strings.Join(kept, "\n\n"), below
}
