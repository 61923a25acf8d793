package feed

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// read returns what a reader gets until nothing is left: "1 2 -3 6", with -3 for three missing events.
func read(f *Feed[int], at *Position) string {
	var out []string
	for {
		b := f.Read(*at, 3)
		if b.Missing > 0 {
			out = append(out, fmt.Sprint("-", b.Missing))
		}
		for i, e := range b.Events {
			if b.Numbers[i] != uint64(e) {
				out = append(out, fmt.Sprintf("%d is number %d", e, b.Numbers[i]))
			}
			out = append(out, fmt.Sprint(e))
		}
		*at = b.Next
		if b.Changed != nil {
			return strings.Join(out, " ")
		}
	}
}

// TestFeed: readers get what they want, and are told what is missing.
func TestFeed(t *testing.T) {
	f := New[int](4)
	add := func(numbers ...int) {
		for _, n := range numbers {
			f.Add(n, 0)
		}
	}
	add(1, 2)
	at, ok := f.Begin("")
	if got := read(f, &at); got != "" || !ok {
		t.Errorf("a new reader gets %q", got)
	}
	again, ok := f.Begin(f.Name(1))
	if got := read(f, &again); got != "2" || !ok {
		t.Errorf("a reader that comes again gets %q", got)
	}
	changed := f.Read(at, 1).Changed
	add(3)
	<-changed
	if got := read(f, &at); got != "3" {
		t.Errorf("the next event is %q", got)
	}
	add(4, 5, 6, 7, 8)
	if got := read(f, &at); got != "-1 5 6 7 8" {
		t.Errorf("a slow reader gets %q", got)
	}
	f.Add(11, 2)
	f.Skip(0)
	f.Skip(3)
	if got := read(f, &at); got != "-2 11 -3" {
		t.Errorf("after losses: %q", got)
	}
	if got := read(f, &again); got != "-3 6 7 8 -2 11 -3" {
		t.Errorf("the slowest reader gets %q", got)
	}
}

// TestBegin: a name of another life, or of no event, is told apart.
func TestBegin(t *testing.T) {
	f := New[int](4)
	select {
	case <-f.Wanted():
		t.Error("nobody reads yet")
	default:
	}
	f.Add(1, 0)
	for _, after := range []string{"x", "-", f.life, f.life + "-", f.life + "-2", f.life + "-x", "AAAAAAAA-1", f.life + "--1"} {
		if at, ok := f.Begin(after); ok || at != 2 {
			t.Errorf("%q: %d, %v", after, at, ok)
		}
	}
	<-f.Wanted()
	if at, ok := f.Begin(f.Name(0)); !ok || at != 1 {
		t.Errorf("from the first event: %d, %v", at, ok)
	}
}

// TestNothingIsForgotten: whatever the order of events and reads, each reader gets each event or is told
// that it is missing, in order.
func TestNothingIsForgotten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := New[int](rapid.IntRange(1, 5).Draw(t, "size"))
		last := 0
		type reader struct{ at, next Position }
		readers := []*reader{{1, 1}, {1, 1}}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				missing := rapid.IntRange(0, 2).Draw(t, "missing")
				last += missing + 1
				f.Add(last, uint64(missing))
			case 1:
				missing := rapid.IntRange(0, 2).Draw(t, "missing")
				last += missing
				f.Skip(uint64(missing))
			case 2:
				r := readers[rapid.IntRange(0, 1).Draw(t, "reader")]
				b := f.Read(r.at, rapid.IntRange(1, 3).Draw(t, "limit"))
				r.next += Position(b.Missing)
				for _, e := range b.Events {
					if Position(e) != r.next {
						t.Fatalf("event %d, want %d", e, r.next)
					}
					r.next++
				}
				if r.at = b.Next; r.at != r.next || (b.Changed != nil) != (b.Missing == 0 && len(b.Events) == 0) {
					t.Fatalf("%+v, want position %d", b, r.next)
				}
			}
		}
		for _, r := range readers {
			for b := f.Read(r.at, 2); b.Changed == nil; b = f.Read(r.at, 2) {
				r.at = b.Next
			}
			if int(r.at) != last+1 {
				t.Fatalf("at %d of %d", r.at, last)
			}
		}
	})
}

// TestConcurrent: readers that wait miss nothing.
func TestConcurrent(t *testing.T) {
	const n = 5000
	f := New[int](n)
	var wg sync.WaitGroup
	for range 3 {
		at, _ := f.Begin("")
		wg.Go(func() {
			for at <= n {
				b := f.Read(at, 7)
				if b.Missing > 0 {
					t.Errorf("%d missing", b.Missing)
				}
				if at = b.Next; b.Changed != nil {
					<-b.Changed
				}
			}
		})
	}
	for i := range n {
		f.Add(i+1, 0)
	}
	wg.Wait()
}
