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

func told(total, highWater uint64, rows ...Row) Observation {
	return Observation{Kind: Told, Total: total, HighWater: highWater, Rows: rows}
}

var (
	asked   = Observation{Kind: Asked}
	killed  = Observation{Kind: Killed}
	drained = Observation{Kind: Drained}
)

// history strings pieces together.
func history(pieces ...[]Observation) (out []Observation) {
	for _, p := range pieces {
		out = append(out, p...)
	}
	return out
}

// one is a piece of single observations.
func one(o ...Observation) []Observation { return o }

// does is a record that is sent, answered and arrives, as it should be.
func does(r Record, number uint32) []Observation {
	return one(sent(r), answered(r), arrived(r, number))
}

// took is a record that is sent and answered.
func took(r Record) []Observation { return one(sent(r), answered(r)) }

// checkTest is a history and its violations.
type checkTest struct {
	name    string
	history []Observation
	want    []string // what the violations say, in part
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
		// What may be.
		{"nothing", nil, nil},
		{"a session", history(does(a0, 1), does(a1, 1), does(a2, 1), one(asked, told(1, 1), drained)), nil},
		{"a session that stays", history(does(a0, 1), one(asked, told(1, 1, rowA), drained)), nil},
		{"it arrives before the answer", one(sent(a0), arrived(a0, 1), answered(a0), drained), nil},
		{"copies at any time", history(does(a0, 1), does(a1, 1), does(a2, 1), one(arrived(a0, 1), arrived(a1, 1), answered(a0), drained)), nil},
		{"a superseded interim is dropped", history(does(a0, 1), took(a1), does(a2, 1), one(drained)), nil},
		{"an interim that was given up comes after the stop", history(does(a0, 1), one(sent(a1)), does(a2, 1), one(answered(a1), arrived(a1, 1), drained)), nil},
		{"sent and not answered: in the table or not", one(sent(a0), sent(b0), asked, told(1, 1, rowA)), nil},
		{"answered while it is asked", one(sent(a0), asked, answered(a0), told(0, 0)), nil},
		{"stop sent: in the table or not", history(does(a0, 1), does(b0, 2), one(sent(stop("a", 1)), sent(stop("b", 1)), asked, told(2, 2, rowA))), nil},
		{"stop answered while it is asked", history(does(a0, 1), one(sent(stop("a", 1)), asked, answered(stop("a", 1)), told(1, 1, rowA))), nil},
		{"a kill takes what nobody was answered for", history(does(a0, 1), one(sent(b0), asked, told(2, 2, rowA, rowB), killed, asked, told(1, 1, rowA))), nil},
		{"and its number", history(one(sent(a0), asked, told(1, 1, rowA), killed), does(b0, 1), one(answered(a0), arrived(a0, 2), drained)), nil},
		{"late answers", history(one(sent(a0), killed, answered(a0), arrived(a0, 1), drained)), nil},

		// 1: the table.
		{"a session is lost", history(does(a0, 1), does(b0, 2), one(asked, told(2, 2, rowA))), []string{"the table has not b"}},
		{"a session is lost in a crash", history(took(a0), one(killed, asked, told(1, 1))), []string{"the table has not a"}},
		{"a session is there twice", history(does(a0, 1), one(asked, told(1, 1, rowA, rowA))), []string{"has a twice"}},
		{"and with two numbers", history(does(a0, 1), one(asked, told(1, 1, rowA, Row{"a", 2}))), []string{"has a twice", "as 00000002, and before as 00000001"}},
		{"a session is still there", history(does(a0, 1), does(stop("a", 1), 1), one(asked, told(1, 1, rowA))), []string{"whose stop was answered"}},
		{"a session of nobody", one(asked, told(0, 0, Row{"x", 7})), []string{"no NAS began"}},

		// 2: what arrives.
		{"a start never arrives", history(took(a0), one(drained)), []string{"Start 0 of a never arrived"}},
		{"a stop never arrives", history(does(a0, 1), took(stop("a", 1)), one(drained)), []string{"Stop 1 of a never arrived"}},
		{"the newest interim never arrives", history(does(a0, 1), took(a1), one(drained)), []string{"Interim-Update 1 of a never arrived"}},
		{"an interim before its start", history(took(a0), does(a1, 1), one(arrived(a0, 1))), []string{"Interim-Update 1 of a arrived before its start"}},
		{"a stop before its start", history(took(a0), does(stop("a", 1), 1), one(drained)), []string{"arrived before its start", "Start 0 of a never arrived"}},
		{"an interim after its stop", history(does(a0, 1), took(a1), does(a2, 1), one(arrived(a1, 1))), []string{"Interim-Update 1 of a arrived after Stop 2"}},
		{"an interim after a newer one", history(does(a0, 1), took(a1), does(interim("a", 2), 1), one(arrived(a1, 1))), []string{"arrived after Interim-Update 2"}},
		{"a stop that no NAS sent", history(does(a0, 1), one(arrived(stop("a", 1), 1))), []string{"Stop 1 of a arrived and was never sent"}},
		{"a session that no NAS had", one(arrived(start("x"), 1)), []string{"Start 0 of x arrived and was never sent"}},
		{"a record as of another type", history(does(a0, 1), does(a1, 1), one(arrived(stop("a", 1), 1))), []string{"never sent"}},

		// 3: numbers.
		{"a number changes", history(does(a0, 1), does(a1, 2)), []string{"as 00000002, and before as 00000001"}},
		{"a number changes over a kill", history(does(a0, 1), one(killed, asked, told(1, 1, Row{"a", 2}))), []string{"the table has a as 00000002"}},
		{"a copy has another number", history(does(a0, 1), one(arrived(a0, 2))), []string{"as 00000002"}},
		{"two sessions have one number", history(does(a0, 1), does(b0, 1)), []string{"which is the number of a"}},
		{"a number is used again", history(does(a0, 1), does(stop("a", 1), 1), does(b0, 1)), []string{"which is the number of a"}},
		{"two rows have one number", one(sent(a0), sent(b0), asked, told(2, 2, Row{"a", 1}, Row{"b", 1})), []string{"has 00000001 for a and for b"}},
		{"no number", history(does(a0, 0)), []string{"with the number 0"}},

		// 5: counters.
		{"the total is too small", history(does(a0, 1), does(b0, 2), one(asked, told(1, 2, rowA, rowB))), []string{"casnTotalSessions is 1: 2 starts were answered"}},
		{"the total is too large", history(does(a0, 1), one(asked, told(2, 1, rowA))), []string{"casnTotalSessions is 2: 1 starts were answered, 1 sent"}},
		{"the high-water mark is too small", history(does(a0, 1), does(b0, 2), one(asked, told(2, 1, rowA, rowB))), []string{"high-water mark is 1: at least 2"}},
		{"the high-water mark is too large", history(does(a0, 1), does(stop("a", 1), 1), does(b0, 2), one(asked, told(2, 2, rowB))), []string{"high-water mark is 2: at least 1 sessions were live at one time, at most 1"}},
		{"the counters fall", one(sent(a0), asked, told(1, 1, rowA), asked, told(0, 0)), []string{"casnTotalSessions fell to 0; 1 are sure", "high-water mark fell to 0"}},
		{"the counters fall over a kill", history(
			one(sent(a0), asked, told(1, 1, rowA), answered(a0), killed, sent(b0), asked, told(0, 0, rowA)),
		), []string{"casnTotalSessions is 0", "high-water mark is 0", "casnTotalSessions fell", "high-water mark fell"}},
		{"a kill takes too much", history(
			one(sent(a0), sent(b0), asked, told(2, 2, rowA, rowB), answered(a0), killed, killed, asked, told(0, 0, rowA)),
		), []string{"casnTotalSessions is 0", "high-water mark is 0", "casnTotalSessions fell to 0; 1 are sure", "high-water mark fell to 0; 1 are sure"}},

		// 6: it goes on.
		{"it does not come up", one(killed, Observation{Kind: Failed, Text: "why"}), []string{"the daemon failed: why"}},
		{"a start is never answered", one(sent(a0), arrived(a0, 1), drained), []string{"Start 0 of a never was answered"}},
		{"the newest interim is never answered", history(does(a0, 1), one(sent(a1), drained)), []string{"Interim-Update 1 of a never was answered"}},

		// The history itself.
		{"answered and never sent", one(answered(a0)), []string{"answered and never sent"}},
		{"sent twice", one(sent(a0), sent(a0)), []string{"history is wrong"}},
		{"no start", one(sent(a1)), []string{"history is wrong"}},
		{"sent before the start is answered", one(sent(a0), sent(a1)), []string{"history is wrong"}},
		{"sent after the stop", history(does(a0, 1), does(stop("a", 1), 1), one(sent(interim("a", 2)))), []string{"history is wrong"}},
		{"nothing observed", one(Observation{}), []string{"no kind"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}

// TestAt: a violation says where it is and of which session.
func TestAt(t *testing.T) {
	got := Check(history(does(start("a"), 1), does(start("b"), 1), one(killed)))
	want := []Violation{{Session: "b", At: 5, Text: "Start 0 of b arrived as 00000001, which is the number of a"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestMissing: what is under way, at most as much as is asked for.
func TestMissing(t *testing.T) {
	var c Checker
	for _, o := range history(took(start("a")), one(sent(start("b"))), does(start("c"), 3)) {
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

// perfect is a daemon that does all at once and forgets nothing.
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
		p.history = append(p.history, killed, asked, p.tell())
	}
}

func (p *perfect) tell() Observation {
	o := told(uint64(p.total), uint64(p.most))
	for _, name := range p.live {
		o.Rows = append(o.Rows, Row{name, p.numberOf[name]})
	}
	return o
}

// TestPerfectDaemon: a daemon without fault has no violations, and any arrival, answer or row that is
// taken away makes one.
func TestPerfectDaemon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &perfect{sent: map[string]int{}, numberOf: map[string]uint32{}}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			p.step(t)
		}
		all := append(p.history, asked, p.tell(), drained)
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
		case o.Kind == Told && len(o.Rows) > 0:
			o.Rows = o.Rows[1:]
		case o.Kind == Told && o.Total > 0:
			o.Total--
		default:
			return
		}
		if found := Check(broken); len(found) == 0 {
			t.Fatalf("no violation with a fault at %d: %v", at, &all[at])
		}
	})
}
