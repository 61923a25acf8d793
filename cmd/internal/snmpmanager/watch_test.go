package snmpmanager

import (
	"context"
	"fmt"
	"math/rand"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestChanges: changes carried out on the first answer give the second one.
func TestChanges(t *testing.T) {
	table := rapid.Custom(func(t *rapid.T) []Session {
		numbers := rapid.SliceOfNDistinct(rapid.Uint32Range(1, 12), 0, 12, rapid.ID[uint32]).Draw(t, "numbers")
		slices.Sort(numbers)
		var list []Session
		for _, n := range numbers {
			list = append(list, Session{Number: n, User: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "user"), Idle: rand.Uint32()})
		}
		return list
	})
	rapid.Check(t, func(t *rapid.T) {
		before, after := table.Draw(t, "before"), table.Draw(t, "after")
		users := map[uint32]string{}
		for _, s := range before {
			users[s.Number] = s.User
		}
		for _, c := range Changes(before, after) {
			user, known := users[c.Session.Number]
			switch {
			case c.Event == Ended && known && user == c.Session.User:
				delete(users, c.Session.Number)
			case c.Event == Began && !known, c.Event == Changed && known && user != c.Session.User:
				users[c.Session.Number] = c.Session.User
			default:
				t.Fatalf("%s %+v, known: %v %q", c.Event, c.Session, known, user)
			}
		}
		want := map[uint32]string{}
		for _, s := range after {
			want[s.Number] = s.User
		}
		if diff := cmp.Diff(want, users); diff != "" {
			t.Error(diff)
		}
	})
	s := Session{Number: 1, User: "a"}
	ending, moved := s, s
	ending.Terminating, moved.Address = true, netip.MustParseAddr("10.0.0.1")
	for name, tt := range map[string]struct {
		before, after Session
		want          []string
	}{
		"nothing":                  {s, s, nil},
		"casnDisconnect is true":   {s, ending, []string{Ending}},
		"it stays true":            {ending, ending, nil},
		"it is false again (undo)": {ending, s, nil},
		"an address":               {s, moved, []string{Changed}},
	} {
		var got []string
		for _, c := range Changes([]Session{tt.before}, []Session{tt.after}) {
			got = append(got, c.Event)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestWatch: an agent is asked after each interval. A failure is reported once, and what has happened
// meanwhile when it answers again.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := Session{Number: 1}, Session{Number: 2}, Session{Number: 3}
		answers := []Answer{
			{Err: ErrNoAnswer},
			{Sessions: []Session{a}},
			{Sessions: []Session{a, b}},
			{Err: ErrNoAnswer},
			{Err: ErrNoAnswer},
			{Sessions: []Session{b, c}},
			{Sessions: []Session{b, c}},
		}
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		ask := func(context.Context, Target) Answer {
			next := answers[0]
			if answers = answers[1:]; len(answers) == 0 {
				cancel()
			}
			return next
		}
		var got []string
		for r := range Watch(ctx, Target{Name: "router"}, 5*time.Second, ask) {
			what := fmt.Sprint(r.Change.Event, " ", r.Change.Session.Number)
			if r.Err != nil {
				what = r.Err.Error()
			} else if r.First {
				what = fmt.Sprint(r.Live, " live")
			}
			got = append(got, fmt.Sprint(r.Time.Sub(begin), " ", r.Target.Name, " ", what))
		}
		want := []string{
			"0s router no answer", "5s router 1 live", "10s router new 2", "15s router no answer",
			"25s router 2 live", "25s router ended 1", "25s router new 3",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
