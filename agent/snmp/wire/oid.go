package wire

import (
	"slices"

	"aaasess/mib"
)

// parseOID decodes the content of an OBJECT IDENTIFIER (X.690 section 8.19) into the memory of oid.
// It accepts the OIDs that RFC 3416 section 4.1 allows: at most 128 sub-identifiers up to 2^32-1.
func parseOID(oid mib.OID, b []byte) (_ mib.OID, problem string) {
	if len(b) == 0 {
		return oid[:0], "empty OBJECT IDENTIFIER"
	}
	// Each octet ends at most one sub-identifier, and the first one encodes two.
	room := min(len(b)+1, mib.MaxSubIDs)
	oid = slices.Grow(oid[:0], room)[:room]
	first, size, problem := firstSubID(b)
	if problem != "" {
		return oid[:0], problem
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
			if v, i, problem = longSubID(b, i-1); problem != "" {
				return oid[:0], problem
			}
		}
		oid[n] = v
	}
	return oid[:n], ""
}

// checkOID returns the problem that parseOID would return.
func checkOID(b []byte) (problem string) {
	var arcs [mib.MaxSubIDs]uint32
	_, problem = parseOID(arcs[:0], b)
	return problem
}

// longSubID parses a sub-identifier of several octets at b[i:]: seven bits in each, the highest bit
// set in all but the last. next is the index after it.
func longSubID(b []byte, i int) (v uint32, next int, problem string) {
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

// firstSubID parses the first two sub-identifiers, encoded as 40 times the first plus the second.
// Under 2 they may need more than 32 bits.
func firstSubID(b []byte) (v uint64, size int, problem string) {
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

// appendOID encodes the content of an OBJECT IDENTIFIER. It encodes an OID that BER cannot encode
// as 0.0.
func appendOID(b []byte, oid mib.OID) []byte {
	if !encodable(oid) {
		return append(b, 0)
	}
	b = appendSubID(b, uint64(oid[0])*40+uint64(oid[1]))
	return appendSubIDs(b, oid[2:])
}

// encodable reports whether BER and RFC 3416 section 4.1 can encode oid.
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

// appendSubID encodes one sub-identifier, seven bits an octet. The loop is unrolled because indexes
// are long.
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

// names encodes the names of consecutive variable bindings. In a walk they share most of their
// sub-identifiers, and copying the octets costs less than encoding them again.
type names struct {
	size int        // number of stored sub-identifiers, a multiple of 4
	arcs [16]uint32 // the first sub-identifiers of the last name
	// octets are the headers of the variable binding and of the name, followed by the encoded arcs.
	octets []byte
}

// nameHeaders are the two headers of a variable binding, with lengths to be filled in.
const nameHeaders = "\x30\x00\x06\x00"

// begin appends the headers and the name of a variable binding.
func (p *names) begin(b []byte, oid mib.OID) []byte {
	if p.size > 0 && p.matches(oid) {
		return appendSubIDs(append(b, p.octets...), oid[p.size:])
	}
	p.store(oid)
	return appendOID(append(b, nameHeaders...), oid)
}

// matches reports whether oid begins with the stored arcs. It compares four at a time.
func (p *names) matches(oid mib.OID) bool {
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

// store keeps the beginning of oid without its last two sub-identifiers, which differ in the next
// cell of a row (the column) or of a column (the index).
func (p *names) store(oid mib.OID) {
	if size := min(len(oid)-2, len(p.arcs)) &^ 3; size > 0 && encodable(oid) {
		p.size = copy(p.arcs[:], oid[:size])
		p.octets = appendOID(append(p.octets[:0], nameHeaders...), oid[:size])
	}
}
