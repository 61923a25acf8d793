// Package mib is the tree of managed objects that both SNMP agents serve: the AgentX subagent and
// the embedded responder. It knows neither the protocols nor the meaning of the objects.
//
// A module (such as package mib/casn) describes its objects as data: a literal of [Scalar] and
// [Column] values, each with its OID, SYNTAX, MAX-ACCESS and a function that reads one value. [New]
// sorts the objects of all modules into one list by OID. GetNext is a binary search in that list,
// followed by a request to the object found.
//
// # Consistency
//
// A [Reader] pins one state of a module for one request: all variables of one PDU are answered from
// the same moment, even if the module changes meanwhile. A module's Pin must return an immutable
// value and must not block. A Reader belongs to one goroutine; a Tree may be shared.
//
// # Writing
//
// A SET has the phases of RFC 3416 section 4.2.5 and RFC 2741 section 7.2.4: [Tree.Test] checks
// everything and changes nothing; [Set.Commit] follows, then [Set.Undo] or [Set.Cleanup]. The
// [Writer] of a module gets all of its assignments together, so it can make all or none.
package mib
