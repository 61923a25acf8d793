// Package statechange tells SNMP managers when a thing becomes bad, or good again. A [Sender] does that for
// any kind of thing. The [Teller] is the one for servers that become dead, or answer again:
// casServerStateChange of CISCO-AAA-SERVER-MIB (R9). The rest of this text is about servers; for others
// package conditions has a Sender.
//
//	clients -- Changed --> queue --> [Limiter] --> our own targets (package notify)
//	                                          '--> queue --> the master agent (package agentx)
//
// A change is told at once, with the values of that change: a death and a return that are a second apart
// give two notifications. A server that flaps gets [Burst] notifications at once, and then one every
// [Every]. Changes between these are not told; they are counted. When the next one may be told, and the
// manager still believes something else than what is true, it is told the last change. So in the end
// managers always know the present state. An orderly end of the daemon tells it at once.
//
// Nothing is told while casServerStateChangeEnable is false, and nothing of a server without rows in the
// tables of the module, for example an IPv6 server: the variables of the notification are named after
// its row.
//
// # Who owns what
//
// [Sender.Changed], [Sender.Stats] and [Sender.Flush] may be called from any goroutine. The first two only
// take a short lock, which guards the Limiter too. The goroutine of [Sender.Run] uses the Limiter, and
// another one waits for the master agent. Both queues coalesce: if they are full, they drop changes that
// are followed by a later one of the same server.
package statechange
