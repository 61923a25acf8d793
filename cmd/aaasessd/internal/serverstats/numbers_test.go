package serverstats

import (
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"aaasess/internal/servers"
)

func sameAddr(a, b netip.AddrPort) bool { return a == b }

func created(name string, index uint32) servers.Identity {
	return servers.Identity{Protocol: servers.RADIUS, Name: name, Index: index}
}

// TestAssign: the numbers of servers of the file and of managers.
func TestAssign(t *testing.T) {
	a, b, c, d := ofRADIUS("a"), ofRADIUS("b"), ofRADIUS("c"), ofRADIUS("d")
	for _, tc := range []struct {
		name string
		all  [][]servers.Identity // the last one counts
		want string
	}{
		{"of the file", [][]servers.Identity{{a, ofTACACS("a"), b}}, "map[{tacacs a}:{1 1} {radius a}:{1 1} {radius b}:{2 2}]"},
		{"one that was first goes", [][]servers.Identity{{a, b, c}, {b, c}}, "map[{radius b}:{2 2} {radius c}:{3 3}]"},
		{"its number is free", [][]servers.Identity{{a, b, c}, {b, c}, {d, b, c}}, "map[{radius b}:{2 2} {radius c}:{3 3} {radius d}:{1 1}]"},
		{"in another order", [][]servers.Identity{{a, b}, {b, a}}, "map[{radius a}:{1 1} {radius b}:{2 2}]"},
		{"of a manager", [][]servers.Identity{{a, created("x", 2), b}}, "map[{radius a}:{1 1} {radius b}:{3 3} {radius x}:{2 2}]"},
		{"of a manager, random", [][]servers.Identity{{created("x", math.MaxUint32), created("y", 3e9), a}}, "map[{radius a}:{1 1} {radius x}:{4294967295 2147483647} {radius y}:{3000000000 2147483646}]"},
		{"of a manager, random, when another one goes", [][]servers.Identity{{created("x", math.MaxUint32), created("y", 3e9)}, {created("y", 3e9)}}, "map[{radius y}:{3000000000 2147483646}]"},
		{"of a manager, with the number of one of the file", [][]servers.Identity{{a, b}, {a, b, created("x", 1)}}, "map[{radius a}:{3 3} {radius b}:{2 2} {radius x}:{1 1}]"},
		{"of a manager, with the number that another one has", [][]servers.Identity{{created("x", math.MaxUint32)}, {created("x", math.MaxUint32), created("y", math.MaxInt32)}}, "map[{radius x}:{4294967295 2147483646} {radius y}:{2147483647 2147483647}]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := numbers{}
			for _, all := range tc.all {
				n = n.assign(all)
			}
			if got := fmt.Sprint(map[servers.Key]number(n)); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestAssignRules: numbers are in range, unique for a protocol, and stay while a server does.
func TestAssignRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := numbers{}
		for range 10 {
			byKey := map[servers.Key]servers.Identity{}
			indexes := map[takenIndex]bool{}
			for _, at := range rapid.SliceOfN(rapid.IntRange(0, 7), 0, 8).Draw(t, "servers") {
				id := servers.Identity{Protocol: servers.Protocol(1 + at%2), Name: fmt.Sprint(at / 2)}
				if rapid.Bool().Draw(t, "created") {
					id.Name = fmt.Sprint("c", id.Name)
					id.Index = rapid.SampledFrom([]uint32{1, 2, 3, 4, math.MaxInt32, math.MaxInt32 - 1, math.MaxUint32}).Draw(t, "index")
					if at := (takenIndex{id.Protocol, id.Index}); indexes[at] {
						continue
					} else {
						indexes[at] = true
					}
				}
				byKey[id.Key()] = id
			}
			all := slices.Collect(maps.Values(byKey))
			next := n.assign(all)
			seen, numbers := map[takenIndex]bool{}, map[takenIndex]bool{}
			for i := range all {
				id := &all[i]
				got, known := next[id.Key()]
				index, number := takenIndex{id.Protocol, got.index}, takenIndex{id.Protocol, got.number}
				if !known || got.index == 0 || got.number == 0 || got.number > maxNumber || seen[index] || numbers[number] {
					t.Fatalf("%+v has %v in %v", id, got, next)
				}
				seen[index], numbers[number] = true, true
				if id.Index != 0 && got.index != id.Index || got.index <= maxNumber && id.Index != 0 && got.number != got.index {
					t.Fatalf("%+v has %v", id, got)
				}
				if old, ok := n[id.Key()]; ok && id.Index == 0 && old != got && !indexes[takenIndex{id.Protocol, old.index}] {
					t.Fatalf("%+v had %v and has %v", id, old, got)
				}
			}
			if len(next) != len(all) {
				t.Fatalf("%d numbers for %d servers", len(next), len(all))
			}
			n = next
		}
	})
}

type takenIndex struct {
	protocol servers.Protocol
	index    uint32
}
