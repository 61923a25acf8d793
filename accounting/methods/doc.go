// Package methods runs the accounting methods, and the delivery of records to them: spec R41 to R43, R60, R63.
//
// # A change
//
// What is configured is a [Config]: an [accounting.Spec] for each method, whatever its transport. A change of
// it has two steps. [Set.Prepare] opens the methods that do not run yet or run otherwise, and touches
// nothing that runs; only it can fail. [Set.Apply] puts them in place, or [Change.Discard] gives them up.
// A method whose Spec is equal to the one that it runs with goes on undisturbed.
//
//	            Apply                       Apply, without its Spec
//	opened -----------------> configured -------------------------> removed
//	   |                       |      ^                              |    |
//	   | Discard        Apply, |      '------------------------------'    | no live session and no
//	   v          another Spec |              Apply, with its Spec        | record names it any more
//	 ended  <------------------+------------------------------------------'
//
// A method that is removed gets no new sessions, and runs on while live sessions or records name it
// ([Set.CheckRemoved], removed.go). Records of a queue whose method is not configured can be told to go
// by another list ([Set.Reroute]).
//
// # Accounting-On and -Off
//
// With a method whose Spec has an OnOff runs an [onoff.Sender] (instance.go). Its On goes out when the method
// runs. Its Off goes out before the method ends, and nothing follows it. If the method is replaced, or comes
// back, the Offs of all instances before are over before the On goes out; one that is replaced meanwhile sends neither. While an On that must be answered
// is not, the records of its group and of those that monitor it are held.
//
// # Who calls what
//
// One goroutine, the caller of [Set.Apply], also calls Prepare, Deliver, CheckRemoved, Reopen, LoadReroute
// and Wait. Any goroutine may call the other functions of [Set].
//
// Set.mu guards the fields below it. The one goroutine alone writes them, but for those of Reroute; it holds the
// mutex to write, and the others hold it to read. Nothing waits under it, no method is called, and a Spec is only
// asked what it says. An onoff.Sender, the Delivery and the store have locks of their own, which are
// taken below it. They call back without theirs.
//
// The end is in order: when the ctx of Deliver is done the delivery waits a little for answers, then each
// method sends its Off and ends, then Wait returns. The ctx of Apply does not end the methods.
package methods
