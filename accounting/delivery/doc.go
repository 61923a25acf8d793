// Package delivery takes accounting records from the queues of the store to the methods of their routes:
// spec R42, R60 to R64; S3, S4.
//
// # Routes and queues
//
// A record stands in the queue that is named after the first method of its route, and carries the methods
// behind it. All records of a session have one route, which is kept with the session, so they stand in
// one queue, in their order, and never leave it but delivered, dropped as superseded, or set aside in
// [accounting.RefusedQueue]. [Delivery] reads all queues. The items (records that it has read) of a
// session stand in a lane; only the first of a lane is ever with a method.
//
// When the first item of a lane is to be sent, the method is the first of its route that is available
// and has not left this very record unanswered. One that is held ([Held]) stops the search. One that is
// down, away ([Away]) or does not run is passed.
//
//	           place
//	read ----------> ready (of the route) ----------> under way ----> gone
//	                  ^                      next      |  |  |
//	                  |                                |  |  +-- refused, damaged: asides --> set aside
//	                  |                                |  |
//	                  |   an available method is left  |  +-- nobody answered
//	                  |   onward (of that method) <----+      |
//	                  |                                |      | all that are available were asked
//	                  |   nobody is available          |      v
//	                  |   parked (of the route) <------+   retrying, until its time: overdue (of a method),
//	                  |        |                           and after Rounds rounds set aside
//	                  +--------+ a method is available
//
// What all available methods left unanswered may itself be the fault: once its time has come it is
// overdue, and has a quarter of a method's window. It is set aside when each method of its route that
// runs has left it unanswered in [accounting.MethodConfig].Rounds schedules that saw others answered, unless so many
// losses may be chance on a way that loses others too. When a queue knows of more records than half of
// its share of [Config].Waiting, those that went unanswered while others were answered wait no longer
// (relieve.go), not even for a method that is down: so there is always room to read on.
//
// # Methods
//
// Health, window, drain rate and the probes are the method's, whichever queues its records come from;
// routes take turns. A method is down from when a record is not answered that was not known for it, and
// nothing else was since it was sent, until anything is. While it is down its records go elsewhere at
// once, or wait if there is nowhere, and it is probed by the schedule of its back-off (probe.go). It is up
// again at its first answer: then its window opens from one.
//
// While records wait that nobody takes, a second reading of their queue, which keeps no records, drops
// interims that a later interim or the stop of their session supersedes (supersede.go). The later interim
// is that of the later event; what is replayed stands behind newer ones. An interim behind a stop, of a
// session that came back, is not superseded by that stop. The readings keep the number and the time of
// one interim for each session whose last record is one, 2,097,152 in all (106 MB, some 53 octets each);
// beyond that they forget, and drop less.
//
// # Who owns what
//
// The store owns the queues. Run's goroutine owns all that is read, and all that is known of methods.
// Others tell it through the inbox (inbox.go), whose lock is never held over a call. A bounded number of
// records is in memory, for all queues together; those that must wait are given up and read again when
// their time has come.
package delivery
