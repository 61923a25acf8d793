// Package sessions is the live session table: what NASes report becomes
// sessions, each with a number of its own (spec terms: session id), a life
// cycle and the counters of CISCO-AAA-SESSION-MIB.
//
// # The walk of an event
//
// [Table.Apply] takes the table's lock, looks for the sessions that the event
// may be of (find.go), asks the pure machine (machine.go) which it is and what
// the event does to it, hands the outcome to the [Journal] and lets
// go. The Journal makes state, counters and accounting records durable in one
// commit and only then calls back; the caller answers the NAS there. Changes
// reach the Journal in the order of their decisions, and a duplicate is an
// empty change: its answer too waits until what it repeats is durable.
//
// # Whose packet, and what is a copy
//
// Spec R24 and R25 are the rules. NASes are never merged: each packet is compared
// with each session that an index (names.go) finds by its identifiers and address.
// A copy is told by what it says (prints.go). A session that is over is remembered
// in at most 250 octets (ended.go), so that what its NAS still says of it goes
// upstream under its number. The host's clock decides nothing: the table has one
// of its own, which never steps, not even over a restart (clock.go).
//
// An Accounting-On of a NAS with many sessions is answered when a mark is durable;
// [Table.Run] then ends the sessions in the background (closing.go).
//
// # Reading
//
// Readers never take the lock. A [View] is an immutable, ordered state of the
// table, published after each batch of commits; SNMP and the command line read
// from it. Its counters are never ahead of the disk, so they never fall. [Session] values never change once they are in a view: an event
// makes a new one.
//
// # The end of sessions
//
// The [Terminator] asks NASes to end sessions, as often as it takes (terminate.go, attempt.go).
// Whoever wants to know how that goes has a [Watcher] (watch.go): it is told of each attempt
// that has come back, and of the end of the session when that is durable, in the order in which
// these happened. There are no other ways to learn of it than the Watcher's events, and
// [Terminator.Status] for the state.
//
// # Who owns what
//
// The Table owns ids, the index by NAS and Acct-Session-Id, and the keys
// "c", "s"+id, "n"+number and "r"+number of the durable state (codec.go). The Journal owns
// what a [Route] says; the table keeps it with the session, whatever the Journal would
// say later. The [Terminator] owns the
// attempts to end sessions. Attribute octets are those of RFC 2865 section 5,
// whatever the source: they are the one notation that every AAA protocol can
// be mapped to and from.
package sessions
