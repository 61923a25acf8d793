// Package api defines the protocol of the control socket between the command line and the daemon
// (R32, R70): HTTP/1.1 with JSON over a unix socket. It has the paths, the bodies and the limits
// for the server (cmd/internal/control) and the client (cmd/internal/apiclient). It imports only
// the standard library, so that the client links no code of the daemon.
//
// # Requests
//
//	GET  /v1/sessions              the live sessions, see [Query] for the parameters
//	GET  /v1/sessions/{id}         [SessionDetail]: one live session with its attributes
//	GET  /v1/status                [Status]
//	GET  /v1/debug                 a stream of [DebugLine]: lines of the log as they are written, see
//	                               [DebugFilter] for the parameters
//	GET  /v1/running-config        [RunningConfig], without secrets
//	GET  /v1/accounting            [AccountedSession]: the live sessions that are accounted, see
//	                               [Query] for the parameters; there is neither sort nor offset
//	GET  /v1/accounting/events     a stream of [EventLine]: accountable events as they occur, see
//	                               [EventFilter] for the parameters
//	POST /v1/accounting/simulate   records an event without a session as if a NAS had reported it; the
//	                               body is a [SimulateRequest], the answer is a [SimulateAnswer]
//	POST /v1/sessions/disconnect   ends sessions at their NASes; the body is a [DisconnectRequest]
//	POST /v1/notifications/test    sends a test notification; the body is a
//	                               [TestNotificationRequest] or empty, the answer is a stream of
//	                               [NotificationOutcome], one on each line
//	POST /v1/sessions/clear        ends sessions whose NASes are gone, without asking the NASes; the body
//	                               is a [DisconnectRequest] without wait
//
// The answers with several sessions are one JSON object: the counts, and then the sessions, one on
// each line. The server writes it as a stream:
//
//	{"total":2,"matched":1,"sessions":[
//	{"id":"0000000D","number":13,...}
//	]}
//
// The stream of accountable events has an [EventLine] on each line. It ends when the client closes the
// connection or the daemon ends. It never delays the daemon: events are left out if the client reads
// too slowly, or beyond about 10,000 a second, and a line says how many.
//
// Requests for server groups and the spool:
//
//	GET  /v1/server-groups                   [ServerGroupList]
//	GET  /v1/server-groups/{name}            [ServerGroup]
//	POST /v1/server-groups/{name}/acct-on    sends an Accounting-On; the body is a [PerformRequest]
//	                                         or empty, the answer is a [ServerGroup]
//	POST /v1/server-groups/{name}/acct-off   the same for an Accounting-Off
//	GET  /v1/server-groups/{name}/resync          the latest [Resync] of the group
//	POST /v1/server-groups/{name}/resync/begin    begins one; the body is a [ResyncRequest], the
//	                                              answer is a [Resync]
//	POST /v1/server-groups/{name}/resync/cancel   ends it; the body is empty, the answer is a [Resync]
//	GET  /v1/managed-servers                 [ManagedServers]
//	GET  /v1/acct-on-off-groups              [OnOffGroupList]
//	GET  /v1/spool                           [SpoolStatus]
//	GET  /v1/spool/set-aside                 [SetAsideList]
//	GET  /v1/spool/set-aside/{seq}           [SetAside] with its attributes
//	POST /v1/spool/replay                    the body is a [RecordsRequest], the answer is a
//	                                         [RecordsAnswer]
//	POST /v1/spool/drop                      the same
//	POST /v1/spool/reroute                   the body is a [RerouteRequest], the answer is a
//	                                         [RecordsAnswer]
//	POST /v1/spool/forget-damage             the body is empty, the answer is a [ForgetAnswer]
//	GET  /v1/explain/{name}                  [Explanation] of a session ID or a [RecordName]
//
// These lists come in parts. The parameter limit is the number of items in a part (1 to 1000,
// default 100). The part starts after the name or number in the parameter after. The next of an
// answer is the after of the following part. A name in a path is escaped as by
// [net/url.PathEscape].
//
// # Errors
//
// The body of an error is a [Problem], {"error":"..."}. The status is
//
//	400  the request is malformed
//	404  no such path, live session, server group, record, queue, list or target of notifications
//	405  wrong method
//	409  the state of the server group, record or queue does not allow the request
//	413  the body is larger than 1 MiB
//	503  nothing can be made durable now, or there are more than 64 requests, 128 connections or 16
//	     streams of events
//
// Data that is not HTTP gets the plain text 400 of net/http.
//
// # Values
//
// Times are in RFC 3339, durations in seconds, sizes in octets. The texts of sessions and records
// come from the network. Octets that are not valid UTF-8 are written as \xHH.
package api
