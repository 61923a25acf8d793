// Package casn implements CISCO-AAA-SESSION-MIB for the session table: the values of its objects
// for a session (objects.go), and the SET of casnDisconnect (set.go). The module text is
// mibs/CISCO-AAA-SESSION-MIB.txt; a test compares both.
//
// Reading pins a sessions.View, so all variables of one PDU are from one state of the table. Only
// casnIdleTime is computed at the time of the GET.
package casn
