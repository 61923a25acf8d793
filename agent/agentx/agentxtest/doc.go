// Package agentxtest is a fake AgentX master agent (RFC 2741) for tests of subagents. It sends real
// octets over a net.Pipe or a loopback socket and needs no snmpd.
//
// [Serve] is for tests of a tree's answers: it runs a subagent for the tree until the test ends.
// [Dial] and [Listen] are for tests of a subagent's behaviour: a function of the test handles each
// connection.
//
// A [Master] accepts everything that the subagent requests (Open, Register, Ping, Notify and
// others), unless its Answer function decides otherwise, and sends the test's requests. It has two
// goroutines, a reader and a writer; both end with the connection. Its methods may be called from
// any goroutine, but concurrent requests are answered in no defined order.
package agentxtest
