package main

// colors reports whether the standard output gets colors: it is a terminal that understands them, and
// NO_COLOR (no-color.org) is not set.
func (g *global) colors() bool {
	return g.outTerminal && g.getenv("NO_COLOR") == "" && !isDumb(g.getenv("TERM")) && !g.json
}

// stateColor returns the style of a cell that is a state, as state returns it.
func stateColor(cell string) string {
	switch cell {
	case "stuck":
		return styleRed
	case "terminating":
		return styleYellow
	}
	return ""
}

// stateColors makes a table show its states in color, if the standard output gets colors.
func (g *global) stateColors(t *table) *table {
	if g.colors() {
		t.style = stateColor
	}
	return t
}
