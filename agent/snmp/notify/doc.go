// Package notify sends notifications: traps and informs of SNMPv2c and SNMPv3
// (RFC 3416 sections 4.2.6 and 4.2.7). A [Notifier] has [Target]s; each gets every
// notification.
//
// # Messages
//
// A notification is encoded once, when it happens; what stands around its
// variable bindings is each target's own:
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
// Of a v3 trap we are the authoritative engine: the user's keys are localized to
// our engine id, boots and time are ours (RFC 3414 section 1.5.1). Of an inform the
// receiver is. Its engine id is configured, or discovered as RFC 3414 section 4 has
// it; its clock is read from the report that answers the first inform (sections 2.3
// and 3.2 step 7b), and again when the receiver says that it is another by now. As
// long as the clock is not known one inform is under way, the others wait for it.
//
// Nothing settles an inform but a Response to one of its messages with the security
// that the message had: at authNoPriv and above that takes the right digest of the
// user's key at the receiver's engine. Reports can be sent by anyone. An authentic
// one sets the clock; another one can at most lead to a new engine id, which costs
// time. So whoever holds the user's key at some other engine and can answer in the
// receiver's place might have informs sent to that engine: a configured engine id
// prevents it, and different passwords do.
//
// A v2c inform is settled by a Response with its request-id, a random number, and the
// community, from the receiver's address. There is no more to v2c.
//
// # Delivery
//
// Traps are sent once. An inform is sent again after the target's timeout, with the
// same request-id and another msgID, and given up after its retries; a Response to any
// of its messages will do. At most 16 informs of a target are under way. The others
// wait in its queue, as everything does while there is no socket, because the name
// does not resolve or the network is not there; that is tried again every 1 to 30 s.
// When a queue is full the newest notification is dropped, and counted.
//
// A target that had a problem works again when an inform is acknowledged, or when nothing
// is heard against a trap for a second after it left: a closed port has it refused.
//
// # Who owns what
//
// Each target has one goroutine (loop.go), which owns its socket (link.go), its
// informs under way and what is known of the receiver (machine.go, remote.go); the
// machine is pure. A reader and, at times, a dialing goroutine hand over what they
// have; they end with the target's. Queue, errors and the numbers for Stats are guarded
// by mutexes of their own, the list of targets by the Notifier's; none is held over I/O.
package notify
