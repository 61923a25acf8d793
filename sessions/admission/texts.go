package admission

import "strings"

// textChunk is how many octets of texts are allocated at once.
const textChunk = 64 << 10

// texts keeps strings one after the other in large chunks of octets, which the garbage collector does not
// look into. At least half of each full chunk is texts that are kept: texts of an emptier one are moved, and
// the chunk is given back. Most logins end in the order in which they began, so few are moved.
//
// What at returns shares the memory of the chunk, as any part of a string does. It stays valid, but as
// long as it is in use, the whole chunk is.
type texts struct {
	places  slab[place]
	chunks  []chunk
	free    []uint32        // chunks without octets
	filling uint32          // the chunk that new texts go to
	filled  strings.Builder // its octets; they do not move, because it never grows beyond its capacity
}

// place is where a text is.
type place struct{ chunk, start, length uint32 }

type chunk struct {
	octets string
	size   int   // octets that are allocated
	live   int   // octets of texts that are kept
	texts  []ref // that were put here; some may have been moved or removed
}

// isWaste reports whether less than half of a chunk is texts that are kept.
func (c *chunk) isWaste() bool { return c.live < c.size/2 }

// add keeps a copy of a text. The reference stays valid until it is removed.
func (x *texts) add(text []byte) ref {
	x.makeRoom(len(text))
	start := x.filled.Len()
	_, _ = x.filled.Write(text) // never fails
	return x.put(x.places.add(place{}), start, len(text))
}

// put notes that a text of this length has been written to the chunk that is being filled.
func (x *texts) put(r ref, start, length int) ref {
	if length == 0 {
		return r // it is in no chunk
	}
	*x.places.at(r) = place{x.filling, uint32(start), uint32(length)}
	c := &x.chunks[x.filling]
	c.octets = x.filled.String()
	c.live += length
	c.texts = append(c.texts, r)
	return r
}

// at returns a text.
func (x *texts) at(r ref) string {
	p := x.places.at(r)
	if p.length == 0 {
		return ""
	}
	return x.chunks[p.chunk].octets[p.start:][:p.length]
}

// remove forgets a text.
func (x *texts) remove(r ref) {
	p := *x.places.at(r)
	x.places.remove(r)
	if p.length == 0 {
		return
	}
	x.chunks[p.chunk].live -= int(p.length)
	x.tidy(p.chunk)
}

// makeRoom begins another chunk if the one that is being filled has no room for so many octets.
func (x *texts) makeRoom(octets int) {
	if len(x.chunks) > 0 && x.filled.Cap()-x.filled.Len() >= octets {
		return
	}
	full, moved := x.filling, 0 // octets that tidy moves
	if len(x.chunks) > 0 && x.chunks[full].isWaste() {
		moved = x.chunks[full].live
	}
	if n := len(x.free); n > 0 {
		x.filling, x.free = x.free[n-1], x.free[:n-1]
	} else {
		x.filling = uint32(len(x.chunks))
		x.chunks = append(x.chunks, chunk{})
	}
	x.filled.Reset()
	x.filled.Grow(max(octets+moved, textChunk))
	x.chunks[x.filling].size = x.filled.Cap()
	if full != x.filling {
		x.tidy(full)
	}
}

// tidy gives a full chunk back if less than half of it is kept texts, which it moves.
func (x *texts) tidy(number uint32) {
	c := x.chunks[number]
	if number == x.filling || !c.isWaste() {
		return
	}
	x.chunks[number].size = 0 // its texts may need another chunk, which tidies too
	for _, r := range c.texts {
		// A reference may have been used again, even twice for the same chunk.
		if p := x.places.at(r); p.length > 0 && p.chunk == number {
			text := c.octets[p.start:][:p.length]
			x.makeRoom(len(text))
			start := x.filled.Len()
			_, _ = x.filled.WriteString(text)
			x.put(r, start, len(text))
		}
	}
	x.chunks[number] = chunk{texts: c.texts[:0]}
	x.free = append(x.free, number)
}
