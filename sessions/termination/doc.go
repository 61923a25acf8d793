// Package termination ends sessions at their NASes: spec R5, R30, R31.
//
// A [Terminator] asks the NAS of each session that [sessions.Table.Disconnect] has marked, through a
// [Disconnector], and repeats that until the session has ended (terminator.go, attempt.go).
// [Terminator.Status] returns the progress of a session. A [Watcher] (watch.go) gets an event when an
// attempt has finished, and another when the end of the session is durable, in the order in which
// they happened.
//
// # The order of stops and answers
//
// An answer and the stop that it causes may overtake each other, and whose Acct-Terminate-Cause
// counts depends on the answer. So sources of events send them through [Terminator.Apply], where a
// stop waits a moment for the outcome of the attempt under way. When the row of a session ends, the
// table says so under its lock ([sessions.Table.OnEnd]), and nothing more is sent: a later request
// could end the user's next session.
//
// # Who owns what
//
// [Terminator.Run] owns the jobs, one for each session, and the heap of those that wait. Each attempt
// has a goroutine while it is under way. The Terminator's lock guards what others read. It may be
// taken under the table's lock, never the other way round; a Watcher's lock is below it.
package termination
