// Package aaasess has the objects and notifications of AAASESS-MIB, our own module (mibs/AAASESS-MIB.txt):
// the state of the daemon, of its disk and spool, and of the methods that records go to. Everything is
// read-only.
//
// The module is registered below an enterprise number (RFC 5612 has one for documentation, [Enterprise]).
// [New] creates it for a number, and [Text] returns the text of the module for one.
//
// # Consistency
//
// Reading pins a [View], which is immutable, so all variables of one PDU are from one moment. Command
// aaasessd makes the views, and its package conditions decides about the states; this package only shows
// them. It has no lock and starts no goroutine.
package aaasess
