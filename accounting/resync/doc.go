// Package resync tells the servers of a group of all live sessions again, because they have lost
// their data: spec R65. S1 says of "show accounting" that it "helps collect information in the event
// of a data loss on the accounting server"; a resync sends it.
//
// # How
//
// [Resyncs] carries out at most one resync for each method. A resync goes through the session table
// in the order of the session ids, in small parts ([sessions.Resync]). The table decides under its
// lock, so no record follows the stop of its session. A part's records and the place where the next
// part begins are one change of the store: after a kill, no record is missing and none is made
// twice. Sessions that begin during a resync are left out, because their own starts are recorded.
//
// # Pace
//
// Records are made at the rate that the operator has chosen. A resync waits while the queue of its
// method holds the records of two seconds, and at least minHold: a slow server does not fill the
// disk, and the records of NASes do not wait long behind those of the resync. It also waits while the
// store accepts nothing, and while the method is not configured. At most maxUnderWay parts wait for
// the disk at the same time.
//
// What bounds the pace is the delivery of the records and the sync of the store, not the table: at
// 40,000 records a second the parts hold its lock for 4% of the time (docs/benchmarks.md). The answer
// to a NAS waits for a sync that it shares with at most maxUnderWay parts. Parts wait some milliseconds
// for such a sync ([sessions.Change] Patient), so that a NAS seldom waits for one of parts alone.
//
// # Concurrency
//
// Each resync has a goroutine, which ends with the resync or with Run. It alone makes its parts.
// Resyncs.mu guards the map of jobs and what their status shows; it is never held over a call. The
// status is as of the newest durable part.
//
// # Layout
//
// The state of a resync is stored under the key "y" and the name of its method. It stays after the
// end, for the status. All integers are big-endian:
//
//	version(1) state(1: 1 running, 2 done, 3 canceled) type(1: 1 Start, 3 Interim-Update) rate(4)
//	began(8, seconds since 1970) ended(8, 0 while it runs) next(4)
//	before(8, nanoseconds since 1970 on the table's clock) total(8) sessions(8) records(8)
//	elsewhere(8) stopOnly(8) fallback(8) nullUsername(8)
//
// The last four count the sessions that were left out, by [accounting.LeftOut].
package resync
