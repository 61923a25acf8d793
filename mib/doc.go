// Package mib is the tree of managed objects that both SNMP faces serve: the
// AgentX subagent and the embedded responder. It knows nothing of either
// protocol, nor of what the objects mean.
//
// A module (package mib/casn is one) describes its objects as data: a literal
// of [Scalar] and [Column] values, each with its OID, SYNTAX, MAX-ACCESS and a
// function that reads one value. [New] sorts the objects of all modules into
// one list by OID; GetNext is a binary search in that list and then a question
// to the one object found.
//
// # Consistency
//
// A [Reader] pins one state of a module for the length of one request: all
// variables of one PDU are answered from the same instant, however the module
// changes meanwhile. A module's Pin must return an immutable value and must not
// block. A Reader belongs to one goroutine; a Tree may be shared.
//
// # Writing
//
// A SET runs in the phases of RFC 3416 section 4.2.5 and RFC 2741 section 7.2.4:
// [Tree.Test] checks everything and changes nothing, then [Set.Commit], and
// [Set.Undo] or [Set.Cleanup]. All assignments that concern one module reach
// its [Writer] together, so that it can make them all or nothing.
package mib
