// Package agentxtest plays the master agent of AgentX (RFC 2741) for tests of
// subagents: real octets, over a net.Pipe or a loopback socket, and no snmpd.
//
// [Serve] is for those who test what a tree answers: it runs a subagent for the
// tree until the test ends. [Dial] and [Listen] are for those who test how a
// subagent behaves: each connection is played by a function of theirs.
//
// A [Master] agrees to whatever the subagent asks (Open, Register, Ping,
// Notify ...), unless its Answer function says otherwise, and sends what the test
// tells it to. Two goroutines belong to it, one that reads and one that writes;
// both end with the connection. Its methods may be called from any goroutine, but
// the requests of several at once are answered in no certain order.
package agentxtest
