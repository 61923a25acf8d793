package wire

import (
	"slices"

	"aaasess/mib"
)

// parseOID decodes the content of an OBJECT IDENTIFIER (X.690 section 8.19) into the memory of oid.
// It accepts what RFC 3416 section 4.1 allows: at most 128 sub-identifiers up to 2^32-1.
func parseOID(oid mib.OID, b []byte) (_ mib.OID, what string) {
	if len(b) == 0 {
		return oid[:0], "empty OBJECT IDENTIFIER"
	}
	// Each octet ends at most one sub-identifier, the first of which stands for two arcs.
	room := min(len(b)+1, mib.MaxSubIDs)
	oid = slices.Grow(oid[:0], room)[:room]
	first, size, what := firstSubID(b)
	if what != "" {
		return oid[:0], what
	}
	x := min(first/40, 2)
	oid[0], oid[1] = uint32(x), uint32(first-x*40)
	n := 2
	for i := size; i < len(b); n++ {
		if n == len(oid) {
			return oid[:0], "more than 128 sub-identifiers"
		}
		v := uint32(b[i])
		i++
		if v >= 0x80 {
			if v, i, what = longSubID(b, i-1); what != "" {
				return oid[:0], what
			}
		}
		oid[n] = v
	}
	return oid[:n], ""
}

// checkOID says what parseOID would.
func checkOID(b []byte) (what string) {
	var arcs [mib.MaxSubIDs]uint32
	_, what = parseOID(arcs[:0], b)
	return what
}

// longSubID reads a sub-identifier of several octets at b[i:]: seven bits in each, the highest bit
// set in all but the last. It gives the place behind it.
func longSubID(b []byte, i int) (v uint32, behind int, what string) {
	if b[i] == 0x80 {
		return 0, i, "sub-identifier with leading zeros"
	}
	for ; i < len(b); i++ {
		if v >= 1<<25 {
			return 0, i, "sub-identifier above 2^32-1"
		}
		v = v<<7 | uint32(b[i]&0x7f)
		if b[i] < 0x80 {
			return v, i + 1, ""
		}
	}
	return 0, i, "truncated sub-identifier"
}

// firstSubID reads the two arcs that b begins with, as 40 times the first plus the second. Under arc
// 2 they may need more than 32 bits.
func firstSubID(b []byte) (v uint64, size int, what string) {
	if b[0] == 0x80 {
		return 0, 0, "sub-identifier with leading zeros"
	}
	for i, o := range b {
		v = v<<7 | uint64(o&0x7f)
		switch {
		case v > 2*40+1<<32-1:
			return 0, 0, "sub-identifier above 2^32-1"
		case o < 0x80:
			return v, i + 1, ""
		}
	}
	return 0, 0, "truncated sub-identifier"
}

// appendOID encodes the content of an OBJECT IDENTIFIER, one that BER cannot carry as 0.0.
func appendOID(b []byte, oid mib.OID) []byte {
	if !encodable(oid) {
		return append(b, 0)
	}
	b = appendSubID(b, uint64(oid[0])*40+uint64(oid[1]))
	return appendSubIDs(b, oid[2:])
}

// encodable reports whether BER and RFC 3416 section 4.1 have a form for oid.
func encodable(oid mib.OID) bool {
	return len(oid) >= 2 && len(oid) <= mib.MaxSubIDs && (oid[0] == 2 || oid[0] < 2 && oid[1] < 40)
}

func appendSubIDs(b []byte, oid mib.OID) []byte {
	for _, n := range oid {
		if n < 0x80 {
			b = append(b, byte(n))
			continue
		}
		b = appendSubID(b, uint64(n))
	}
	return b
}

// appendSubID encodes one sub-identifier, seven bits an octet. Unrolled, because indices are long.
func appendSubID(b []byte, n uint64) []byte {
	switch {
	case n < 1<<7:
		return append(b, byte(n))
	case n < 1<<14:
		return append(b, byte(n>>7)|0x80, byte(n)&0x7f)
	case n < 1<<21:
		return append(b, byte(n>>14)|0x80, byte(n>>7)|0x80, byte(n)&0x7f)
	case n < 1<<28:
		return append(b, byte(n>>21)|0x80, byte(n>>14)|0x80, byte(n>>7)|0x80, byte(n)&0x7f)
	}
	return append(b, byte(n>>28)|0x80, byte(n>>21)|0x80, byte(n>>14)|0x80, byte(n>>7)|0x80, byte(n)&0x7f)
}

// names begins variable bindings with names that come one after the other. Those of a walk share
// most of their sub-identifiers, and a copy of the octets costs less than to encode them again.
type names struct {
	size int        // sub-identifiers that are kept, a multiple of 4; 0: none
	arcs [16]uint32 // of the last name, the first of them
	// octets are two headers, of the variable binding and of the name, and the encoded arcs.
	octets []byte
}

// nameHeaders are the two headers that a variable binding begins with, their lengths still open.
const nameHeaders = "\x30\x00\x06\x00"

// begin writes the headers and the name of a variable binding.
func (p *names) begin(b []byte, oid mib.OID) []byte {
	if p.size > 0 && p.kept(oid) {
		return appendSubIDs(append(b, p.octets...), oid[p.size:])
	}
	p.keep(oid)
	return appendOID(append(b, nameHeaders...), oid)
}

// kept reports whether oid begins with the arcs, four at a time.
func (p *names) kept(oid mib.OID) bool {
	if len(oid) > mib.MaxSubIDs {
		return false
	}
	a := p.arcs[:p.size]
	for len(a) >= 4 && len(oid) >= 4 {
		if *(*[4]uint32)(oid) != *(*[4]uint32)(a) {
			return false
		}
		a, oid = a[4:], oid[4:]
	}
	return len(a) == 0
}

// keep takes the beginning of oid: not its last two arcs, which are others in the next cell of a row
// (the column) or of a column (the index).
func (p *names) keep(oid mib.OID) {
	if size := min(len(oid)-2, len(p.arcs)) &^ 3; size > 0 && encodable(oid) {
		p.size = copy(p.arcs[:], oid[:size])
		p.octets = appendOID(append(p.octets[:0], nameHeaders...), oid[:size])
	}
}
