package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// metric is a row of a table. Its name is the key in a sample. Those of unit "1" are counts: they have no decimals
// and no ratios.
type metric struct {
	name string
	unit string
}

// pair asks for the column num/den: how many times den's value num reaches.
type pair struct {
	num, den string
}

// comparison is a finished set of runs with the way to show it.
type comparison struct {
	title      string
	note       string // what was configured, between heading and table; may be empty
	contenders []string
	pairs      []pair
	metrics    []metric
	series     series
}

// markdown renders a comparison as a heading and a table: a row per metric; a
// column per contender with median and range, then one per pair with the
// median and range of the run-by-run ratios. A metric nobody has is left out.
func (c comparison) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", c.title)
	if c.note != "" {
		b.WriteString(c.note + "\n\n")
	}

	head := append([]string{"metric"}, c.contenders...)
	for _, p := range c.pairs {
		head = append(head, p.num+" / "+p.den)
	}
	writeRow(&b, head)
	writeRow(&b, append([]string{":---"}, repeat("---:", len(head)-1)...))

	for _, m := range c.metrics {
		if row := c.row(m); row != nil {
			writeRow(&b, row)
		}
	}
	return b.String()
}

func (c comparison) row(m metric) []string {
	row := []string{m.name + ", " + m.unit}
	found, format := false, formatValue
	if m.unit == "1" {
		format = formatCount
	}
	for _, name := range c.contenders {
		s := summarize(c.series.values(name, m.name))
		found = found || s.runs > 0
		row = append(row, s.format(format))
	}
	if !found {
		return nil
	}
	for _, p := range c.pairs {
		s := summary{}
		if m.unit != "1" {
			s = summarize(c.series.ratios(p.num, p.den, m.name))
		}
		row = append(row, s.format(formatRatio))
	}
	return row
}

// pairsAmong keeps the pairs of which both contenders take part.
func pairsAmong(contenders []string, wanted []pair) []pair {
	present := make(map[string]bool)
	for _, c := range contenders {
		present[c] = true
	}
	var kept []pair
	for _, p := range wanted {
		if present[p.num] && present[p.den] {
			kept = append(kept, p)
		}
	}
	return kept
}

// format shows the median and, when there was more than one run, the range.
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

// formatValue keeps four figures or so: rates have no use for decimals,
// latencies in microseconds for one.
func formatValue(v float64) string {
	if math.Abs(v) < 1000 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return groupThousands(strconv.FormatFloat(v, 'f', 0, 64))
}

// formatCount keeps a decimal only where there is one: the median of an even number of runs.
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
