// Package notify sends notifications: traps and informs of SNMPv2c and SNMPv3 (RFC 3416 sections
// 4.2.6 and 4.2.7). A [Notifier] sends every notification to each of its [Target]s.
//
// # Messages
//
// A notification is encoded once, when it happens. The headers around its variable bindings differ
// for each target:
//
//	Message { version 1, community, PDU }                         v2c
//	Message { version 3,
//	          msgGlobalData { msgID, msgMaxSize, msgFlags, 3 },
//	          msgSecurityParameters { engine id, boots, time, user, digest, salt },
//	          scopedPDU { our engine id, "", PDU } }              v3; encrypted if the user has privacy
//	PDU { request-id, 0, 0, VarBindList {
//	          sysUpTime.0, snmpTrapOID.0, ... } }                 SNMPv2-Trap or InformRequest
//
// # Engines
//
// For a v3 trap our engine is authoritative: the user's keys are localized to our engine id, and
// boots and time are ours (RFC 3414 section 1.5.1). For an inform the receiver's engine is
// authoritative. Its id is configured, or discovered as in RFC 3414 section 4. Its clock is read
// from the report that answers the first inform (sections 2.3 and 3.2 step 7b), and again when the
// receiver reports a change. Until the clock is known, one inform is in flight and the others wait.
//
// Only a Response to one of its messages settles an inform, and only if it has the security level
// of that message. At authNoPriv and above it needs the right digest by the user's key at the
// receiver's engine. Anyone can send reports. An authentic report sets the clock; an
// unauthenticated one can at most cause the discovery of a new engine id, which costs time. So an
// attacker who has the user's key at another engine, and who can answer in the receiver's place,
// could redirect informs to that engine. A configured engine id prevents this, and so do different
// passwords.
//
// A v2c inform is settled by a Response with its request-id, which is random, and the community,
// from the receiver's address. SNMPv2c has no further protection.
//
// # Delivery
//
// Traps are sent once. An inform is retransmitted after the target's timeout, with the same
// request-id and another msgID, and given up after its retries. A Response to any of its messages
// acknowledges it. At most 16 informs of a target are in flight; the others wait in its queue.
// Everything waits while there is no socket because the name does not resolve or the network is
// down. Opening a socket is retried every 1 to 30 s. If the queue is full, the newest notification
// is dropped and counted.
//
// [Notifier.NotifyWatched] tells what has become of a notification at each target: when a trap was
// sent, and when an inform was acknowledged, refused or given up. The delivery is the same.
//
// A target that had a problem works again when an inform is acknowledged, or when a trap has not
// been refused for a second: a closed port refuses traps.
//
// # Who owns what
//
// Each target has one goroutine (loop.go). It owns the socket (link.go), the informs in flight and
// the state of the receiver (machine.go, remote.go); the machine is pure. A reader and, at times, a
// dialing goroutine pass their results to it; they end with the target. Queue, errors and
// statistics have mutexes of their own, and the Notifier's mutex guards the list of targets. No
// mutex is held over I/O.
package notify
