// Package api is the vocabulary of the control socket, by which the command line talks to the daemon (R32, R70):
// HTTP/1.1 with JSON over a unix socket. It has the paths, the bodies and the limits, for both ends: the server
// (cmd/internal/control) and the client (cmd/internal/apiclient). It imports the standard library only, so that the
// client links nothing of the daemon.
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
// These are asked of the daemon's accounting:
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
// Whatever is wrong is answered with a [Problem], {"error":"..."}, and a status: 400 for a
// request that is malformed, 404 for an unknown path, an id that is not live and a
// server group, record, queue or list that is not there, 405 for the wrong method, 409
// for what the state of a server group, record or queue does not allow, 413 for a body of more than
// 1 MiB, 503 when nothing can be made durable now or too much is asked at once (64
// requests). What is not HTTP at all gets the plain text 400 of net/http.
//
// Times are RFC 3339, durations seconds, sizes octets. Names of sessions come from
// the network. In JSON they are the octets that the NAS sent, where these are UTF-8;
// an octet that is not is written \xHH.
package api
