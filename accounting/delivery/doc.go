// Package delivery sends the accounting records that wait in the store to the methods of their
// routes (spec R42, R60 to R64; S3, S4). It sends each record at least once and keeps the order of
// a session.
//
// # Terms
//
//   - A method is a destination of records, such as a server group ([accounting.Method]).
//   - A route is the ordered list of methods that a record may go to.
//   - A queue is a queue of the store. It has the name of the first method of its routes.
//   - An item is a record that was read and is not settled yet.
//   - A lane holds the items of one session, and of the sessions that are kept in order with it
//     ([accounting.Record.Lane]), in order. Only its first item is ever sent.
//   - A record is settled when it is delivered, dropped because a later record supersedes it, or
//     set aside in [accounting.SetAsideQueue] for the operator.
//
// # Routes and queues
//
// A record waits in the queue that is named after the first method of its route. The record itself
// lists the other methods. The session keeps its route, so all records of a session are in one
// queue, in order. A record leaves that queue only when it is settled.
//
// A broadcast (R44) has a queue for each of its methods, and a copy of each record in each of them.
// A copy lists no other method. So to this package the copies are independent records, and their
// sessions have a lane in each queue.
//
// The method is chosen when the first item of a lane is about to be sent. It is the first method of
// the route that is available and has not left this record unanswered in this round. The search
// stops at a method that is held ([Held]). It skips a method that is down, away ([Away]) or not
// configured.
//
//	           place
//	read ----------> ready (of the route) ----------> in flight ----> delivered
//	                  ^                                |  |  |
//	                  |                                |  |  +-- refused, damaged ----> set aside
//	                  |                                |  |
//	                  |   an available method is left  |  +-- no answer
//	                  |   failover (of that method) <--+      |
//	                  |                                |      | all available methods were tried
//	                  |   no method is available       |      v
//	                  |   parked (of the route) <------+   retrying until its time comes, then
//	                  |        |                           overdue (of a method); set aside after
//	                  +--------+ a method is available     Rounds rounds
//
// If every available method leaves a record unanswered, the record itself may be the cause. It
// waits, then becomes overdue. Overdue records get at most a quarter of a method's window. A record
// is set aside when each configured method of its route has left it unanswered in
// [accounting.MethodConfig].Rounds schedules during which that method answered other records. It is
// not set aside while packet loss could explain it (lossRate in health.go).
//
// When a queue holds more than half of its share of [Config].Waiting, records that went unanswered
// while others were answered are set aside early (make_room.go). They do not wait for a method that
// is down, so there is always room to read on.
//
// # Starts without an address
//
// A start may wait for the address of its user (withhold.go). Its lane is then in a list of its own,
// unloaded, and counts in no limit but the one for such lanes. It is no probe and no part of a
// backlog. When the start is sent, it gets the addresses of a later record in its lane. While no
// method takes records, the first interim behind such a start is not dropped.
//
// # Methods
//
// Health, window, drain rate and probes belong to the method, not to a queue. Routes take turns at
// a method. A method is marked down when a record goes unanswered, it is the first time that the
// method leaves this record unanswered, and the method answered nothing else since the record was
// sent. [accounting.ErrNotAccepted] does not mark it down: the fault may be in the one record. Any
// answer marks the method up. While it is down, its records go to the next method at
// once, or wait if there is none, and its back-off schedule decides when it is probed (probe.go).
// After the first answer, its window opens from one.
//
// While records of a queue have no available method, a second reader searches that queue. It keeps
// no records, and reads only their heads. It works for about a tenth of the time, and so does
// reading on while no method is available: answers to NASes do not wait for that. It drops interims
// that a later interim, or the stop of their session, supersedes (supersede.go). "Later" compares
// the times of the events, because replayed records stand behind newer ones. A stop does not
// supersede the interims behind it; these come from a session that came back. The reader remembers
// one interim for each session whose last record is an interim: at most 2,097,152 in all (106 MB,
// about 53 octets each). At the limit it forgets them and drops fewer interims.
//
// # Concurrency
//
// The store owns the queues. The goroutine of [Delivery.Run] owns the items and all state of
// methods. Other goroutines talk to it through the inbox (inbox.go), whose lock is never held over
// a call. The number of records in memory is bounded for all queues together. A record that must
// wait is unloaded and read again when its time comes.
package delivery
