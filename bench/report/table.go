package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Metric is a row of a table. Its name is the key in a sample. Unit "1" marks a count, which has no
// ratios, and decimals only if it is not whole.
type Metric struct {
	Name string
	Unit string
}

// Pair is a column with the ratio of two contenders: the value of Num divided by that of Den.
type Pair struct {
	Num, Den string
}

// Comparison is a set of runs, and how the table shows them.
type Comparison struct {
	Title      string
	Note       string // Markdown prose between heading and table; may be empty
	Contenders []string
	Pairs      []Pair
	Metrics    []Metric
	Series     Series
}

// Markdown renders a comparison as a heading and a table. Each metric has a row. Each contender has
// a column with median and range, and each pair one with median and range of the run-by-run ratios.
// A metric without a value is left out.
func (c Comparison) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", c.Title)
	if c.Note != "" {
		b.WriteString(Wrap(c.Note) + "\n\n")
	}

	head := append([]string{"metric"}, c.Contenders...)
	for _, p := range c.Pairs {
		head = append(head, p.Num+" / "+p.Den)
	}
	writeRow(&b, head)
	writeRow(&b, append([]string{":---"}, repeat("---:", len(head)-1)...))

	for _, m := range c.Metrics {
		if row := c.row(m); row != nil {
			writeRow(&b, row)
		}
	}
	return b.String()
}

func (c Comparison) row(m Metric) []string {
	row := []string{m.Name + ", " + m.Unit}
	found, format := false, formatValue
	if m.Unit == "1" {
		format = formatCount
	}
	for _, name := range c.Contenders {
		s := summarize(c.Series.Values(name, m.Name))
		found = found || s.runs > 0
		row = append(row, s.format(format))
	}
	if !found {
		return nil
	}
	for _, p := range c.Pairs {
		s := summary{}
		if m.Unit != "1" {
			s = summarize(c.Series.ratios(p.Num, p.Den, m.Name))
		}
		row = append(row, s.format(formatRatio))
	}
	return row
}

// PairsAmong returns the pairs whose contenders are both present.
func PairsAmong(contenders []string, wanted []Pair) []Pair {
	present := make(map[string]bool)
	for _, c := range contenders {
		present[c] = true
	}
	var kept []Pair
	for _, p := range wanted {
		if present[p.Num] && present[p.Den] {
			kept = append(kept, p)
		}
	}
	return kept
}

// format returns the median and, if there was more than one run, the range.
func (s summary) format(number func(float64) string) string {
	switch s.runs {
	case 0:
		return "-"
	case 1:
		return number(s.median)
	}
	return fmt.Sprintf("%s (%s to %s)", number(s.median), number(s.min), number(s.max))
}

func formatRatio(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

// formatValue has one decimal below 1,000, and none from there on.
func formatValue(v float64) string {
	if math.Abs(v) < 1000 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return groupThousands(strconv.FormatFloat(v, 'f', 0, 64))
}

// formatCount has a decimal only if the count is not whole, as a median of an even number of runs
// may be.
func formatCount(v float64) string {
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(v, 'f', -1, 64), ".")
	if fraction != "" {
		fraction = "." + fraction
	}
	return groupThousands(whole) + fraction
}

func groupThousands(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return sign + strings.Join(append([]string{digits}, groups...), ",")
}

func writeRow(b *strings.Builder, cells []string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func repeat(s string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s
	}
	return out
}
