package serverstats

import (
	"math"

	"aaasess/internal/servers"
)

// number is how management knows a server: Index and Number of a [servers.Entry].
type number struct{ index, number uint32 }

// maxNumber is the largest radiusAccServerIndex (RFC 4670).
const maxNumber = math.MaxInt32

// numbers are those of all servers.
type numbers map[servers.Key]number

// assign returns the numbers of servers. One that has numbers keeps them. A created one has its Index,
// and as its number too if that is possible. Others get the lowest free ones, in their order.
func (old numbers) assign(all []servers.Identity) numbers {
	next, used := numbers{}, taken{}
	for i := range all {
		if id := &all[i]; id.Index != 0 {
			used.index(id.Protocol)[id.Index] = true
			if id.Index <= maxNumber {
				used.number(id.Protocol)[id.Index] = true
				next[id.Key()] = number{id.Index, id.Index}
			}
		}
	}
	for i := range all {
		id := &all[i]
		n, known := old[id.Key()]
		_, done := next[id.Key()]
		if !known || done || used.number(id.Protocol)[n.number] || id.Index == 0 && used.index(id.Protocol)[n.index] || id.Index != 0 && id.Index != n.index {
			continue
		}
		next[id.Key()] = n
		used.add(id.Protocol, n)
	}
	for i := range all {
		id := &all[i]
		if _, done := next[id.Key()]; done {
			continue
		}
		n := number{index: id.Index}
		if id.Index != 0 { // too large for a number: from the other end, so that servers of the file have n.index
			for n.number = maxNumber; used.number(id.Protocol)[n.number]; n.number-- {
			}
		} else {
			for n.index = 1; used.index(id.Protocol)[n.index] || used.number(id.Protocol)[n.index]; n.index++ {
			}
			n.number = n.index
		}
		next[id.Key()] = n
		used.add(id.Protocol, n)
	}
	return next
}

// taken has the numbers in use, by protocol and kind.
type taken map[takenKind]map[uint32]bool

type takenKind struct {
	protocol servers.Protocol
	isIndex  bool
}

func (t taken) index(p servers.Protocol) map[uint32]bool  { return t.of(takenKind{p, true}) }
func (t taken) number(p servers.Protocol) map[uint32]bool { return t.of(takenKind{p, false}) }

func (t taken) of(k takenKind) map[uint32]bool {
	if t[k] == nil {
		t[k] = map[uint32]bool{}
	}
	return t[k]
}

func (t taken) add(p servers.Protocol, n number) {
	t.index(p)[n.index] = true
	t.number(p)[n.number] = true
}
