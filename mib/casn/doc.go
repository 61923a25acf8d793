// Package casn is CISCO-AAA-SESSION-MIB over the live session table: what each
// of its objects means for a session (objects.go) and what a SET of
// casnDisconnect does (set.go). The module text is mibs/CISCO-AAA-SESSION-MIB.txt;
// a test holds the two against each other.
//
// Reading pins a sessions.View, so all variables of one PDU come from one
// state of the table; only casnIdleTime counts on, to the moment of the GET.
package casn
