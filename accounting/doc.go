// Package accounting takes what happens to sessions to where it is accounted:
// spec R40 to R46, R60, R64; RFC 2866.
//
// # The walk of a record
//
// [Router] is the [sessions.Journal]. At the first packet of a session it asks
// the [Policy] for the method list of the session's kind: that is the session's
// [Route], which is stored with it and never changes. For each notice it composes
// the attributes ([Compose]) and commits the record to the queue of the route's
// first method, in one change with the session's state. Package
// [aaasess/accounting/delivery] reads the queues and hands each record to a [Method] of
// its route, of which it carries all but the first.
//
// So all records of a session, late ones after its end too, stand in one queue, in
// order: a changed policy concerns sessions to come only. A session that began
// without a list, or with one of type none, has no route and gets none later. A session
// of a store from before routes were kept ([Router.Adopt]) gets the route that its list
// gives today; but if its newest waiting record stands in another queue, that queue's
// method comes first. What was moved before stays in the order in which it stands.
//
// What a NAS sends wrongly is left out of the record and counted ([Dropped],
// R35): radius.Dictionary.InAccounting is how often each attribute may come. Events that are no
// start, interim or stop ([sessions.Other], R27: those of tunnels, Failed) are of
// start-stop lists only. One of a session that has a route, live or remembered, goes by that
// route, to stay in order with all else of its session. If it is a
// stop-only route, the event is left out, unless the session is of another kind than network
// and today's network list is a start-stop one: then it is recorded, in the
// session's queue. Events of no session, and those of sessions of another kind that go
// nowhere, go by today's network list.
//
// Accounting-On and -Off are no records of a session and never in a queue: package
// [aaasess/accounting/onoff] sends them, and says when records must wait for one.
//
// Nothing here refuses or delays a session (R64): the Router never waits, and
// whatever becomes of delivery, the store keeps what is not delivered.
//
// The store owns the queues; their names are [MethodName.Queue] and [RefusedQueue].
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
