// Package report turns measurements into the sections of docs/benchmarks.md. It runs contenders in turn (compare.go), takes
// medians and run-by-run ratios, and writes tables in Markdown (table.go, section.go). What is measured, and how, is not its
// business.
package report
