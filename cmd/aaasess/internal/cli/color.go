package cli

import "aaasess/cmd/aaasess/internal/term"

// colors reports whether the standard output gets colors: it is a terminal that understands them, and
// NO_COLOR (no-color.org) is not set.
func (g *Global) colors() bool {
	return g.OutTerminal && g.Getenv("NO_COLOR") == "" && !isDumb(g.Getenv("TERM")) && !g.JSON
}

// stateColor returns the style of a cell that is a state, as state returns it.
func stateColor(cell string) string {
	switch cell {
	case "stuck":
		return term.StyleRed
	case "terminating":
		return term.StyleYellow
	}
	return ""
}

// StateColors makes a table show its states in color, if the standard output gets colors.
func (g *Global) StateColors(t *term.Table) *term.Table {
	if g.colors() {
		t.Style = stateColor
	}
	return t
}
