// Package report has the messages of the local socket: what programs on this host report of
// sessions to the daemon (R22), and its answers. docs/local.md describes the interface.
//
// Each message is a POST request over the Unix socket, with a [Report] in JSON as its body:
//
//	/v1/start    a session has begun
//	/v1/update   it has counters, addresses or other information that is new
//	/v1/stop     it has ended
//	/v1/fail     a login or a negotiation failed: a session has ended before it began
//	/v1/call     a call was set up, or is over
//	/v1/command  a command was executed
//
// The answer is an [Answer], or a [Problem] if the status is not 200. The words are those of the
// control socket's sessions: the same names, the same JSON.
//
// The package imports only the standard library, so that a hook is fast to start.
package report
