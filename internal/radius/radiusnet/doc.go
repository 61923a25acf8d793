// Package radiusnet is an in-memory network of RADIUS servers for tests. It provides the
// sockets for a client whose Dial is client.OverUDP([Network.Listen]), and servers whose behaviour
// is a function of the test.
//
// Real octets are sent in both directions. A [Server] checks a request's framing and authenticator
// itself, and its Handle decides the reaction: a valid or invalid answer, a late one, several, one
// from another address, or none. Its [Link] loses, delays, duplicates and reorders datagrams in
// both directions, and can be dead for a time. The requests that arrived are stored
// ([Network.Arrivals]), or only passed to a function ([Network.Watch]) if there are too many.
//
// # Time and randomness
//
// In a testing/synctest bubble the time is the bubble's. The Network must be created there; a
// goroutine that reads a socket without a datagram is durably blocked, so days pass in no time.
// What a Link does with a datagram depends on the seed, the server, the attributes and the time,
// but not on the order of goroutines: a test in a bubble has the same losses each time. Datagrams
// that are equal in all of these are treated equally.
//
// # Who owns what
//
// The writer's goroutine handles a datagram without delay, up to the queue of the socket that the
// answer goes to. A timer's goroutine handles delayed datagrams, in order. No goroutine remains. A
// socket queues [QueueLen] datagrams; further ones are lost and counted, as in a real system. A
// server's mutex is held while it handles a request, so its Handle is not called concurrently and
// must not call the server. The mutexes of the network and of a socket may be locked while it is
// held, and no other while they are.
package radiusnet
