package crashtest

import (
	"testing"

	"aaasess/sessions"
)

// lost is the crash of a session's NAS.
func lost(session string) Observation {
	return Observation{Kind: Lost, Record: Record{Session: session}}
}

// generated is the arrival of a stop that the daemon generated.
func generated(session string, number uint32, octets uint64) Observation {
	return Observation{Kind: Generated, Record: Record{Session: session, Type: sessions.Stop}, Number: number, Octets: octets}
}

// gives returns an observation with counters.
func (o Observation) gives(octets uint64) Observation {
	o.Octets = octets
	return o
}

// ends is the sending of a start or an Accounting-On that ends sessions.
func ends(r Record, ids ...string) Observation {
	return Observation{Kind: Sent, Record: r, Ends: ids}
}

// TestCheckNASes: NASes crash, reuse their ids and send Accounting-Ons.
func TestCheckNASes(t *testing.T) {
	a1, a2, a3 := start("a#1"), start("a#2"), start("a#3")
	on := Record{"nas-on-2", sessions.On, 0}
	row := func(number uint32) Row { return Row{"a", number} }
	// A session with 7 octets whose NAS crashed; then the same name for another.
	crashed := history(does(a1, 1), one(sent(interim("a#1", 1)).gives(7), answered(interim("a#1", 1)), arrived(interim("a#1", 1), 1), lost("a#1")))
	again := history(crashed, one(ends(a2, "a#1"), answered(a2)))
	closed := history(crashed, one(ends(on, "a#1"), answered(on)))
	tests := []checkTest{
		// Allowed.
		{"an id is reused", history(again, one(generated("a#1", 1, 7), arrived(a2, 2), queried, reported(2, 1, row(2)), drained)), nil},
		{"after a stop", history(does(a1, 1), does(stop("a#1", 1), 1), does(a2, 2), one(queried, reported(2, 1, row(2)), drained)), nil},
		{"an Accounting-On", history(closed, one(generated("a#1", 1, 7), queried, reported(1, 1), drained)), nil},
		{"the newest interim is dropped", history(does(a1, 1), sentAndAnswered(interim("a#1", 1)), one(lost("a#1"), ends(on, "a#1"), answered(on), generated("a#1", 1, 0), drained)), nil},
		{"nothing ends it: it stays", history(crashed, one(queried, reported(1, 1, row(1)), drained)), nil},
		{"while the new start is sent: the old one", history(crashed, one(ends(a2, "a#1"), queried, reported(1, 1, row(1)))), nil},
		{"or the new one", history(crashed, one(ends(a2, "a#1"), queried, reported(2, 1, row(2)))), nil},
		{"while an Accounting-On is sent: none or the old one", history(crashed, one(ends(on, "a#1"), queried, reported(1, 1), queried, reported(1, 1, row(1)))), nil},
		{"a start that was not answered: in no record", one(sent(a1), lost("a#1"), ends(a2, "a#1"), answered(a2), arrived(a2, 1), queried, reported(1, 1, row(1)), drained), nil},
		{"or in one, with its stop", one(sent(a1), lost("a#1"), ends(a2, "a#1"), answered(a2), arrived(a1, 1), generated("a#1", 1, 0), arrived(a2, 2), queried, reported(2, 1, row(2)), drained), nil},
		{"a crash before the stop is answered", history(does(a1, 1), one(sent(stop("a#1", 1)), lost("a#1"), ends(a2, "a#1"), answered(a2), arrived(stop("a#1", 1), 1), arrived(a2, 2), drained)), nil},
		{"two crashes", history(crashed, one(ends(a2, "a#1"), lost("a#2"), ends(a3, "a#1", "a#2"), answered(a3), generated("a#1", 1, 7), arrived(a3, 2), queried, reported(2, 1, row(2)), drained)), nil},
		{"an Accounting-On that is given up", history(crashed, one(ends(on, "a#1"), lost("nas-on-2"), drained)), nil},
		{"the stop again", history(closed, one(generated("a#1", 1, 7), generated("a#1", 1, 7), drained)), nil},
		{"an unanswered interim counts or not", history(does(a1, 1), one(sent(interim("a#1", 1)).gives(7), lost("a#1"), ends(on, "a#1"), answered(on), generated("a#1", 1, 7), drained)), nil},
		{"a better stop comes later", history(closed, one(generated("a#1", 1, 3), generated("a#1", 1, 7), drained)), nil},
		{"a copy of an interim with four newer ones", history(does(a1, 1), sentAndAnswered(interim("a#1", 1)),
			does(interim("a#1", 2), 1), does(interim("a#1", 3), 1), does(interim("a#1", 4), 1), does(interim("a#1", 5), 1),
			one(Observation{Kind: Again, Record: interim("a#1", 1)}, arrived(interim("a#1", 1), 1), drained)), nil},

		{"a late interim supersedes a newer one", history(does(a1, 1), one(sent(interim("a#1", 1))), sentAndAnswered(interim("a#1", 2)), one(arrived(interim("a#1", 1), 1), drained)), nil},
		{"but not one that was known before", history(does(a1, 1), sentAndAnswered(interim("a#1", 1)), sentAndAnswered(interim("a#1", 2)), one(arrived(interim("a#1", 1), 1), drained)), []string{"Interim-Update 2 of a#1 never arrived"}},

		// One session, one number.
		{"two sessions under one number", history(again, one(generated("a#1", 1, 7), arrived(a2, 1))), []string{"which is the number of a#1"}},
		{"the new session is taken for the old one", history(again, one(drained)), []string{"a#1 never arrived, nor a generated one", "Start 0 of a#2 never arrived"}},
		{"in the table", history(again, one(queried, reported(2, 1, row(1)))), []string{"the table has a#1, which its NAS had lost", "the table lacks a#2"}},
		{"one session under two numbers", history(crashed, does(a2, 2), one(sent(interim("a#2", 1)), arrived(interim("a#2", 1), 1))), []string{"as 00000001, and before as 00000002"}},
		{"a session is in the table twice", history(again, one(queried, reported(2, 1, row(1), row(2)))), []string{"a#1, which its NAS had lost", "the table has a twice"}},
		{"both are in the table, their numbers unknown", history(sentAndAnswered(a1), one(lost("a#1"), ends(a2, "a#1"), queried, reported(2, 2, row(1), row(2)))), []string{"the table has a twice"}},

		// Sessions that have ended.
		{"no stop is made at a start", history(again, one(arrived(a2, 2), drained)), []string{"Stop 2 of a#1 never arrived, nor a generated one"}},
		{"no stop is made at an Accounting-On", history(closed, one(drained)), []string{"Stop 2 of a#1 never arrived, nor a generated one"}},
		{"an Accounting-On closes nothing", history(closed, one(queried, reported(1, 1, row(1)))), []string{"a#1, which its NAS had lost"}},
		{"an Accounting-On is never answered", history(crashed, one(ends(on, "a#1"), drained)), []string{"Accounting-On 0 of nas-on-2 never was answered"}},
		{"a lost session is gone and nothing ended it", history(crashed, one(queried, reported(1, 1))), []string{"the table lacks a#1"}},
		{"a stop is made and nothing ended it", history(does(a1, 1), one(generated("a#1", 1, 0))), []string{"a stop of a#1 was generated, but nothing has ended it"}},
		{"a stop is made under a unknown number", history(closed, one(generated("a#1", 9, 7))), []string{"was generated as 00000009, which is not its number"}},
		{"and of another", history(does(start("b"), 2), closed, one(generated("a#1", 2, 7))), []string{"was generated as 00000002, which is not its number"}},
		{"a stop is made before the start arrives", history(sentAndAnswered(a1), one(queried, reported(1, 1, row(1)), lost("a#1"), ends(on, "a#1"), answered(on), generated("a#1", 1, 0))), []string{"arrived before its start"}},
		{"an interim comes after the generated stop", history(does(a1, 1), sentAndAnswered(interim("a#1", 1)), one(lost("a#1"), ends(on, "a#1"), answered(on), generated("a#1", 1, 0), arrived(interim("a#1", 1), 1))), []string{"arrived after the generated stop"}},

		// Counters.
		{"the stop that is made has too little", history(closed, one(generated("a#1", 1, 0), drained)), []string{"the last stop of a#1 has 0 octets; its NAS sent 7"}},
		{"or too much", history(closed, one(generated("a#1", 1, 8), drained)), []string{"the last stop of a#1 has 8 octets; its NAS sent 7"}},
		{"a worse stop comes later", history(closed, one(generated("a#1", 1, 7), generated("a#1", 1, 3), drained)), []string{"has 3 octets"}},
		{"a NAS's stop has less than was given", history(does(a1, 1), one(sent(interim("a#1", 1)).gives(9), answered(interim("a#1", 1)), sent(stop("a#1", 2)).gives(7), answered(stop("a#1", 2)), arrived(stop("a#1", 2), 1), drained)), []string{"has 7 octets; its NAS sent 9"}},
		{"the total counts a session twice", history(again, one(queried, reported(3, 1, row(2)))), []string{"casnTotalSessions is 3"}},
		{"the high-water mark has one too many", history(closed, does(a2, 2), one(queried, reported(2, 2, row(2)))), []string{"high-water mark is 2"}},

		// The history itself.
		{"a lost session speaks", history(crashed, one(sent(interim("a#1", 2)))), []string{"history is wrong"}},
		{"a session is lost that never began", one(lost("x")), []string{"history is wrong"}},
		{"a session is ended that is not lost", history(does(a1, 1), one(ends(on, "a#1"))), []string{"history is wrong"}},
		{"an Accounting-On is sent twice", one(ends(on), ends(on)), []string{"history is wrong"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}
