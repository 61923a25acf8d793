// Package local takes reports of programs on this host: hook scripts of pppd, OpenVPN, strongSwan,
// accel-ppp, PAM and others that have no RADIUS (R22). docs/local.md describes the interface for those
// who write hooks; package report has its messages.
//
// A [Server] serves HTTP on a Unix socket. Each report becomes an event of the session table, or an
// event without a session (event.go). It is answered when that is durable; a client that has gone, or
// that does not read, loses nothing but the answer.
//
// # Who may report
//
// The kernel tells who is at the other end of a connection. The rules of the configuration say what a
// user or a group may do (access.go); root may do all. A session belongs to the user, or to the group,
// whose rule let its start through: the address of its NAS says so ([sessions.LocalAddr]), so it is
// durable as the session is. Nobody else but root may report of it. The table asks under its lock
// ([sessions.Event].Permit), so nothing comes between the question and the event.
//
// # What is a copy
//
// A key names a report (keys.go). Without a key, the table's rules for packets hold (R24, R25): the At
// of a report is its Event-Timestamp.
//
// # Concurrency
//
// A Server's methods may be called from any goroutine. Each request has a goroutine of net/http, which
// waits for the table's journal.
package local
