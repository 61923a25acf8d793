// Package agentx is an AgentX subagent (RFC 2741). It serves a tree of package mib to a master
// agent, net-snmp's snmpd, over a unix socket or TCP. Types, flags and errors have the names of
// posteo/go-agentx, whose client is not used.
//
// # Layers
//
//	Subagent   session.go    Run: connects and reconnects; Notify; Stats
//	           reason.go, backoff.go  why there is no session, and when to try again
//	loop       loop.go       one connection: read, answer, write; timeouts, Ping
//	stream     stream.go     its octets: one system call to read, one to write
//	machine    machine.go    one session: a PDU in, the answer out (sections 7.1, 7.2)
//	           read.go       Get, GetNext, GetBulk (7.2.3)
//	           transaction.go  TestSet, CommitSet, UndoSet, CleanupSet (7.2.4)
//	           undo.go      the undo of a SET, and how long the master waits
//	PDU        pdu*.go       the payloads (6.2)
//	cursor     cursor.go, varbind.go  numbers, strings, OIDs, variables (5)
//
// # Octets
//
// Every PDU has a header (section 6.1) and a payload of payload_length octets, a
// multiple of four. Numbers are in network byte order if flag 0x10 is set, else in
// little endian; a Response has the order of its request.
//
//	 0               1               2               3
//	+---------------+---------------+---------------+---------------+
//	| version = 1   | type          | flags         | reserved      |
//	| sessionID                                                     |
//	| transactionID                                                 |
//	| packetID                                                      |
//	| payload_length                                                |
//	+---------------+---------------+---------------+---------------+
//
// Object Identifier (5.1): a prefix p, if not 0, stands for 1.3.6.1.p in front of the n_subid
// sub-identifiers. All zero is the null Object Identifier.
//
//	| n_subid       | prefix        | include       | reserved      |
//	| sub-identifier 1 .. n_subid, four octets each                 |
//
// Octet String (5.3), also the context that flag 0x08 inserts before a payload:
//
//	| length                                                        |
//	| octets, then padding to a multiple of four                    |
//
// SearchRange (5.2) is two Object Identifiers. VarBind (5.4):
//
//	| type                          | reserved                      |
//	| name: Object Identifier                                       |
//	| data: nothing, 4 or 8 octets, Octet String, Object Identifier |
//
// Get and GetNext are lists of SearchRanges; TestSet and Notify are lists of VarBinds, up to the
// end of the payload. GetBulk has non_repeaters and max_repetitions, two octets each, before the
// ranges. A Response:
//
//	| sysUpTime                                                     |
//	| error                         | index                         |
//	| VarBinds                                                      |
//
// # Bad input
//
// Octets that are not a PDU end the connection with a Close (reasonParseError) and an error that
// wraps [ErrMalformed]; then the subagent reconnects. A length is compared with the available
// octets before anything is allocated. A payload has at most [MaxPayload] octets. Trailing octets
// are an error. A request for another session is answered with notOpen, one for a context other
// than the default with unsupportedContext.
//
// # Limits
//
// A session keeps at most 32 transactions. For the next one the oldest is cleaned up, so its
// committed assignments are final. A transaction has at most 256 TestSets with payloads of 1 MiB
// together, and all transactions of a session have at most 2 MiB. Beyond that a TestSet is answered
// with resourceUnavailable, the transaction's other TestSets are dropped, and its CommitSet is
// answered with commitFailed. Until its CleanupSet or UndoSet, further TestSets of the transaction
// are refused too. The log says which limit it was. Other transactions are not affected. Payloads
// count until the CleanupSet, or until the undo is done, or until a TestSet of the transaction is
// refused.
//
// # Commit and undo
//
// Both can wait for the disk, so both run on a goroutine of their own, and a PDU is answered while
// that goes on. A CommitSet waits at most 0.6 s: for all its TestSets, and for the undo if one fails.
// If the result is not known then, the answer is commitFailed, and a commit that succeeds later is
// undone. Nothing acts on a commit before its CleanupSet, so until then an undo is complete.
//
// An UndoSet is answered after the undo, with undoFailed if something could not be restored, or if
// that is not known after 0.7 s (0.3 s after a CommitSet that failed). The undo goes on, and a
// repeated UndoSet waits again: it can then say that the undo has succeeded.
//
// So a manager is told commitFailed only if nothing has changed, and undoFailed, which means that
// something may have changed, if we do not know. A master that does not send the UndoSet, or a
// daemon that is killed before the undo is durable, is the exception: see docs/disconnect.md.
//
// # Without a session
//
// [Reason] says why there is none. After a loss the pauses between attempts double from 50 ms up to
// 1 s. While the master refuses us (duplicateRegistration and other errors) we close that session,
// and try again with a new one; the pauses start at 50 ms again, and double up to 1 s, or to 5 s
// once the refusals have lasted a minute. Until then its connection stays open, without a session:
// if it ends, the master has stopped, and the pauses are at most 1 s again. Only a host that
// disappears silently can stay unnoticed for the rest of a pause.
//
// # Who owns what
//
// One goroutine, that of Run, owns the connection. Only it reads, answers and writes, so PDUs are
// never mixed, no lock is held over I/O, and a request causes no switch between goroutines. Notify
// and the end of the context only wake it, by setting the connection's read deadline to the past;
// it then checks the queue and the context. It sets the deadline again before it checks, so no
// wake-up is lost.
//
// The tree must answer at once. While a commit waits everything waits, even in the master: a Change
// must not wait in Commit for anything outside the process. Statistics are atomic counters; one
// mutex guards the rest of a Subagent.
//
// # Behaviour of snmpd 5.9.3
//
//   - If a Response has fewer variables than the request has ranges, snmpd keeps the session's
//     request forever; if it has more, snmpd returns genErr. machine writes exactly one variable
//     for each range, or an error.
//   - It converts a GETBULK to GetNext: one PDU for each repetition, with a range for each
//     repeater, at most 100 variables for each GETBULK. Only our response time matters, hence
//     stream: one read, one write, sched_yield before waiting, system calls that the runtime does
//     not see, and no allocation.
//   - If an answer is late it repeats the PDU, octet for octet. transaction answers a repeated
//     TestSet, CommitSet or UndoSet as before, without a second effect; only an UndoSet that was
//     answered before the end of the undo gets the result then.
//   - It ignores the timeouts of Open and Register (we send 0, the master's default). It uses
//     agentXTimeout and agentXRetries; after them (6 s) it drops all registrations and the
//     connection. Run sees the end of file and reconnects.
//   - It uses the byte order of our Open.
//   - A SIGTERM is an end of file, without a Close.
//   - CleanupSet has no answer; a Response would match no request.
//   - After a lost connection it knows nothing about a SET. A committed one is final then and gets
//     its Cleanup; one that was only tested is dropped.
//   - It passes AgentX's own errors to the manager as error-status values outside RFC 3416. So a
//     request that cannot be answered gets genErr.
//   - A registration for each row slows it to a crawl. We register the roots of modules.
//   - It sends OBJECT IDENTIFIER 0.0 as the null Object Identifier. As a value we read that as 0.0,
//     and write both sub-identifiers.
//   - It sends UndoSet also to the subagent that refused the CommitSet. Only there can undoFailed
//     be reported. It makes genErr of an undoFailed without an index.
//
// Wireshark 4.0 reports some valid lists of variables as malformed. Trust the tests: testdata has
// dialogues with snmpd, octet for octet.
package agentx
