// Package crashtest judges what was seen from outside of a daemon that is killed and started again (R6,
// R60): what NASes sent, which of it was answered, what arrived at the accounting servers, and what
// the daemon itself told.
//
// # What must hold
//
// "Before" and "after" are the order of the history. A record is superseded if it is an interim
// and its session sent another record after it.
//
// A NAS that crashes loses its sessions: it says nothing more of them. A lost session is ended by the next start of its
// name, if the NAS reuses its ids, or by an Accounting-On.
//
//  1. When the daemon is asked, each session whose start was answered before, and whose stop was not
//     yet sent, is in the table; one whose stop was answered before is not; none is there twice, and
//     none that no NAS began. A lost session stays until what ends it is sent, and is gone when that is answered.
//  2. Only what was sent arrives. All that was answered arrives, superseded records excepted, and
//     arrives first in the order in which the session sent it, whichever servers of whichever methods
//     it comes to: no record comes to any of them for the first time after one that was sent when the
//     first was answered already. What is answered out of order, or not at all, may arrive so. Copies may come at
//     any time: delivery is at least once; a late copy of an interim may even be recorded again in a
//     session with more than four (R24).
//  3. All records of a session arrive with one number, no two sessions have the same, and the table
//     tells the same number as soon as the start is answered.
//     So two sessions of one name are two sessions: each has its number.
//  4. A lost session that has been ended gets a stop that the daemon makes, and nothing else does. Of each session, the stop that
//     is the last to arrive has the largest counters that the NAS was answered for.
//  5. The counters never fall, and agree with what was sent and answered: casnTotalSessions is not
//     less than the starts answered, nor more than those sent, and so on for the high-water mark.
//     A view may be ahead of the disk by what no NAS was answered for (see sessions.Table.View), so
//     a kill may take back as many sessions as had starts without answer.
//  6. The daemon comes up after each kill, and in the end all that was sent is answered.
//
// # Versions
//
// A history may begin with an older version ([Older]) that keeps order within the queue of a method only. What was sent to it
// may wait in any queue when the present one takes over ([Present]), so its order is not judged: neither among such
// records, nor between one of them and a later one. All else is, and the order of what was sent since.
//
// A [Checker] has no clock, no lock and no goroutine: one goroutine at a time adds to it.
package crashtest
