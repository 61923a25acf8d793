// Package radiusnet is a network of RADIUS accounting servers in memory, for
// tests: the sockets of a client whose Dial is client.OverUDP([Network.Listen]),
// and servers that a test makes out of a func each.
//
// Real octets go both ways. A [Server] checks a request's framing and
// authenticator by itself, lets its Handle decide what to do, and answers rightly,
// wrongly, late, more than once, from elsewhere or not at all. Its [Link] loses,
// delays, doubles and reorders datagrams in both directions and is dead at times.
// What came when is kept ([Network.Arrivals]), or only shown to a func
// ([Network.Watch]) when it is too much to keep.
//
// # Time and chance
//
// In a bubble of testing/synctest time is the bubble's: the Network is made there,
// who reads a socket without a datagram is durably blocked, and days pass in no
// time. What a Link does with a datagram follows from the seed, the server, the
// attributes and the moment, and not from the order in which goroutines run: a
// test that keeps to a bubble has the same losses each time. Datagrams that are
// the same in all of these have the same fate.
//
// # Who owns what
//
// A datagram without delay is handled by who writes it, up to the queue of the
// socket that the answer goes to; one with a delay by the goroutine of a timer, in
// order. No goroutine stays. A socket holds [QueueLen] datagrams; what comes when
// it is full is lost and counted, as a system does. A server's mutex is held while
// it works on a request, so that its Handle is not called twice at once and must
// not call the server; the network's and a socket's may be taken below it, and
// nothing below them.
package radiusnet
