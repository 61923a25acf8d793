// Package ending ends sessions of this host, and sessions of NASes that know no RFC 5176: spec R30.
//
// A [sessions.Ending] says how one session is ended:
//
//   - by a signal to its process (process.go). The process is held by a pidfd (pidfd_open(2)) while its
//     start time is compared, so another process with the same number never gets the signal.
//   - by a command of the configuration (command.go, argument.go). No shell runs, and a value of the
//     session never becomes an option.
//   - by the program that reported it (program.go), which listens for that and answers.
//   - by OpenVPN's management interface (openvpn.go, status.go).
//
// The outcomes are those of RFC 5176: ACK, NAK with an Error-Cause, or no answer. Error-Cause 503
// (Session-Context-Not-Found) says that the session is gone. Package termination does what follows.
//
// # OpenVPN's management interface
//
// It is described in management-notes.txt of OpenVPN. Lines end with CR LF. Lines that begin with ">"
// may come at any time and are no answers. The answer to "status 3" is a table with tabs:
//
//	HEADER <tab> CLIENT_LIST <tab> Common Name <tab> Real Address ...
//	CLIENT_LIST <tab> alice <tab> 192.0.2.2:41234 ...
//	END
//
// The interface serves one connection at a time, so connections are short.
//
// # Who owns what
//
// Each attempt runs in its caller's goroutine, a command in one of its own. A [Disconnector] has two
// locks: of its subscribers, and one for each OpenVPN server, which is held over I/O by one attempt at
// a time and waits for no other lock.
package ending
