// Package report turns measurements into the sections of docs/benchmarks.md. It runs contenders in
// turn (compare.go), computes medians and run-by-run ratios, and writes tables and prose in
// Markdown (table.go, section.go, text.go). It does not know what is measured.
package report
