package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Goal is what a figure on the page should be.
type Goal struct {
	Text string // of the summary, without the figure
	// Where the figure is: headings, the first cell of the row, the head of the column.
	Section, Table, Metric, Column string
	// Least and Most bound it; 0 means no bound.
	Least, Most float64
	// Every says that the bound is for every run, and not for the median.
	Every bool
}

// goalsHeading begins the summary on the page.
const goalsHeading = "## Goals"

const goalsIntro = `These are the goals of the figures below. A goal is met if the median is within its bound or, where it
says so, the worst run.`

// WithGoals returns a page with a summary of goals before its first section, in place of an older one.
// The figures are those of the page's tables.
func WithGoals(page string, goals []Goal) string {
	head, rest, _ := strings.Cut(page, "\n## ")
	if strings.HasPrefix("## "+rest, goalsHeading+"\n") {
		_, rest, _ = strings.Cut(rest, "\n## ")
	}
	var b strings.Builder
	b.WriteString(head + "\n" + goalsHeading + "\n\n" + Wrap(goalsIntro) + "\n\n")
	writeRow(&b, []string{"goal", "bound", "figure", "met"})
	writeRow(&b, []string{":---", "---:", "---:", "---"})
	for _, g := range goals {
		cell := cellOf(page, g)
		writeRow(&b, []string{g.Text, g.bound(), cell, g.judge(cell)})
	}
	if rest == "" {
		return b.String()
	}
	return b.String() + "\n## " + rest
}

// notMeasured stands for a figure that the page does not have.
const notMeasured = "not measured"

// cellOf returns the cell with the figure of a goal.
func cellOf(page string, g Goal) string {
	section, table, column := "", "", -1
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section, table = title, ""
		} else if title, ok := strings.CutPrefix(line, "### "); ok {
			table, column = title, -1
		}
		if section != g.Section || table != g.Table || !strings.HasPrefix(line, "| ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if cells[0] == "metric" {
			for column = len(cells) - 1; column >= 0 && cells[column] != g.Column; column-- {
			}
		}
		if cells[0] == g.Metric && column > 0 && column < len(cells) && cells[column] != "-" {
			return cells[column]
		}
	}
	return notMeasured
}

func (g Goal) bound() string {
	text := "at most " + formatBound(g.Most)
	if g.Least != 0 {
		text = "at least " + formatBound(g.Least)
	}
	if g.Every {
		text += " in every run"
	}
	return text
}

func formatBound(v float64) string {
	whole, fraction, found := strings.Cut(strconv.FormatFloat(v, 'f', -1, 64), ".")
	if found {
		fraction = "." + fraction
	}
	return groupThousands(whole) + fraction
}

// cellFigures matches a median and the range of the runs, if there was more than one.
var cellFigures = regexp.MustCompile(`^([0-9.,]+)(?: \(([0-9.,]+) to ([0-9.,]+)\))?$`)

// judge returns "yes", "no", or notMeasured.
func (g Goal) judge(cell string) string {
	m := cellFigures.FindStringSubmatch(cell)
	if m == nil {
		return notMeasured
	}
	low, high := m[1], m[1]
	if g.Every && m[2] != "" {
		low, high = m[2], m[3]
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
		if err != nil {
			panic(fmt.Sprintf("bench: %q is no figure", s)) // the expression matches only figures
		}
		return v
	}
	if g.Least != 0 && number(low) < g.Least || g.Most != 0 && number(high) > g.Most {
		return "no"
	}
	return "yes"
}
