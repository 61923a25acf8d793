// Package crashtest checks the history of a daemon that is killed and started again (R6, R60). A
// history has what can be observed from outside: the records that NASes sent, their answers, the
// arrivals at the accounting servers, and the daemon's own table and counters.
//
// # What must hold
//
// "Before" and "after" refer to the order of the history. A record is superseded if it is an
// interim and its session sent another record after it. A NAS that crashes loses its sessions: it
// sends no more of their records. A lost session is ended by an Accounting-On, or by the next start
// of its name if the NAS reuses its ids.
//
//  1. The table has each session whose start was answered before the query, unless its stop was
//     already sent. It has no session whose stop was answered before the query. It has no session
//     twice, and none that no NAS started. A lost session stays until its end is sent, and is gone
//     when that is answered.
//  2. Only records that were sent arrive. All answered records arrive, except superseded ones. If a
//     record was answered before its session sent the next one, they arrive in that order, at
//     whatever servers and methods. Copies may arrive at any time, because delivery is at least
//     once. A late copy of an interim may even be recorded again in a session with more than four
//     interims (R24).
//  3. All records of a session arrive with one number. No two sessions have the same number, not
//     even two sessions of one name. Once the start is answered, the table has that number.
//  4. The daemon generates a stop for each lost session that has been ended, and for no other. The
//     last stop of a session to arrive has the largest counters that the daemon has answered.
//  5. The counters never fall, and agree with the records. casnTotalSessions is at least the number
//     of answered starts and at most the number of starts sent. The high-water mark has similar
//     bounds. The table may be ahead of the disk (see sessions.Table.View), so a kill may undo
//     sessions whose start was not answered.
//  6. The daemon starts again after each kill, and in the end every record that was sent is
//     answered.
//
// # Versions
//
// A history may start with an older version ([Older]), which keeps order only within the queue of a
// method. Records sent to it may wait in any queue when the present version follows ([Present]).
// The order of such records is not checked, neither among each other nor with later ones.
// Everything else is checked.
//
// # Concurrency
//
// A [Checker] has no clock, no lock and no goroutine. It must not be used by several goroutines at
// the same time.
package crashtest
