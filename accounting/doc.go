// Package accounting turns the events of sessions into accounting records and queues them for the
// methods that keep them: spec R40 to R48, R60, R64; RFC 2866.
//
// # From event to record
//
// [Router] is the [sessions.Journal]. At the first packet of a session it asks the policy (package
// [aaasess/accounting/policy]) for the session's [Route], which is stored with the session and never
// changes. For each notice the Router composes the attributes ([Compose]) and commits the record to
// the queue of the route's first method, in one change with the session's state. The record itself
// lists the other methods of the route. If the route is a broadcast (R44), the change has a copy of
// the record for the queue of each method, and no copy lists another method. A broadcast may send
// its interims only to the first method. Package [aaasess/accounting/delivery] reads the queues and
// passes each record to a [Method] of its route.
//
// So all records of a session are in one queue, or in each queue of its broadcast, in order,
// including late ones after its end. A changed policy affects only later sessions. A session that
// began without a list, or with a list of type none, has no route and never gets one.
//
// Stores of earlier versions have sessions without routes. [Router.Adopt] gives such a session the
// route of its present list. If the newest waiting record of the session is in another queue, the
// method of that queue comes first. Records that an earlier version moved between queues keep the
// order that they have now.
//
// A route may say that the session is not recorded while it has no User-Name (R48, "suppress
// null-username"). That does not depend on the first packet alone, because a NAS may learn the
// User-Name later: the packet that brings it, and all later ones, are recorded. Events of no session
// are recorded all the same.
//
// Package [aaasess/sessions/interim] makes interims for sessions whose NASes send none (R47). They
// are notices like those of a NAS. A second start of a session becomes an interim, which the Router
// leaves out if newinfo is off ([Router.SetNewInfo]).
//
// A resync (package [aaasess/accounting/resync], R65) repeats live sessions for one method. Such a
// record goes to this method only (resync.go). It stands in the queue where the other records of its
// session stand, so it keeps its place among them.
//
// A route may say that the start of a network session waits for the address of its user (R45a,
// "delay-start"). The record of such a start has a hold, for which the delivery keeps it back.
//
// Attributes that a NAS sends wrongly are left out of the record and counted ([Dropped], R35).
// radius.Dictionary.InAccounting says how often each attribute may occur.
//
// Events other than start, interim and stop ([sessions.Other], R27: tunnel events, Failed) are
// recorded only by start-stop lists:
//
//   - An Other of a session with a route, live or ended, uses that route, so it stays in order with
//     the session's records.
//   - If that route is stop-only or stop-failure, the event is not recorded, with one exception:
//     the session is not of kind network and the present network list is start-stop. Then the event
//     goes into the session's queue.
//   - An Other of no session, or of a session of another kind without a route, uses the present
//     network list.
//
// Accounting-On and Accounting-Off belong to no session and are never in a queue. Package
// [aaasess/accounting/onoff] sends them, and says when records must wait for one.
//
// Nothing here refuses or delays a session (R64). The Router never waits, and the store keeps every
// record until it is delivered.
//
// The store owns the queues. Their names are [MethodName.Queue] and [SetAsideQueue].
//
// # Layout
//
// All integers are big-endian. A name is one octet of length and its octets. A record has one form
// for all protocols and accounting types: TACACS+ and the MIBs translate it. Version 3 of it:
//
//	version(1) type(1) session(4) at(8, nanoseconds since 1970)
//	kind(1) lane(4) hold(4, milliseconds)
//	list(name) methods(1) method(name)... nas-session(name) length(2) attributes
//
// kind is the accounting type. lane is the number of the session whose records this one is kept in
// order with, 0 for its own. hold is how long a start waits for the address of its user, 0 for not
// at all. nas-session is the Acct-Session-Id that the NAS sent, empty if it sent none.
//
// Version 4 is the same. It is of type 255, its session is the number of a live session, and the
// Acct-Session-Id of that session upstream is another (R55).
//
// Version 2 is the same as 3 without kind, lane and hold: its kind is what the name of the list begins
// with. Version 1 also lacks nas-session. A record has the lowest version that says all of it, so
// after a downgrade all records can be read that do not need a newer version.
//
// The type is 1 Start, 2 Stop, 3 Interim-Update, or 255 for any other Acct-Status-Type, which is in
// the attributes. Stores of earlier versions have no 255. 65 and 67 are the Start and Interim-Update
// of a resync, which earlier versions cannot read.
//
// The session is our session number. A record of type 255 whose session is not live has a
// placeholder instead: the 32-bit FNV-1a hash of the NAS's name (its NAS-Identifier, else
// NAS-IP-Address or NAS-IPv6-Address as text, else the source address), a zero octet and the NAS's
// Acct-Session-Id. The placeholder only keeps the records of one NAS and id in order. If it equals
// the number of a session, the two wait for each other and nothing is lost. The Acct-Session-Id
// attribute of such a record is the NAS's own.
//
// Attributes are encoded as in RFC 2865 section 5. Version 1 of a record set aside:
//
//	version(1) at(8) queue(name) length(2) reason record
//
// Version 2 of a route, which is part of the state of a session:
//
//	version(1) record type(1: 1 start-stop, 2 stop-only, 3 stop-failure) flags(1)
//	list(name) methods(1) method(name)... reason(name)
//
// The flags are the sum of 1 for a broadcast, 2 for a broadcast whose interims go only to the first
// method, 4 if no records are made while the session has no User-Name, and 8 if the start waits for
// the address of the user: then its hold(4, milliseconds) follows the reason. Version 1 is the same
// without flags and reason. It is written for a route that needs neither.
package accounting
