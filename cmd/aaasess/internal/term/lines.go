package term

import (
	"fmt"
	"io"
	"strings"

	"aaasess/cmd/internal/human"
)

// StatusLine is a name and its value at a depth of nested sections. The name of a section has no
// value.
type StatusLine struct {
	Depth       int
	Name, Value string
}

// PrintLines prints lines with their values in one column, each section indented.
func PrintLines(w io.Writer, lines []StatusLine) error {
	width := 0
	for i := range lines {
		l := &lines[i]
		l.Name, l.Value = strings.Repeat("  ", l.Depth)+human.Printable(l.Name), human.Printable(l.Value)
		width = max(width, len([]rune(l.Name)))
	}
	for _, l := range lines {
		line := l.Name
		if l.Value != "" {
			line += strings.Repeat(" ", width-len([]rune(l.Name))+2) + l.Value
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
