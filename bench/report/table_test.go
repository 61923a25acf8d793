package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestComparisonMarkdown(t *testing.T) {
	c := Comparison{
		Title:      "10,000 rows",
		Contenders: []string{"ours", "canned"},
		Pairs:      []Pair{{"ours", "canned"}},
		Metrics:    []Metric{{"walk", "cells/s"}, {"GET", "µs"}, {"never measured", "s"}},
		Series: Series{
			"ours":   {{"walk": 54000, "GET": 80.25}, {"walk": 50000, "GET": 90}, {"walk": 58000, "GET": 85}},
			"canned": {{"walk": 60000}, {"walk": 50000}, {"walk": 1160000}},
		},
	}
	want := `### 10,000 rows

| metric | ours | canned | ours / canned |
| :--- | ---: | ---: | ---: |
| walk, cells/s | 54,000 (50,000 to 58,000) | 60,000 (50,000 to 1,160,000) | 0.90 (0.05 to 1.00) |
| GET, µs | 85.0 (80.2 to 90.0) | - | - |
`
	if diff := cmp.Diff(want, c.Markdown()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOneRunHasNoRange(t *testing.T) {
	c := Comparison{
		Title: "t", Contenders: []string{"a", "b"}, Pairs: []Pair{{"a", "b"}},
		Metrics: []Metric{{"walk", "cells/s"}},
		Series:  Series{"a": {{"walk": 3000}}, "b": {{"walk": 2000}}},
	}
	want := "### t\n\n| metric | a | b | a / b |\n| :--- | ---: | ---: | ---: |\n" +
		"| walk, cells/s | 3,000 | 2,000 | 1.50 |\n"
	if diff := cmp.Diff(want, c.Markdown()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Counts have neither decimals nor ratios, and the note is above the table.
func TestCountsAndNote(t *testing.T) {
	c := Comparison{
		Title: "t", Note: "As configured.", Contenders: []string{"a", "b"}, Pairs: []Pair{{"a", "b"}},
		Metrics: []Metric{{"lost", "1"}},
		Series:  Series{"a": {{"lost": 3000}, {"lost": 3001}}, "b": {{"lost": 0}, {"lost": 0}}},
	}
	want := "### t\n\nAs configured.\n\n| metric | a | b | a / b |\n| :--- | ---: | ---: | ---: |\n" +
		"| lost, 1 | 3,000.5 (3,000 to 3,001) | 0 (0 to 0) | - |\n"
	if diff := cmp.Diff(want, c.Markdown()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFormatValue(t *testing.T) {
	for _, tt := range []struct {
		in   float64
		want string
	}{
		{0, "0.0"},
		{87.04, "87.0"},
		{-3.2, "-3.2"},
		{999.9, "999.9"},
		{1000, "1,000"},
		{54321.6, "54,322"},
		{1234567, "1,234,567"},
		{-1234567, "-1,234,567"},
	} {
		if got := formatValue(tt.in); got != tt.want {
			t.Errorf("formatValue(%v) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestPairsAmong(t *testing.T) {
	wanted := []Pair{{"ours", "container"}, {"ours", "canned"}, {"container", "canned"}}
	for _, tt := range []struct {
		name       string
		contenders []string
		want       []Pair
	}{
		{"all", []string{"container", "canned", "ours"}, wanted},
		{"without ours", []string{"canned", "container"}, []Pair{{"container", "canned"}}},
		{"one alone", []string{"ours"}, nil},
		{"none", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := PairsAmong(tt.contenders, wanted)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(Pair{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
