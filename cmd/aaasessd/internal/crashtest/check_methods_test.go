package crashtest

import (
	"testing"

	"aaasess/sessions"
)

// at is an arrival at a named server.
func (o Observation) at(server string) Observation {
	o.Text = server
	return o
}

var (
	older   = Observation{Kind: Older}
	present = Observation{Kind: Present}
)

// TestCheckMethods: a session has one order over all servers of all methods.
func TestCheckMethods(t *testing.T) {
	a0, a1, a2, b0 := start("a"), interim("a", 1), stop("a", 2), start("b")
	all := history(sentAndAnswered(a0), sentAndAnswered(a1), sentAndAnswered(a2)) // answered; nothing has arrived
	on := Record{"nas-on-2", sessions.On, 0}
	crashed := history(sentAndAnswered(a0), one(lost("a"), ends(on, "a"), answered(on)))
	tests := []checkTest{
		// Allowed.
		{"each record by another method", history(all, one(arrived(a0, 1).at("z"), arrived(a1, 1).at("g"), arrived(a2, 1).at("z"), drained)), nil},
		{"all by the second", history(all, one(arrived(a0, 1).at("g"), arrived(a2, 1).at("g"), drained)), nil},
		{"a copy by the other, whose answer was lost", history(all, one(
			arrived(a0, 1).at("z"), arrived(a0, 1).at("g"), arrived(a1, 1).at("g"), arrived(a2, 1).at("g"), arrived(a1, 1).at("z"), drained)), nil},
		{"a copy of all by the other", history(all, one(
			arrived(a0, 1).at("z"), arrived(a1, 1).at("z"), arrived(a2, 1).at("z"), arrived(a0, 1).at("g"), arrived(a1, 1).at("g"), arrived(a2, 1).at("g"), drained)), nil},
		{"one session overtakes another", history(all, does(b0, 2), one(arrived(a0, 1).at("g"), arrived(a1, 1).at("g"), arrived(a2, 1).at("z"), drained)), nil},
		{"what is answered late stands behind", history(sentAndAnswered(a0), one(sent(a1)), sentAndAnswered(a2), one(answered(a1),
			arrived(a0, 1).at("z"), arrived(a2, 1).at("g"), arrived(a1, 1).at("z"), drained)), nil},

		// Violations.
		{
			"the stop by one before start and interim by the other", history(all, one(arrived(a2, 1).at("z"), arrived(a0, 1).at("g"), arrived(a1, 1).at("g"), drained)),
			[]string{"Stop 2 of a arrived before its start", "Interim-Update 1 of a arrived after Stop 2"},
		},
		{
			"the interim before the start", history(all, one(arrived(a1, 1).at("z"), arrived(a0, 1).at("g"), arrived(a2, 1).at("g"), drained)),
			[]string{"Interim-Update 1 of a arrived before its start"},
		},
		{
			"the stop before the interim", history(all, one(arrived(a0, 1).at("z"), arrived(a2, 1).at("z"), arrived(a1, 1).at("g"), drained)),
			[]string{"Interim-Update 1 of a arrived after Stop 2"},
		},
		{
			"start and interim wait at the one that is dead", history(all, one(arrived(a2, 1).at("z"), drained)),
			[]string{"Stop 2 of a arrived before its start", "Start 0 of a never arrived"},
		},
		{"the stop that was made before the start", history(crashed, one(generated("a", 1, 0).at("z"))), []string{"which is not its number"}},

		// An older version, and then the present one with its state.
		{"the older one: the stop before the start", history(one(older), all, one(arrived(a2, 1).at("z"), arrived(a0, 1).at("g"), drained)), nil},
		{"and an interim after the stop", history(one(older), all, one(arrived(a2, 1).at("z"), arrived(a0, 1).at("g"), arrived(a1, 1).at("g"), drained)), nil},
		{"and nothing is lost", history(one(older), all, one(present, arrived(a2, 1).at("z"), drained)), []string{"Start 0 of a never arrived"}},
		{"sent to the older one, the next to the present one", history(one(older), sentAndAnswered(a0), sentAndAnswered(a1), one(present), sentAndAnswered(a2), one(arrived(a2, 1), arrived(a1, 1), arrived(a0, 1), drained)), nil},
		{
			"both sent to the present one", history(one(older), does(a0, 1), one(present), sentAndAnswered(a1), sentAndAnswered(a2), one(arrived(a2, 1), arrived(a1, 1), drained)),
			[]string{"Interim-Update 1 of a arrived after Stop 2"},
		},
		{"begun with the present one", history(one(older, present), all, one(arrived(a2, 1), arrived(a0, 1), drained)), []string{"Stop 2 of a arrived before its start"}},
		{"a stop that was made comes before its start", history(one(older), crashed, one(present, generated("a", 1, 0), arrived(a0, 1), drained)), nil},
		{
			"under a unknown number", history(one(older), crashed, one(present, generated("a", 9, 0), arrived(a0, 1), drained)),
			[]string{"Stop 1 of a never arrived", "was generated as 00000009, which is not its number"},
		},
		{"the better stop comes first", history(one(older), does(a0, 1), one(sent(a1).gives(7), answered(a1), lost("a"), ends(on, "a"), answered(on), present,
			generated("a", 1, 7), generated("a", 1, 3), drained)), nil},
		{"no stop is good enough", history(one(older), does(a0, 1), one(sent(a1).gives(7), answered(a1), lost("a"), ends(on, "a"), answered(on), present,
			generated("a", 1, 2), generated("a", 1, 3), drained)), []string{"the last stop of a has 3 octets; its NAS sent 7"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}
