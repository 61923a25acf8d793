package crashtest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aaasess/sessions"
)

func start(session string) Record { return Record{session, sessions.Start, 0} }

func interim(session string, nth int) Record { return Record{session, sessions.Interim, nth} }

func stop(session string, nth int) Record { return Record{session, sessions.Stop, nth} }

func sent(r Record) Observation { return Observation{Kind: Sent, Record: r} }

func answered(r Record) Observation { return Observation{Kind: Answered, Record: r} }

func arrived(r Record, number uint32) Observation {
	return Observation{Kind: Arrived, Record: r, Number: number}
}

func reported(total, highWater uint64, rows ...Row) Observation {
	return Observation{Kind: Reported, Total: total, HighWater: highWater, Rows: rows}
}

var (
	queried = Observation{Kind: Queried}
	killed  = Observation{Kind: Killed}
	drained = Observation{Kind: Drained}
)

// history joins pieces.
func history(pieces ...[]Observation) (out []Observation) {
	for _, p := range pieces {
		out = append(out, p...)
	}
	return out
}

// one is a piece of single observations.
func one(o ...Observation) []Observation { return o }

// does is a record that is sent, answered and arrives, in this order.
func does(r Record, number uint32) []Observation {
	return one(sent(r), answered(r), arrived(r, number))
}

// sentAndAnswered is a record that is sent and answered.
func sentAndAnswered(r Record) []Observation { return one(sent(r), answered(r)) }

// checkTest is a history and the violations in it.
type checkTest struct {
	name    string
	history []Observation
	want    []string // parts of the texts of the violations
}

func (tt checkTest) run(t *testing.T) {
	got := Check(tt.history)
	if len(got) != len(tt.want) {
		t.Fatalf("violations %q, want %q", got, tt.want)
	}
	for i, v := range got {
		if !strings.Contains(v.Text, tt.want[i]) {
			t.Errorf("violation %q, want %q", v.Text, tt.want[i])
		}
	}
}

func TestCheck(t *testing.T) {
	a0, a1, a2, b0 := start("a"), interim("a", 1), stop("a", 2), start("b")
	rowA, rowB := Row{"a", 1}, Row{"b", 2}
	tests := []checkTest{
		// Allowed.
		{"nothing", nil, nil},
		{"a session", history(does(a0, 1), does(a1, 1), does(a2, 1), one(queried, reported(1, 1), drained)), nil},
		{"a session that stays", history(does(a0, 1), one(queried, reported(1, 1, rowA), drained)), nil},
		{"it arrives before the answer", one(sent(a0), arrived(a0, 1), answered(a0), drained), nil},
		{"copies at any time", history(does(a0, 1), does(a1, 1), does(a2, 1), one(arrived(a0, 1), arrived(a1, 1), answered(a0), drained)), nil},
		{"a superseded interim is dropped", history(does(a0, 1), sentAndAnswered(a1), does(a2, 1), one(drained)), nil},
		{"an interim that was given up comes after the stop", history(does(a0, 1), one(sent(a1)), does(a2, 1), one(answered(a1), arrived(a1, 1), drained)), nil},
		{"sent and not answered: in the table or not", one(sent(a0), sent(b0), queried, reported(1, 1, rowA)), nil},
		{"answered during the query", one(sent(a0), queried, answered(a0), reported(0, 0)), nil},
		{"stop sent: in the table or not", history(does(a0, 1), does(b0, 2), one(sent(stop("a", 1)), sent(stop("b", 1)), queried, reported(2, 2, rowA))), nil},
		{"stop answered during the query", history(does(a0, 1), one(sent(stop("a", 1)), queried, answered(stop("a", 1)), reported(1, 1, rowA))), nil},
		{"a kill undoes what was not answered", history(does(a0, 1), one(sent(b0), queried, reported(2, 2, rowA, rowB), killed, queried, reported(1, 1, rowA))), nil},
		{"and its number", history(one(sent(a0), queried, reported(1, 1, rowA), killed), does(b0, 1), one(answered(a0), arrived(a0, 2), drained)), nil},
		{"late answers", history(one(sent(a0), killed, answered(a0), arrived(a0, 1), drained)), nil},

		// 1: the table.
		{"a session is lost", history(does(a0, 1), does(b0, 2), one(queried, reported(2, 2, rowA))), []string{"the table lacks b"}},
		{"a session is lost in a crash", history(sentAndAnswered(a0), one(killed, queried, reported(1, 1))), []string{"the table lacks a"}},
		{"a session is there twice", history(does(a0, 1), one(queried, reported(1, 1, rowA, rowA))), []string{"has a twice"}},
		{"and with two numbers", history(does(a0, 1), one(queried, reported(1, 1, rowA, Row{"a", 2}))), []string{"has a twice", "as 00000002, and before as 00000001"}},
		{"a session is still there", history(does(a0, 1), does(stop("a", 1), 1), one(queried, reported(1, 1, rowA))), []string{"whose stop was answered"}},
		{"an unknown session", one(queried, reported(0, 0, Row{"x", 7})), []string{"no NAS started"}},

		// 2: arrivals.
		{"a start never arrives", history(sentAndAnswered(a0), one(drained)), []string{"Start 0 of a never arrived"}},
		{"a stop never arrives", history(does(a0, 1), sentAndAnswered(stop("a", 1)), one(drained)), []string{"Stop 1 of a never arrived"}},
		{"the newest interim never arrives", history(does(a0, 1), sentAndAnswered(a1), one(drained)), []string{"Interim-Update 1 of a never arrived"}},
		{"an interim before its start", history(sentAndAnswered(a0), does(a1, 1), one(arrived(a0, 1))), []string{"Interim-Update 1 of a arrived before its start"}},
		{"a stop before its start", history(sentAndAnswered(a0), does(stop("a", 1), 1), one(drained)), []string{"arrived before its start", "Start 0 of a never arrived"}},
		{"an interim after its stop", history(does(a0, 1), sentAndAnswered(a1), does(a2, 1), one(arrived(a1, 1))), []string{"Interim-Update 1 of a arrived after Stop 2"}},
		{"an interim after a newer one", history(does(a0, 1), sentAndAnswered(a1), does(interim("a", 2), 1), one(arrived(a1, 1))), []string{"arrived after Interim-Update 2"}},
		{"a stop that no NAS sent", history(does(a0, 1), one(arrived(stop("a", 1), 1))), []string{"Stop 1 of a arrived and was never sent"}},
		{"a session that no NAS had", one(arrived(start("x"), 1)), []string{"Start 0 of x arrived and was never sent"}},
		{"a record as of another type", history(does(a0, 1), does(a1, 1), one(arrived(stop("a", 1), 1))), []string{"never sent"}},

		// 3: numbers.
		{"a number changes", history(does(a0, 1), does(a1, 2)), []string{"as 00000002, and before as 00000001"}},
		{"a number changes over a kill", history(does(a0, 1), one(killed, queried, reported(1, 1, Row{"a", 2}))), []string{"the table has a as 00000002"}},
		{"a copy has another number", history(does(a0, 1), one(arrived(a0, 2))), []string{"as 00000002"}},
		{"two sessions have one number", history(does(a0, 1), does(b0, 1)), []string{"which is the number of a"}},
		{"a number is used again", history(does(a0, 1), does(stop("a", 1), 1), does(b0, 1)), []string{"which is the number of a"}},
		{"two rows have one number", one(sent(a0), sent(b0), queried, reported(2, 2, Row{"a", 1}, Row{"b", 1})), []string{"has 00000001 for a and for b"}},
		{"no number", history(does(a0, 0)), []string{"with the number 0"}},

		// 5: counters.
		{"the total is too small", history(does(a0, 1), does(b0, 2), one(queried, reported(1, 2, rowA, rowB))), []string{"casnTotalSessions is 1: 2 starts were answered"}},
		{"the total is too large", history(does(a0, 1), one(queried, reported(2, 1, rowA))), []string{"casnTotalSessions is 2: 1 starts were answered, 1 sent"}},
		{"the high-water mark is too small", history(does(a0, 1), does(b0, 2), one(queried, reported(2, 1, rowA, rowB))), []string{"high-water mark is 1: at least 2"}},
		{"the high-water mark is too large", history(does(a0, 1), does(stop("a", 1), 1), does(b0, 2), one(queried, reported(2, 2, rowB))), []string{"high-water mark is 2: at least 1 sessions were live at one time, at most 1"}},
		{"the counters fall", one(sent(a0), queried, reported(1, 1, rowA), queried, reported(0, 0)), []string{"casnTotalSessions fell to 0; 1 are certain", "high-water mark fell to 0"}},
		{"the counters fall over a kill", history(
			one(sent(a0), queried, reported(1, 1, rowA), answered(a0), killed, sent(b0), queried, reported(0, 0, rowA)),
		), []string{"casnTotalSessions is 0", "high-water mark is 0", "casnTotalSessions fell", "high-water mark fell"}},
		{"a kill takes too much", history(
			one(sent(a0), sent(b0), queried, reported(2, 2, rowA, rowB), answered(a0), killed, killed, queried, reported(0, 0, rowA)),
		), []string{"casnTotalSessions is 0", "high-water mark is 0", "casnTotalSessions fell to 0; 1 are certain", "high-water mark fell to 0; 1 are certain"}},

		// 6: restarts.
		{"it does not come up", one(killed, Observation{Kind: Failed, Text: "why"}), []string{"the daemon failed: why"}},
		{"a start is never answered", one(sent(a0), arrived(a0, 1), drained), []string{"Start 0 of a never was answered"}},
		{"the newest interim is never answered", history(does(a0, 1), one(sent(a1), drained)), []string{"Interim-Update 1 of a never was answered"}},

		// The history itself.
		{"answered and never sent", one(answered(a0)), []string{"answered and never sent"}},
		{"sent twice", one(sent(a0), sent(a0)), []string{"history is wrong"}},
		{"no start", one(sent(a1)), []string{"history is wrong"}},
		{"sent before the start is answered", one(sent(a0), sent(a1)), []string{"history is wrong"}},
		{"sent after the stop", history(does(a0, 1), does(stop("a", 1), 1), one(sent(interim("a", 2)))), []string{"history is wrong"}},
		{"nothing observed", one(Observation{}), []string{"an unknown kind"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}

// TestAt: a violation has its place and its session.
func TestAt(t *testing.T) {
	got := Check(history(does(start("a"), 1), does(start("b"), 1), one(killed)))
	want := []Violation{{Session: "b", At: 5, Text: "Start 0 of b arrived as 00000001, which is the number of a"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestMissing: Missing returns what must still come, up to its limit.
func TestMissing(t *testing.T) {
	var c Checker
	for _, o := range history(sentAndAnswered(start("a")), one(sent(start("b"))), does(start("c"), 3)) {
		c.Add(&o)
	}
	want := []Observation{{Kind: Arrived, Record: start("a")}, {Kind: Answered, Record: start("b")}}
	if diff := cmp.Diff(want, c.Missing(0)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[:1], c.Missing(1)); diff != "" {
		t.Error(diff)
	}
}

// perfect simulates a daemon that does everything at once and loses nothing.
type perfect struct {
	history  []Observation
	live     []string
	sent     map[string]int
	total    uint32
	most     int
	numberOf map[string]uint32
}

func (p *perfect) step(t *rapid.T) {
	switch what := rapid.IntRange(0, 9).Draw(t, "what"); {
	case what < 3 || len(p.live) == 0:
		p.total++
		name := "s" + string(rune('0'+p.total))
		p.live = append(p.live, name)
		p.most = max(p.most, len(p.live))
		p.numberOf[name], p.sent[name] = p.total, 1
		p.history = append(p.history, does(start(name), p.total)...)
	case what < 6:
		name := rapid.SampledFrom(p.live).Draw(t, "whose")
		p.history = append(p.history, does(interim(name, p.sent[name]), p.numberOf[name])...)
		p.sent[name]++
	case what < 8:
		i := rapid.IntRange(0, len(p.live)-1).Draw(t, "which")
		name := p.live[i]
		p.live = append(p.live[:i:i], p.live[i+1:]...)
		p.history = append(p.history, does(stop(name, p.sent[name]), p.numberOf[name])...)
	default:
		p.history = append(p.history, killed, queried, p.tell())
	}
}

func (p *perfect) tell() Observation {
	o := reported(uint64(p.total), uint64(p.most))
	for _, name := range p.live {
		o.Rows = append(o.Rows, Row{name, p.numberOf[name]})
	}
	return o
}

// TestPerfectDaemon: a perfect daemon has no violations. Removing any arrival, answer or row from
// its history is a violation.
func TestPerfectDaemon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &perfect{sent: map[string]int{}, numberOf: map[string]uint32{}}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			p.step(t)
		}
		all := append(p.history, queried, p.tell(), drained)
		if found := Check(all); len(found) > 0 {
			t.Fatalf("violations without a fault: %v", found)
		}
		at := rapid.IntRange(0, len(all)-1).Draw(t, "fault")
		broken := append([]Observation(nil), all...)
		switch o := &broken[at]; {
		case o.Kind == Arrived && o.Record.Type != sessions.Interim:
			broken = append(broken[:at], broken[at+1:]...)
		case o.Kind == Arrived:
			o.Number += 100
		case o.Kind == Reported && len(o.Rows) > 0:
			o.Rows = o.Rows[1:]
		case o.Kind == Reported && o.Total > 0:
			o.Total--
		default:
			return
		}
		if found := Check(broken); len(found) == 0 {
			t.Fatalf("no violation with a fault at %d: %v", at, &all[at])
		}
	})
}
