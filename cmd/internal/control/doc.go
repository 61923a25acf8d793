// Package control is the server of the control socket (R32, R70). Package api defines its requests
// and answers, and package apiclient is the client. [Server] answers requests for sessions from the
// session table, and passes requests for server groups and the spool to an [Accounting].
//
// # Access
//
// Every user who may connect may end sessions, and have events recorded that no NAS has reported
// ([api.SimulateRequest]). The socket has mode 0660 and the group of the
// configuration. It is bound in a folder that only the daemon may enter, gets its mode and group
// there, and is then moved to its path, so no other user can ever connect to it. A stale socket of
// a killed daemon is replaced. A socket of a running daemon is an error. The log names the user of
// each request that changes something.
//
// # Limits
//
// The socket has at most [api.MaxConnections] connections and [api.MaxRequests] requests at the same
// time. Idle connections are closed: after 30 s without a first request, after a minute without a
// next one, and at once where a new connection needs their place. A request that arrives meanwhile is
// not carried out: its client gets a 503, or no answer.
//
// A stream of accountable events has no time limit, not even for a client that does not read: people
// stop the output of a terminal to read it. Events are left out then ([taps.Listener]). There are at
// most [api.MaxListeners] streams.
//
// # Concurrency
//
// A request reads one [sessions.View] and holds no lock. It changes sessions only by
// [sessions.Table.Disconnect]. The [Accounting] owns its own state and locks. A disconnect that
// waits reads the events of its sessions from a [termination.Watcher]. A mutex guards the map of
// status sections, and is held for a look-up only. Every request ends when the context of
// [Server.Run] is done.
package control
