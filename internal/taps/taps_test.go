package taps

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func all(*int) bool { return true }

// read returns what a reader prints that empties the queue: the values, and how many are missing
// between them: "1 2 -3 6".
func read(l *Listener[int]) string {
	var out []string
	missing := func(n uint64) {
		if n > 0 {
			out = append(out, fmt.Sprint("-", n))
		}
	}
	for {
		select {
		case e := <-l.Items():
			missing(e.LeftOut)
			out = append(out, fmt.Sprint(e.Value))
		default:
			missing(l.LeftOut())
			return strings.Join(out, " ")
		}
	}
}

// TestTap: each Listener gets what it wants.
func TestTap(t *testing.T) {
	var tap Tap[int]
	if tap.Listened() {
		t.Error("nobody listens yet")
	}
	tap.Offer(new(1))
	every, even := tap.Listen(all), tap.Listen(func(n *int) bool { return *n%2 == 0 })
	for id := range 4 {
		tap.Offer(new(id + 2))
	}
	if got := read(every); got != "2 3 4 5" {
		t.Errorf("every: %s", got)
	}
	if got := read(even); got != "2 4" {
		t.Errorf("even: %s", got)
	}
	every.Close()
	every.Close() // again does nothing
	tap.Offer(new(6))
	if got := read(even); got != "6" || !tap.Listened() {
		t.Errorf("even alone: %s", got)
	}
	if got := read(every); got != "" {
		t.Errorf("closed: %s", got)
	}
	even.Close()
	if tap.Listened() {
		t.Error("nobody listens any more")
	}
}

// TestSlowReader: a reader that is slow loses events and is told how many, where they are missing.
// One that is as fast as the events loses none.
func TestSlowReader(t *testing.T) {
	var tap Tap[int]
	slow, fast := tap.Listen(all), tap.Listen(all)
	rare := tap.Listen(func(n *int) bool { return *n%QueueSize == 1 })
	id := 0
	offer := func(n int) {
		for range n {
			id++
			tap.Offer(new(id))
			if got := read(fast); got != fmt.Sprint(id) {
				t.Errorf("fast at %d: %s", id, got)
			}
		}
	}
	offer(QueueSize + 3)
	<-slow.Items()
	<-slow.Items()
	offer(3) // the first two find room
	want := make([]string, 0, QueueSize+3)
	for i := 3; i <= QueueSize; i++ {
		want = append(want, fmt.Sprint(i))
	}
	want = append(want, "-3", fmt.Sprint(QueueSize+4), fmt.Sprint(QueueSize+5), "-1")
	if got := strings.Fields(read(slow)); !slices.Equal(got, want) {
		t.Errorf("%d items that end with %q", len(got), got[len(got)-5:])
	}
	offer(1)
	if got := read(slow); got != fmt.Sprint(id) {
		t.Errorf("later: %s", got)
	}
	if got := read(rare); got != fmt.Sprint("1 ", QueueSize+1) {
		t.Errorf("a Listener that wants few events: %s", got)
	}
}

// TestNothingIsForgotten: whatever the order of offers and reads, each event is read or counted, in
// order.
func TestNothingIsForgotten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tap Tap[int]
		l := tap.Listen(all)
		offered, next := 0, 1
		receive := func(n int) {
			for range n {
				select {
				case e := <-l.Items():
					next += int(e.LeftOut)
					if e.Value != next {
						t.Fatalf("value %d, want %d", e.Value, next)
					}
					next++
				default:
					next += int(l.LeftOut())
					return
				}
			}
		}
		for range rapid.IntRange(1, 8).Draw(t, "rounds") {
			for range rapid.IntRange(0, 3*QueueSize/2).Draw(t, "offers") {
				offered++
				tap.Offer(new(offered))
			}
			receive(rapid.IntRange(0, 3*QueueSize/2).Draw(t, "reads"))
		}
		receive(QueueSize + 1)
		if next != offered+1 {
			t.Fatalf("%d events were offered, %d are accounted for", offered, next-1)
		}
	})
}

// TestConcurrent: events of many goroutines, while Listeners come and go.
func TestConcurrent(t *testing.T) {
	const writers, each = 4, 3000
	var tap Tap[int]
	last := tap.Listen(all)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				tap.Offer(new(1))
			}
		})
		wg.Go(func() {
			for range 100 {
				l := tap.Listen(all)
				read(l)
				l.Close()
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	got := uint64(0)
	for ended := false; ; {
		select {
		case e := <-last.Items():
			got += 1 + e.LeftOut
			continue
		default:
			got += last.LeftOut()
		}
		if ended {
			break
		}
		select {
		case <-done:
			ended = true
		default:
		}
	}
	if got != writers*each {
		t.Errorf("%d events, want %d", got, writers*each)
	}
}

// TestOfferAllocatesNothing: neither with nor without a Listener.
func TestOfferAllocatesNothing(t *testing.T) {
	var tap Tap[int]
	e := new(1)
	if n := testing.AllocsPerRun(100, func() { tap.Offer(e) }); n != 0 {
		t.Errorf("%v allocations without a Listener", n)
	}
	tap.Listen(all)
	if n := testing.AllocsPerRun(2*QueueSize, func() { tap.Offer(e) }); n != 0 {
		t.Errorf("%v allocations with a Listener", n)
	}
}

// BenchmarkOffer measures an event with one Listener whose queue is full.
func BenchmarkOffer(b *testing.B) {
	var tap Tap[int]
	tap.Listen(all)
	e := new(1)
	b.ReportAllocs()
	for b.Loop() {
		tap.Offer(e)
	}
}
