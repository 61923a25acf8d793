package client

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aaasess/internal/radius"
)

func TestIdentifiersLimits(t *testing.T) {
	for _, tc := range []struct{ maxInFlight, limit int }{{1, 512}, {256, 512}, {257, 1024}, {1024, 2048}, {65536, 131072}} {
		if ids := identifiersFor(tc.maxInFlight, 0); ids.limit != tc.limit {
			t.Errorf("%d in flight: %d identifiers, want %d", tc.maxInFlight, ids.limit, tc.limit)
		}
	}
}

func TestIdentifierOrder(t *testing.T) {
	ids := identifiersFor(1, 20*time.Second)
	x := &exchange{}
	if n := ids.acquire(x, at(0), true); n != none {
		t.Errorf("acquired %d from an empty set", n)
	}
	ids.grow()
	for want := range perConn {
		if n := ids.acquire(x, at(0), false); n != want {
			t.Fatalf("acquired %d, want %d", n, want)
		}
	}
	if n := ids.acquire(x, at(0), true); n != none {
		t.Errorf("acquired %d, which waits for its answer", n)
	}
	ids.release(7)
	ids.release(3)
	for _, want := range []int{7, 3} { // the oldest ones
		if n := ids.acquire(x, at(0), false); n != want {
			t.Errorf("acquired %d, want %d", n, want)
		}
	}
}

func TestIdentifierOfSupersededAttempt(t *testing.T) {
	ids := identifiersFor(1, 20*time.Second)
	ids.grow()
	for n := range perConn {
		ids.acquire(&exchange{}, at(0), false)
		if !ids.arm(n, ids.transmissions[n].serial, radius.Authenticator{}) {
			t.Fatalf("transmission %d was not armed", n)
		}
	}
	ids.supersede(9)
	ids.supersede(5)
	if _, ok := ids.pending(9); !ok {
		t.Error("a late answer to 9 would not be known")
	}
	if n := ids.acquire(&exchange{}, at(19), false); n != none {
		t.Errorf("acquired %d although another socket may be opened", n)
	}
	if n := ids.acquire(&exchange{}, at(20), false); n != 9 {
		t.Errorf("acquired %d, want 9, which is old", n)
	}
	if n := ids.acquire(&exchange{}, at(19), true); n != 5 {
		t.Errorf("acquired %d by force, want 5", n)
	}
	if n := ids.acquire(&exchange{}, at(100), true); n != none {
		t.Errorf("acquired %d, which still waits", n)
	}
}

func TestIdentifierNotYetSent(t *testing.T) {
	ids := identifiersFor(1, time.Second)
	ids.grow()
	n := ids.acquire(&exchange{}, at(0), false)
	serial := ids.transmissions[n].serial
	if _, ok := ids.pending(n); ok {
		t.Error("a transmission that was not sent accepts answers")
	}
	ids.supersede(n)
	if ids.transmissions[n].state != free {
		t.Error("a transmission that was never sent waits for its answer")
	}
	if ids.arm(n, serial, radius.Authenticator{}) {
		t.Error("armed a transmission that is over")
	}
	for range perConn { // until n is allocated again
		ids.acquire(&exchange{}, at(0), false)
	}
	if ids.arm(n, serial, radius.Authenticator{}) {
		t.Error("armed a transmission of another exchange")
	}
	if _, ok := ids.pending(len(ids.transmissions)); ok {
		t.Error("an identifier of a socket that is not there")
	}
}

// TestIdentifiersAgainstModel: after any operations, each identifier is in exactly one place, the
// lists are in order, and no identifier has a second exchange before the first was superseded or
// released.
func TestIdentifiersAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const linger = 10 * time.Second
		ids := identifiersFor(1, linger)
		now := 0
		var current, old []int // model: allocated, and superseded in order
		pick := func(t *rapid.T, list []int) int {
			if len(list) == 0 {
				t.Skip("nothing there")
			}
			return rapid.SampledFrom(list).Draw(t, "identifier")
		}
		without := func(list []int, n int) []int {
			return slices.DeleteFunc(list, func(m int) bool { return m == n })
		}
		t.Repeat(map[string]func(*rapid.T){
			"grow": func(t *rapid.T) {
				if ids.full() {
					t.Skip("full")
				}
				ids.grow()
			},
			"wait": func(t *rapid.T) { now += rapid.IntRange(1, 5).Draw(t, "seconds") },
			"take many": func(t *rapid.T) {
				force := rapid.Bool().Draw(t, "force")
				for range rapid.IntRange(1, 300).Draw(t, "count") {
					frees := len(ids.transmissions) - len(current) - len(old)
					n := ids.acquire(&exchange{}, at(now), force)
					switch {
					case n == none && (frees > 0 || (force || ids.full()) && len(old) > 0):
						t.Fatalf("none, with %d free and %d old", frees, len(old))
					case n == none:
						return
					case slices.Contains(current, n):
						t.Fatalf("%d is taken", n)
					case frees == 0 && n != old[0]:
						t.Fatalf("acquired %d, the oldest is %d", n, old[0])
					}
					old, current = without(old, n), append(current, n)
					ids.arm(n, ids.transmissions[n].serial, radius.Authenticator{})
				}
			},
			"release": func(t *rapid.T) {
				n := pick(t, slices.Concat(current, old))
				ids.release(n)
				ids.release(n) // has no effect
				current, old = without(current, n), without(old, n)
			},
			"supersede": func(t *rapid.T) {
				n := pick(t, current)
				ids.supersede(n)
				ids.supersede(n) // has no effect
				current, old = without(current, n), append(old, n)
			},
			"": func(t *rapid.T) {
				if got := walk(t, &ids, &ids.old); !slices.Equal(got, old) {
					t.Fatalf("old: %v, want %v", got, old)
				}
				var frees []int
				pool := ids.pool // a copy: allocating from it does not change the original
				for n, ok := pool.Allocate(); ok; n, ok = pool.Allocate() {
					frees = append(frees, n)
				}
				if len(frees)+len(current)+len(old) != len(ids.transmissions) {
					t.Fatalf("%d free, %d taken, %d old of %d", len(frees), len(current), len(old), len(ids.transmissions))
				}
				for _, n := range current {
					if slices.Contains(frees, n) {
						t.Fatalf("%d is free and taken", n)
					}
				}
			},
		})
	})
}

// walk follows a list in both directions.
func walk(t *rapid.T, ids *identifiers, l *list) (forth []int) {
	for n := l.head; n != none; n = ids.transmissions[n].next {
		forth = append(forth, int(n))
		if len(forth) > len(ids.transmissions) {
			t.Fatal("the list is a ring")
		}
	}
	var back []int
	for n := l.tail; n != none && len(back) <= len(forth); n = ids.transmissions[n].prev {
		back = append(back, int(n))
	}
	slices.Reverse(back)
	if !slices.Equal(forth, back) {
		t.Fatalf("forth %v, back %v", forth, back)
	}
	return forth
}

// TestSerialsContinueAfterMove: a transmission that was prepared before its server's address
// changed arms none of the new identifiers.
func TestSerialsContinueAfterMove(t *testing.T) {
	g, err := newGroup(setup{Servers: every(0, 0, Server{Addr: documentationAddr, Secret: testSecret})})
	if err != nil {
		t.Fatal(err)
	}
	p := g.paths[0]
	p.ids.grow()
	before := p.ids.acquire(&exchange{group: g, settled: true}, at(0), false)
	serial := p.ids.transmissions[before].serial
	p.move(documentationAddr, at(1))
	p.ids.grow()
	after := p.ids.acquire(&exchange{group: g}, at(1), false)
	if before != after {
		t.Fatalf("identifiers %d and %d", before, after)
	}
	if p.ids.arm(before, serial, radius.Authenticator{}) {
		t.Error("the transmission to the old address has armed the one to the new")
	}
}
