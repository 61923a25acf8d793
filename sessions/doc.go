// Package sessions is the live session table. It makes sessions from what NASes, and programs on this
// host, report. Each
// session has a number (spec terms: session id) and a life cycle, and is counted in the scalars of
// CISCO-AAA-SESSION-MIB. The name of a session is its NAS and its Acct-Session-Id.
//
// # The walk of an event
//
// [Table.Apply] takes the table's lock and finds the sessions that the event may belong to
// (find.go). Pure functions (machine.go) choose one of them and decide what the event does to it.
// Apply hands the result to the [Journal] and releases the lock. The Journal makes state, counters
// and accounting records durable in one commit. Then it calls back, and the caller answers the NAS.
// Changes reach the Journal in the order of their decisions. A copy of a packet is an empty change,
// so its answer waits until the original is durable.
//
// # Whose packet, and what is a copy
//
// Spec R24 and R25 are the rules; docs/sessions.md has them as tables. There is no list of NASes.
// An index (names.go) finds sessions by the packet's Acct-Session-Id and the identifiers or address
// of its NAS, and the packet is compared with each of them. A packet whose fingerprint the session
// has is a copy (fingerprints.go). An ended session is remembered in at most 250 octets (ended.go),
// so its late packets go upstream under its number. The host's clock decides nothing: the table has
// a clock of its own, which never steps, not even over a restart (clock.go).
//
// An Accounting-On or -Off of a NAS with many sessions is answered when a mark is durable.
// [Table.Run] then ends the sessions in the background (closing.go).
//
// The stop of an exec session may wait, in the durable state, for those of the network sessions that
// were started from it (nested.go).
//
// # Calls
//
// A session of kind [Resource] is a call (R51): the life of a line from call setup to disconnect. It
// lives as other sessions do, but it is no row (call.go). A packet about a call belongs to no session
// of a user, and the reverse. A call and the sessions of users that begin in it, on the same line,
// get one Acct-Multi-Session-Id. If none begins in it, the call has failed.
//
// A session of kind [VRRS] is the time that a NAS is the master of a group of routers. It is no row
// either (vrrs.go).
//
// # Events without a session
//
// A command is an event without a session, and so is the end of a session before its start, as by a
// failed login ([OneOff], oneoff.go). [Table.Record] gives each a number and commits its record.
// Nothing else in the table changes, but that a call with an accepted user has not failed.
//
// # Logins
//
// If logins go through us too, the [Admissions] (package admission) say what a session begins with: what
// the Access-Accept of its user granted, and its Acct-Session-Id upstream (admission.go). The row shows
// the user's name and address of the Accept. Packets are matched, and NASes asked, by what the NAS says.
// A login may have the number of its session before that begins (numbers.go), and be a row for SNMP
// (setups.go).
//
// # Sessions of this host
//
// Programs on this host report sessions without a packet (local.go). The address of their NAS is a
// [LocalAddr], which names their owner. Whoever makes such an event may refuse it when the table has
// found its session ([Event.Permit]), and learns what it has done ([Outcome]). A start ends a live
// session of its name, whoever its user is, and a stop without a session time gets one.
//
// Such a session may say how it is ended ([Session.End], ending.go), and have a network interface of its
// own (link.go, links.go). Samples of its counters ([Table.Refreshed]) are kept beside the session and need
// no commit: [Session.Used] and [Session.ActiveAt] have them.
//
// # Reading
//
// A [View] is an immutable, ordered state of the table; SNMP and the command line read from it. The first
// reader after a batch of commits makes it, for which it takes the lock for a moment; others need no lock.
// Its counters are never ahead of the disk, so they never fall. A [Session] in a view
// never changes, except for the samples of its interface: an event makes a new one.
//
// # The end of sessions
//
// [Table.Disconnect] marks sessions that are to be ended. Package termination asks their NASes to do
// that. It needs only a few methods of the table (table_end.go): [Table.MakeFinal], [Table.Acked],
// [Table.End], and [Table.OnEnd], which tells it that a row has ended.
//
// # Who owns what
//
// The Table owns the ids, the index by NAS and Acct-Session-Id, and the keys "c", "s"+id,
// "n"+number, "r"+number and "w"+id of the durable state (codec.go). The Journal owns the meaning of
// a [Route]. The table keeps the Route with the session, even if the Journal would decide differently
// later.
//
// Attributes are the octets of RFC 2865 section 5, whatever their source: every AAA protocol can be
// mapped to and from this notation.
package sessions
