// Package interim makes interim records for sessions whose NASes send none: spec R47; S1 and S2
// "Generating Interim Accounting Records".
//
// A [Maker] keeps nothing for a session. Each session has a phase: a fixed moment within its period,
// which follows from its id. So the interims of a session are exactly one period apart, also over
// restarts. Ids in a row have phases that are spread evenly (phase.go), so the number of records per
// second is level, whenever the sessions began. The first interim of a session comes half a period
// to one and a half periods after its start.
//
// Time is cut into windows. At the beginning of each, the Maker looks at all rows of a view, which
// holds no lock, and notes whose interims are due within the window. A window is so short that no
// session that begins within it is due within it. What is due is then made in small groups, by
// [sessions.Table.MakeInterims], which looks at each session again. One goroutine does all of this.
package interim
