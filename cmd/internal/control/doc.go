// Package control is how the command line talks to the daemon (R32, R70):
// HTTP/1.1 with JSON over a unix socket. [Server] is the daemon's half, [Client]
// the command's.
//
// # Requests
//
//	GET  /v1/sessions              the live sessions, see [Query] for the parameters
//	GET  /v1/status                [Status]
//	POST /v1/sessions/disconnect   ends sessions; the body is a [DisconnectRequest]
//
// The lists are one JSON object, written as it is made: the counts first, then
// the sessions, one a line:
//
//	{"total":2,"matched":1,"sessions":[
//	{"id":"0000000D","number":13,...}
//	]}
//
// With an [Accounting] there are, too:
//
//	GET  /v1/server-groups                   [ServerGroupList]
//	GET  /v1/server-groups/{name}            [ServerGroup]
//	POST /v1/server-groups/{name}/acct-on    has an Accounting-On sent; the body is a [PerformRequest],
//	POST /v1/server-groups/{name}/acct-off   or an Accounting-Off; or none; the answer a [ServerGroup]
//	GET  /v1/acct-on-off-groups              [OnOffGroupList]
//	GET  /v1/spool                           [SpoolStatus]
//	GET  /v1/spool/set-aside                 [SetAsideList]
//	GET  /v1/spool/set-aside/{seq}           [SetAside] with its attributes
//	POST /v1/spool/replay                    the body is a [RecordsRequest], the answer a [RecordsAnswer]
//	POST /v1/spool/drop                      the same
//	POST /v1/spool/reroute                   the body is a [RerouteRequest], the answer a [RecordsAnswer]
//	POST /v1/spool/forget-damage             no body, the answer is a [ForgetAnswer]
//
// Those lists come in parts: limit is how many items to give (1..1000, else 100),
// after the name or number behind which to begin, and the answer's next the after
// of the part that follows. A name in a path is escaped as by [net/url.PathEscape].
//
// Whatever is wrong is answered with {"error":"..."} and a status: 400 for a
// request that is malformed, 404 for an unknown path, an id that is not live and a
// server group, record, queue or list that is not there, 405 for the wrong method, 409
// for what the state of a server group, record or queue does not allow, 413 for a body of more than
// 1 MiB, 503 when nothing can be made durable now or too much is asked at once (64
// requests). What is not HTTP at all gets the plain text 400 of net/http.
//
// Times are RFC 3339, durations seconds, sizes octets. Names of sessions come from
// the network. In JSON they are the octets that the NAS sent, where these are UTF-8;
// an octet that is not is written \xHH.
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
