package conditions

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aaasess/mib/aaasess"
	"aaasess/store"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

var limits = Limits{Records: 100, Age: time.Hour, BlockedAfter: time.Minute}

// at returns a sample that many seconds after noon.
func at(second int, change ...func(*Sample)) Sample {
	s := Sample{Now: noon.Add(time.Duration(second) * time.Second)}
	for _, c := range change {
		c(&s)
	}
	return s
}

// queue adds a method to a sample, whose cause to be blocked is that it does not move.
func queue(name string, records, withheld, left uint64, change ...func(*Method)) func(*Sample) {
	return func(s *Sample) {
		m := Method{Name: name, Records: records, Withheld: withheld, Left: left, Cause: aaasess.NotMoving, Oldest: s.Now}
		for _, c := range change {
			c(&m)
		}
		s.Methods = append(s.Methods, m)
	}
}

func silent(m *Method) { m.Silent = true }

func age(d time.Duration) func(*Method) { return func(m *Method) { m.Oldest = m.Oldest.Add(-d) } }

func space(set func(*store.Space)) func(*Sample) { return func(s *Sample) { set(&s.Space) } }

// text is a change as the tests want it.
func text(s *Sample, c *Change) string {
	out := fmt.Sprint(int(s.Now.Sub(noon)/time.Second), " ", c.Kind)
	if c.Kind == Queue {
		out += " " + c.Method.Name
	}
	if c.Bad {
		out += " bad"
	} else {
		out += " good"
	}
	if c.Kind == Queue && c.Bad {
		out += fmt.Sprint(" ", c.Method.Reason)
	}
	return out
}

func TestMachine(t *testing.T) {
	short := space(func(s *store.Space) { s.FreeWarning, s.Warning = true, true })
	large := space(func(s *store.Space) { s.SizeWarning, s.Warning = true, true })
	refused := space(func(s *store.Space) { s.Accepting = errors.New("no space") })
	cause := func(r aaasess.Reason) func(*Method) { return func(m *Method) { m.Cause = r } }
	for _, tt := range []struct {
		name    string
		samples []Sample
		want    string
	}{
		{"nothing", []Sample{at(0), at(1)}, ""},
		{"the disk", []Sample{at(0), at(1, short), at(2, short), at(3)}, "1 disk bad, 3 disk good"},
		{"the disk is short at the start", []Sample{at(0, short)}, "0 disk bad"},
		{"the store is large", []Sample{at(0), at(1, large), at(2)}, "1 spool bad, 2 spool good"},
		{"events", []Sample{at(0, refused), at(1, refused, short), at(2, short), at(3)}, "0 events bad, 1 disk bad, 2 events good, 3 disk good"},

		{"fewer records than the threshold", []Sample{at(0, queue("a", 99, 0, 0))}, ""},
		{"as many records", []Sample{at(0, queue("a", 100, 0, 0))}, "0 spool bad"},
		{"records of two methods", []Sample{at(0, queue("a", 50, 0, 0), queue("b", 50, 50, 0))}, "0 spool bad"},
		{"a few fewer", []Sample{at(0, queue("a", 100, 0, 0)), at(1, queue("a", 90, 0, 10))}, "0 spool bad"},
		{"less than nine tenths", []Sample{at(0, queue("a", 100, 0, 0)), at(1, queue("a", 89, 0, 11))}, "0 spool bad, 1 spool good"},
		{"nearly an hour", []Sample{at(0, queue("a", 1, 1, 0, age(time.Hour-1)))}, ""},
		{"an hour", []Sample{at(0, queue("a", 1, 1, 0, age(time.Hour)))}, "0 spool bad"},
		{"the older one of two", []Sample{at(0, queue("a", 1, 1, 0, age(time.Hour)), queue("b", 1, 1, 0))}, "0 spool bad"},
		{"54 minutes", []Sample{at(0, queue("a", 1, 1, 0, age(time.Hour))), at(1, queue("a", 1, 1, 0, age(54*time.Minute)))}, "0 spool bad"},
		{"less than 54 minutes", []Sample{at(0, queue("a", 1, 1, 0, age(time.Hour))), at(1, queue("a", 1, 1, 0, age(54*time.Minute-1)))}, "0 spool bad, 1 spool good"},
		{"an age of no record", []Sample{at(0, queue("a", 0, 0, 0, age(2*time.Hour)))}, ""},
		{"an age that is not known yet", []Sample{at(0, queue("a", 1, 1, 0, func(m *Method) { m.Oldest = time.Time{} }))}, ""},
		{"the clock went back", []Sample{at(0, queue("a", 1, 1, 0, age(-time.Hour)))}, ""},

		{"not blocked yet", []Sample{at(0, queue("a", 1, 0, 5)), at(59, queue("a", 1, 0, 5))}, ""},
		{"blocked", []Sample{at(0, queue("a", 1, 0, 5)), at(60, queue("a", 1, 0, 5)), at(61, queue("a", 1, 0, 5))}, "60 method a bad 5"},
		{"more records come, none leaves", []Sample{at(0, queue("a", 1, 0, 5)), at(60, queue("a", 9, 0, 5))}, "60 method a bad 5"},
		{"one leaves in time", []Sample{at(0, queue("a", 1, 0, 5)), at(59, queue("a", 1, 0, 6)), at(60, queue("a", 1, 0, 6)), at(118, queue("a", 1, 0, 6))}, ""},
		{"and then none", []Sample{at(0, queue("a", 1, 0, 5)), at(59, queue("a", 1, 0, 6)), at(119, queue("a", 1, 0, 6))}, "119 method a bad 5"},
		{"flowing with the next that leaves", []Sample{at(0, queue("a", 2, 0, 5)), at(60, queue("a", 2, 0, 5)), at(61, queue("a", 1, 0, 6)), at(62, queue("a", 1, 0, 6))}, "60 method a bad 5, 61 method a good"},
		{"flowing when none waits", []Sample{at(0, queue("a", 2, 0, 5)), at(60, queue("a", 2, 0, 5)), at(61, queue("a", 0, 0, 5))}, "60 method a bad 5, 61 method a good"},
		{"the wait begins anew", []Sample{at(0, queue("a", 1, 0, 5)), at(30, queue("a", 0, 0, 5)), at(31, queue("a", 1, 0, 5)), at(90, queue("a", 1, 0, 5))}, ""},
		{"withheld records", []Sample{at(0, queue("a", 3, 3, 5)), at(60, queue("a", 3, 3, 5))}, ""},
		{"all but one withheld", []Sample{at(0, queue("a", 4, 3, 5)), at(60, queue("a", 4, 3, 5))}, "60 method a bad 5"},
		{"the reason of the moment", []Sample{at(0, queue("a", 1, 0, 5)), at(60, queue("a", 1, 0, 5, cause(aaasess.NoAnswer)))}, "60 method a bad 2"},
		{"another reason is no change", []Sample{at(0, queue("a", 1, 0, 5)), at(60, queue("a", 1, 0, 5)), at(61, queue("a", 1, 0, 5, cause(aaasess.NoAnswer)))}, "60 method a bad 5"},
		{"another method", []Sample{at(0, queue("a", 1, 0, 5), queue("b", 1, 0, 5)), at(60, queue("a", 1, 0, 5), queue("b", 1, 0, 6))}, "60 method a bad 5"},
		{"two methods in order", []Sample{at(0, queue("b", 1, 0, 5), queue("a", 1, 0, 5)), at(60, queue("b", 1, 0, 5), queue("a", 1, 0, 5))}, "60 method a bad 5, 60 method b bad 5"},
		{"the method goes", []Sample{at(0, queue("a", 1, 0, 5)), at(60, queue("a", 1, 0, 5)), at(61)}, "60 method a bad 5, 61 method a good"},
		{"a flowing method goes", []Sample{at(0, queue("a", 1, 0, 5)), at(1)}, ""},
		{"it goes and comes back", []Sample{at(0, queue("a", 1, 0, 5)), at(1), at(2, queue("a", 1, 0, 5)), at(61, queue("a", 1, 0, 5))}, ""},

		{"silent for logins", []Sample{at(0, queue("a", 0, 0, 0, silent)), at(1, queue("a", 0, 0, 0))}, "0 method a bad 6, 1 method a good"},
		{"silent, and records too", []Sample{at(0, queue("a", 1, 0, 0, silent)), at(60, queue("a", 1, 0, 0, silent)), at(61, queue("a", 1, 0, 0)), at(62, queue("a", 1, 0, 1))}, "0 method a bad 6, 62 method a good"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var m Machine
			var got []string
			for i := range tt.samples {
				s := &tt.samples[i]
				for _, c := range m.Step(s, limits) {
					got = append(got, text(s, &c))
				}
			}
			if got := strings.Join(got, ", "); got != tt.want {
				t.Errorf("changes %s, want %s", got, tt.want)
			}
		})
	}
}

// TestRestore: what the process before has told is the present state.
func TestRestore(t *testing.T) {
	for _, tt := range []struct {
		name  string
		key   Key
		first Sample
		want  string
	}{
		{"the disk is enough by now", Key{Kind: Disk}, at(0), "0 disk good"},
		{"the disk is still short", Key{Kind: Disk}, at(0, space(func(s *store.Space) { s.FreeWarning = true })), ""},
		{"events are accepted by now", Key{Kind: Events}, at(0), "0 events good"},
		{"the spool is normal by now", Key{Kind: Spool}, at(0, queue("a", 89, 89, 0)), "0 spool good"},
		{"the spool is within the hysteresis", Key{Kind: Spool}, at(0, queue("a", 90, 90, 0)), ""},
		{"records still wait", Key{Queue, "a"}, at(0, queue("a", 1, 0, 0)), ""},
		{"no record waits by now", Key{Queue, "a"}, at(0, queue("a", 0, 0, 0)), "0 method a good"},
		{"still silent", Key{Queue, "a"}, at(0, queue("a", 0, 0, 0, silent)), ""},
		{"the method has gone", Key{Queue, "a"}, at(0), "0 method a good"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var m Machine
			m.Restore(tt.key, noon.Add(-time.Hour))
			var got []string
			for _, c := range m.Step(&tt.first, limits) {
				got = append(got, text(&tt.first, &c))
			}
			if got := strings.Join(got, ", "); got != tt.want {
				t.Errorf("changes %s, want %s", got, tt.want)
			}
			if q := m.methods["a"]; q != nil && q.bad && !q.since.Equal(noon.Add(-time.Hour)) {
				t.Errorf("blocked since %v", q.since)
			}
		})
	}
}

// TestNoThresholds: without thresholds the spool is over only because of its size.
func TestNoThresholds(t *testing.T) {
	var m Machine
	s := at(0, queue("a", 1<<40, 1<<40, 0, age(1000*time.Hour)))
	if got := m.Step(&s, Limits{BlockedAfter: time.Minute}); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

// TestMachineRules: changes of a thing alternate, beginning with a bad one; what is told is what the sample
// says; and a method is never blocked while a record has left within the time.
func TestMachineRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Machine
		bad := map[Key]bool{}
		second, left, lastLeft := 0, uint64(0), 0
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			second += rapid.IntRange(1, 70).Draw(t, "seconds")
			records := rapid.Uint64Range(0, 120).Draw(t, "records")
			withheld := rapid.Uint64Range(0, records).Draw(t, "withheld")
			if rapid.Bool().Draw(t, "one leaves") {
				left, lastLeft = left+1, second
			}
			s := at(second, queue("a", records, withheld, left))
			s.Space.FreeWarning = rapid.Bool().Draw(t, "short")
			for _, c := range m.Step(&s, limits) {
				if bad[c.Key] == c.Bad {
					t.Fatalf("%+v is told again", c.Key)
				}
				bad[c.Key] = c.Bad
			}
			switch {
			case bad[Key{Kind: Disk}] != s.Space.FreeWarning:
				t.Fatalf("the disk is short: %v", s.Space.FreeWarning)
			case records >= limits.Records && !bad[Key{Kind: Spool}], records < limits.Records/10*9 && bad[Key{Kind: Spool}]:
				t.Fatalf("the spool has %d records and is over: %v", records, bad[Key{Kind: Spool}])
			case bad[Key{Queue, "a"}] && (records == withheld || second-lastLeft < 60):
				t.Fatalf("blocked at %d; %d of %d records are withheld, the last one left at %d", second, withheld, records, lastLeft)
			}
		}
	})
}
