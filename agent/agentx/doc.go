// Package agentx is an AgentX subagent (RFC 2741): it serves a tree of package
// mib to a master agent, which is net-snmp's snmpd, over a unix socket or TCP.
// The names of types, flags and errors are those of posteo/go-agentx, whose
// client is not used.
//
// # Layers
//
//	Subagent   session.go    Run: connects, for ever; Notify; Stats
//	loop       loop.go       one connection: read, answer, write; time-outs, Ping
//	stream     stream.go     its octets: one system call to read, one to write
//	machine    machine.go    one session: a PDU in, the answer out (sections 7.1, 7.2)
//	           read.go       Get, GetNext, GetBulk (7.2.3)
//	           transaction.go  TestSet, CommitSet, UndoSet, CleanupSet (7.2.4)
//	PDU        pdu*.go       what stands behind the header (6.2)
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
// Object Identifier (5.1): prefix p, if not 0, stands for 1.3.6.1.p in front of the
// n_subid sub-identifiers. All zero is the null one.
//
//	| n_subid       | prefix        | include       | reserved      |
//	| sub-identifier 1 .. n_subid, four octets each                 |
//
// Octet String (5.3), also the context that flag 0x08 puts in front of a payload:
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
// Get and GetNext are a list of SearchRanges, TestSet and Notify one of VarBinds, up
// to the end of the payload. GetBulk has non_repeaters and max_repetitions, two
// octets each, before the ranges. A Response:
//
//	| sysUpTime                                                     |
//	| error                         | index                         |
//	| VarBinds                                                      |
//
// # Bad input
//
// Octets that are no PDU end the connection with a Close (reasonParseError) and an
// error that wraps [ErrMalformed]; the next connection begins anew. A length is
// compared with what is there before anything is allocated, a payload is at most
// [MaxPayload], octets that are left over are an error. Another session's request is
// answered with notOpen, one in a context other than the default with
// unsupportedContext.
//
// # Who owns what
//
// One goroutine, that of Run, owns the connection: it alone reads, answers and
// writes, so PDUs never mix, no lock is held over I/O, and a request costs no switch
// between goroutines. Notify and the end of the context only wake it, by setting
// the connection's read deadline to the past; it then looks at the queue and the
// context. It sets the deadline anew before it looks, so no wake is lost.
//
// The tree must answer at once. While a commit waits everything waits, at the master
// too: a Change must not wait in Commit for anything outside of the process.
// Statistics are counted with atomics, the rest of a Subagent has one mutex.
//
// # What snmpd 5.9.3 is like
//
//   - It keeps a session's request for ever if a Response has fewer variables than the
//     request has ranges, and makes a genErr of more. machine writes exactly one for
//     each range, or an error.
//   - It makes GetNext of a GETBULK: a PDU for each repetition, with a range for each
//     repeater, at most 100 variables for each GETBULK. Only the time until our answer
//     counts, hence stream: one read, one write, sched_yield before waiting, system
//     calls that the runtime does not see, and no allocation.
//   - When an answer is late it repeats the PDU, octet for octet. transaction answers
//     a repeated TestSet, CommitSet or UndoSet as it did before, with no second effect.
//   - It ignores the time-outs of Open and Register (we send 0: as the master likes).
//     Its own are agentXTimeout and agentXRetries; when they are over (6 s) it drops all
//     registrations and the connection. Run sees the end of file, and connects again.
//   - It uses the byte order of our Open.
//   - A SIGTERM is an end of file, without a Close.
//   - CleanupSet has no answer: a Response would belong to nothing.
//   - After a lost connection it knows nothing of a SET. One that was committed is final
//     then, and gets its Cleanup; one that was only tested is dropped.
//   - It passes AgentX's own errors on to the manager as error-status beyond RFC 3416.
//     A request that cannot be answered gets genErr.
//   - A registration for each row slows it to a crawl. We register the roots of modules.
//   - An OBJECT IDENTIFIER 0.0 comes as the null Object Identifier; as a value we read it
//     as 0.0, and write both sub-identifiers.
//   - It sends UndoSet also to the subagent whose CommitSet was refused, and that is the
//     one place for undoFailed.
//
// Wireshark 4.0 calls some valid lists of variables malformed. Trust the tests: testdata holds
// dialogues with snmpd, octet for octet.
package agentx
