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
// Whatever is wrong is answered with {"error":"..."} and a status: 400 for a
// request that is malformed, 404 for an unknown path or an id that is not live,
// 405 for the wrong method, 413 for a body of more than 1 MiB, 503 when nothing
// can be made durable now or too much is asked at once (64 requests). What is
// not HTTP at all gets the plain text 400 of net/http.
//
// Names of sessions come from the network. In JSON they are the octets that the
// NAS sent, where these are UTF-8; an octet that is not is written \xHH.
//
// # Who may connect
//
// The socket has mode 0660, and the group of the configuration: who may connect
// may end sessions. It is bound in a folder that only the daemon may enter, gets
// mode and group there, and is then moved to its place, so it is never open to
// anybody else. A socket on which nobody listens is replaced; one on which
// somebody does is an error. The log says which user has disconnected.
//
// # Who owns what
//
// Requests read the [sessions.View] of their moment and never hold a lock. The
// one thing they change is what [sessions.Table.Disconnect] changes. The map of
// status sections and that of awaited outcomes have a lock each, held for a
// look-up only. Every request ends with the Server's context.
package control
