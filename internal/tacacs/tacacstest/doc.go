// Package tacacstest is a TACACS+ accounting server for tests. Real octets are sent, over TCP on
// loopback ([Server.Listen]) or in memory ([Server.Dial], [Network]). What it answers is a
// [Behavior], which can be changed while it runs: ERROR, nothing, garbage, half of an answer,
// answers of another session or with another key, late ones and ones in another order.
// [Server.Stop] kills it, and [Server.Start] starts it again on the same port.
//
// It knows what arrived and what it acknowledged ([Server.Arrivals]), what clients did that RFC
// 8907 does not allow ([Server.Problems]), and how many connections are open.
//
// # Time
//
// In a testing/synctest bubble use the connections in memory and create the Server there: its
// goroutines are durably blocked while nothing happens. They are those of net.Pipe, which has no
// buffer: a write returns when the other end has read, so a server that stalls is noticed at the
// first write.
//
// # Who owns what
//
// Each connection has a goroutine that reads requests and writes answers, and one more for each
// delayed answer. All end with Stop. A Server may be used from any number of goroutines; its mutex
// is not held over I/O.
package tacacstest
