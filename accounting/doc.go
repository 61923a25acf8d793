// Package accounting takes what happens to sessions to where it is accounted:
// spec R40 to R46, R60, R64; RFC 2866.
//
// # The walk of a record
//
// [Router] is the [sessions.Journal]. For each notice it asks the [Policy] for
// the method list of the session's kind, composes the attributes ([Compose])
// and commits the record to the queue of the list's first method, in one
// change with the session's state. A [Deliverer] per method reads its queue and
// hands the records to its [Method]. A record that nobody answers goes on to
// the queue of the next method of its list, which it carries with it: a changed
// policy concerns events to come only.
//
// Nothing here refuses or delays a session (R64): the Router never waits, and
// whatever becomes of delivery, the store keeps what is not delivered.
//
// # Who owns what
//
// The store owns the queues; their names are [MethodName.Queue] and
// [RefusedQueue]. A Deliverer is its queue's only reader and owns what it has
// read: lanes (lane.go), one per session, whose first record may be under way;
// and health (health.go), how many records may be under way at all. Both are
// touched by [Deliverer.Run]'s goroutine only. Results of methods and of
// commits come in through one locked list; the lock is never held over a call.
//
// A Deliverer holds a bounded number of records in memory. Those of sessions
// that must wait are given up and read again when they are due.
//
// # Layout
//
// All integers are big-endian; a name is its length in one octet and its
// octets. Version 1 of a record:
//
//	version(1) type(1) session(4) at(8, nanoseconds since 1970)
//	list(name) methods(1) method(name)... length(2) attributes
//
// Attributes are those of RFC 2865 section 5. Version 1 of a refused record:
//
//	version(1) at(8) queue(name) length(2) reason record
package accounting
