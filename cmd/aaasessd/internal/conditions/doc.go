// Package conditions decides whether the spool is over a threshold, the disk is short, new events are
// refused, and methods are blocked; and it tells SNMP managers when that changes (AAASESS-MIB).
//
//	parts of the daemon -- Sample, once a second --> [Machine] -- changes --> [statechange.Sender]
//	                                                    |                          |
//	                                                 [States]                  told, and kept in a file
//
// One rule for all: the metrics, the objects of the MIB module, the notifications, what is blocked on the
// status page and the reasons of "aaasess show status" come from the same [States]. The reasons, and the status page, also tell what is
// wrong before it has lasted [Limits.BlockedAfter]: servers that do not answer, and a group that is held.
//
// # Rules
//
//   - The spool is over when the records that wait, or the age of the oldest, reach their thresholds
//     ([Limits]), or when the store is larger than four fifths of its maximum. It is normal again when records
//     and age are below nine tenths of the thresholds, and the size is no longer warned of.
//   - The disk is short as long as the store warns of that; new events are refused as long as the store
//     says so. The store has its own hysteresis for both.
//   - A method is blocked when records that could be sent have waited for [Limits.BlockedAfter] and none has
//     left its queue in this time: neither delivered by this method or another one of their list, nor set
//     aside. Records that wait for the address of their user (delay-start) could not be sent. A group is also
//     blocked while all of its servers are dead for Access-Requests. The method is flowing again with the
//     next record that leaves, when none waits any more, or when a server answers.
//
// # Restarts
//
// A file in the state folder has the bad states that managers were told. At the start these are the present
// states: what is still bad is not told again, and what is good by now is told. Without the file
// everything counts as good. A state that changes, but is not told before the process is killed, is told by
// the next one.
//
// # Who owns what
//
// The [Machine] belongs to the goroutine of [Watcher.Run]. All methods of the [Watcher] may be called from any
// goroutine; they take short locks only.
package conditions
