// Package stale ends sessions whose NAS has stopped reporting them: spec R23. A NAS that was switched
// off, and one whose stops are lost, leave such sessions.
//
// How long a NAS has said nothing is measured by package silence, and kept by the table for each
// session. A [Closer] advances that clock, and looks at all rows of a view every half minute. A look
// holds no lock, keeps nothing for a session, and takes about 0.2 s for a million (BenchmarkLook).
// What it finds is ended in small groups with a pause after each, at most about a thousand sessions a
// second, so that records and queues get no burst. The table ends a session only if its NAS has not
// been heard since the look. One goroutine does all of this.
package stale
