// Package sessions is the live session table: what NASes report becomes
// sessions, each with a number of its own (spec terms: session id), a life
// cycle and the counters of CISCO-AAA-SESSION-MIB.
//
// # The walk of an event
//
// [Table.Apply] takes the table's lock, asks the pure machine (machine.go) what
// the event does to its session, hands the outcome to the [Journal] and lets
// go. The Journal makes state, counters and accounting records durable in one
// commit and only then calls back; the caller answers the NAS there. Changes
// reach the Journal in the order of their decisions, and a duplicate is an
// empty change: its answer too waits until what it repeats is durable.
//
// # Reading
//
// Readers never take the lock. A [View] is an immutable, ordered state of the
// table, published after each batch of commits; SNMP and the command line read
// from it. [Session] values never change once they are in a view: an event
// makes a new one.
//
// # Who owns what
//
// The Table owns ids, the index by NAS and Acct-Session-Id, and the keys
// "c" and "s"+id of the durable state (codec.go). The [Terminator] owns the
// attempts to end sessions. Attribute octets are those of RFC 2865 section 5,
// whatever the source: they are the one notation that every AAA protocol can
// be mapped to and from.
package sessions
