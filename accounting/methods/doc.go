// Package methods runs the accounting methods and the delivery of records to them: spec R41 to R43,
// R52, R60, R63.
//
// # A change of the configuration
//
// A [Config] has an [accounting.Spec] for each method, whatever its transport. A change has two
// steps. [Set.Prepare] opens the new and the changed methods, without touching the running ones;
// only this step can fail. Then [Set.Apply] puts the opened methods in place, or [Change.Discard]
// closes them. A method whose new Spec is equal to its present one continues undisturbed. If the
// running method can make the change ([accounting.Opened].Reconfigure), Apply makes it, and the
// method continues with its Accounting-On.
//
//	            Apply                       Apply, without its Spec
//	opened -----------------> configured -------------------------> removed
//	   |                       |      ^                              |    |
//	   | Discard        Apply, |      '------------------------------'    | no live session and no
//	   v          new instance |              Apply, with its Spec        | record names it any more
//	 ended  <------------------+------------------------------------------'
//
// A removed method gets no new sessions. It runs on while live sessions or records name it
// ([Set.CheckRemoved], removed.go). If the method of a queue is not configured, an operator can
// send the records of the queue to another list ([Set.Reroute]).
//
// # Accounting-On and -Off
//
// A method whose Spec has an OnOff also gets an [onoff.Sender] (instance.go). It sends the On when
// the method starts, and the Off before the method ends. Nothing is sent after the Off. If a method
// is replaced or configured again, its On waits until the Offs of all earlier instances are over.
// An instance that is itself replaced during this wait sends neither. While an On that must be
// answered is unanswered, the records of its group, and of the groups that monitor it, are held.
//
// The methods of a system list that is no broadcast have one Sender, that of the first (system.go).
// Each round goes through the methods in order. The others wait with the first, and at the end they
// run until its Off is over.
//
// An instance that replaces one with the same Accounting-On continues it if a server stays
// (hosts.go). Then only servers that were added or removed are told of the change, if that is
// configured, each by a Sender of its own.
//
// # Concurrency
//
// One goroutine, the caller of [Set.Apply], also calls Prepare, Deliver, CheckRemoved, Reopen,
// LoadReroute and Wait. Any goroutine may call the other functions of [Set].
//
// Set.mu guards the fields below it. Except for the fields of Reroute, only that one goroutine
// writes them; it holds the mutex to write, and other goroutines hold it to read. While the mutex
// is held, nothing waits and no method is called; of a Spec, only its description functions are
// called. The onoff.Senders, the Delivery and the store have locks of their own, which come after
// Set.mu in the lock order. They hold none of these during callbacks.
//
// The end is in order. When the ctx of Deliver is done, the delivery waits a little for answers.
// Then each method sends its Off and ends. Then Wait returns. The ctx of Apply does not end the
// methods.
package methods
