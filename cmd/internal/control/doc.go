// Package control is the daemon's end of the control socket (R32, R70): package api has its requests and
// answers, package apiclient the other end. [Server] answers from the table of sessions, and asks an
// [Accounting] for what concerns server groups and the spool.
//
// # Who may connect
//
// The socket has mode 0660, and the group of the configuration: who may connect
// may end sessions. It is bound in a folder that only the daemon may enter, gets
// mode and group there, and is then moved to its place, so it is never open to
// anybody else. A socket on which nobody listens is replaced; one on which
// somebody does is an error. The log says which user has disconnected, had an
// Accounting-On or -Off sent, or replayed, dropped or rerouted records.
//
// # Who owns what
//
// Requests read the [sessions.View] of their moment and never hold a lock. The
// one thing they change is what [sessions.Table.Disconnect] changes, and what the
// [Accounting] does for the requests to it: all its state and locks are its own. A
// disconnect that waits reads the events of its sessions from a [sessions.Watcher].
// The map of status sections has a lock, held for a look-up only. Every request ends
// with the Server's context.
package control
