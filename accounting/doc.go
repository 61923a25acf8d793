// Package accounting takes what happens to sessions to where it is accounted:
// spec R40 to R46, R60, R64; RFC 2866.
//
// # The walk of a record
//
// [Router] is the [sessions.Journal]. At the first packet of a session it asks
// the [Policy] for the method list of the session's kind: that is the session's
// [Route], which is stored with it and never changes. For each notice it composes
// the attributes ([Compose]) and commits the record to the queue of the route's
// first method, in one change with the session's state. A [Deliverer] per method
// reads its queue and hands the records to its [Method]. A record that nobody
// answers goes on to the queue of the next method of its route, which it carries
// with it.
//
// So all records of a session, late ones after its end too, stand in one queue, in
// order: a changed policy concerns sessions to come only. A session that began
// without a list, or with one of type none, has no route and gets none later. A session
// of a store from before routes were kept ([Router.Adopt]) gets the route that its list
// gives today; but if its newest waiting record stands in another queue, that queue's
// method comes first. What was moved before stays in the order in which it stands.
//
// What a NAS sends wrongly is left out of the record and counted ([Dropped],
// R35): limits.go is how often each attribute may come. Events that are no
// start, interim or stop ([sessions.Other], R27: those of tunnels, Failed) are of
// start-stop lists only. One of a session that has a route, live or remembered, goes by that
// route, to stay in order with all else of its session. If it is a
// stop-only route, the event is left out, unless the session is of another kind than network
// and today's network list is a start-stop one: then it is recorded, in the
// session's queue. Events of no session, and those of sessions of another kind that go
// nowhere, go by today's network list.
//
// Accounting-On and -Off are no records of a session and never in a queue: package
// [aaasess/accounting/onoff] sends them, and says when a Deliverer must wait for one ([Hold]).
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
// # The life of an item
//
// An item is a record that a Deliverer has read. The items of a session stand
// in a lane, and what is said here of an item is so for the first of its lane:
//
//	read ----> ready ----> under way ----> gone (delivered, or moved)
//	             ^          |  |  |  |
//	             | due      |  |  |  +-- refused ----------> set aside
//	             |          |  |  |                              ^
//	          waiting <-----+  |  +-- not answered --> suspect   | Rounds
//	          (stopped)        |                        |   ^    | are over
//	                           |                    due |   |    |
//	                           |                        v   |    |
//	                           |                     overdue ----+
//	                           |                     (under way again)
//	                           +-- the first that is not answered ---> probe
//
// What is not answered, with its schedule over, goes on to the next method of its
// list if it has one. Otherwise, and before that, it is a suspect: it may be the
// fault of the record, so once its time has come it is overdue, not ready, and has
// a quarter of the window. It is set aside after [DelivererConfig].Rounds
// schedules that ended while others were answered, unless so many losses may be
// chance on a way that loses others too. When the Deliverer knows of more than half
// of [DelivererConfig].Waiting records, those that went unanswered while others were
// answered, and cannot be by chance, wait no longer (relieve.go): they go to their
// next method or are set aside, so that there is always room to read on.
//
// # A method that is away
//
// A method is down from when a record is not answered that was not known for it,
// and nothing else was since it was sent, until anything is. If its schedule goes
// on, in a back-off, that record is the probe: until its schedule is over the
// method gets its transmissions, to the moment, and nothing goes elsewhere. From
// then on, and at once without a back-off, what has a next method goes there, and
// the rest is probed one at a time. An answer ends it: all that waits in its
// back-off is due, and the window opens from one.
//
// A probe that is its own fault must not hide that the server is there. So every
// other transmission is another record's, with the probe's [Progress]; and between
// them a record that never was transmitted gets an extra try with that progress,
// one at a time and one in [DelivererConfig].RetryMax, unless it might not be over
// when the probe is due. An extra try that is not answered changes nothing: not the
// probe's schedule, and the record's own still begins at zero.
//
// While a method is down or held ([Hold]) a second reading of the queue, which
// keeps no records, drops interims that a later interim or the stop of their
// session supersedes (supersede.go). The later interim is that of the later event;
// what is replayed stands behind newer ones. An interim behind a stop, of a session
// that came back, is not superseded by that stop. The reading keeps the number and the
// time of one interim for each session whose last record is one, 2,097,152 at most
// (106 MB, some 53 octets each); beyond that it forgets them all, and drops less.
//
// # Layout
//
// All integers are big-endian; a name is its length in one octet and its
// octets. Version 1 of a record:
//
//	version(1) type(1) session(4) at(8, nanoseconds since 1970)
//	list(name) methods(1) method(name)... length(2) attributes
//
// The type is 1 Start, 2 Stop, 3 Interim-Update, or 255 for any other
// Acct-Status-Type, which is in the attributes. Stores from before have no 255.
//
// The session is our number. A record of type 255 whose session is not live has
// instead the 32-bit FNV-1a hash of the NAS's name (its NAS-Identifier, else
// NAS-IP-Address or NAS-IPv6-Address as text, else the source address), a zero
// octet and the NAS's Acct-Session-Id. It only keeps the records of one NAS and
// id in order. If it is the number of a session too, the two wait for each other
// and lose nothing. Its Acct-Session-Id attribute is the NAS's own.
//
// Attributes are those of RFC 2865 section 5. Version 1 of a refused record:
//
//	version(1) at(8) queue(name) length(2) reason record
//
// Version 1 of a route, which the state of sessions has:
//
//	version(1) record type(1: 1 start-stop, 2 stop-only) list(name) methods(1) method(name)...
package accounting
