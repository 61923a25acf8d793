package prefixtable

import (
	"net/netip"
	"slices"
)

// Table maps prefixes to values. Its zero value is empty. After the last Add, any number of
// goroutines may call Find.
type Table[V any] struct {
	values map[netip.Prefix]V
	bits   []int // all prefix lengths in use, of both families, longest first
}

// Add adds a prefix. If the table already has it, Add returns the value there and changes nothing.
// The bits of p after its length do not count.
func (t *Table[V]) Add(p netip.Prefix, value V) (there V, added bool) {
	p = p.Masked()
	if there, ok := t.values[p]; ok {
		return there, false
	}
	if t.values == nil {
		t.values = map[netip.Prefix]V{}
	}
	t.values[p] = value
	if !slices.Contains(t.bits, p.Bits()) {
		t.bits = append(t.bits, p.Bits())
		slices.SortFunc(t.bits, func(a, b int) int { return b - a })
	}
	return value, true
}

// Get returns the value of exactly this prefix.
func (t *Table[V]) Get(p netip.Prefix) (V, bool) {
	v, ok := t.values[p.Masked()]
	return v, ok
}

// Find returns the value of the longest prefix that contains an address. An IPv4-mapped IPv6
// address counts as its IPv4 address, and the zone of an address does not count. No prefix contains the
// unspecified address, which no datagram comes from.
func (t *Table[V]) Find(addr netip.Addr) (value V, ok bool) {
	addr = addr.Unmap().WithZone("") // a Prefix has no zone
	if addr.IsUnspecified() {
		return value, false
	}
	for _, bits := range t.bits {
		p, err := addr.Prefix(bits)
		if err != nil {
			continue // longer than an IPv4 address
		}
		if v, ok := t.values[p]; ok {
			return v, true
		}
	}
	return value, false
}
