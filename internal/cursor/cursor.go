package cursor

// Cursor reads fields from front to back. After a missing field, or a false [Cursor.Require], all
// reads return zero, so the caller checks once at the end ([Cursor.OK]). Octets that are read from
// a string share its memory, and those from a slice the slice's.
type Cursor[B string | []byte] struct {
	rest   B
	failed bool
}

// New returns a cursor for these octets.
func New[B string | []byte](b B) Cursor[B] { return Cursor[B]{rest: b} }

// OK reports whether all fields were present and all requirements were met.
func (c *Cursor[B]) OK() bool { return !c.failed }

// Rest returns the octets that were not read yet.
func (c *Cursor[B]) Rest() B { return c.rest }

// Require makes the cursor fail unless ok.
func (c *Cursor[B]) Require(ok bool) { c.failed = c.failed || !ok }

// Octets reads n octets.
func (c *Cursor[B]) Octets(n uint64) (b B) {
	if c.failed || n > uint64(len(c.rest)) {
		c.failed = true
		return b
	}
	b = c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

// Octet reads a number of 8 bits.
func (c *Cursor[B]) Octet() byte { return byte(c.bigEndian(1)) }

// Uint16 reads a big-endian number of 16 bits.
func (c *Cursor[B]) Uint16() uint16 { return uint16(c.bigEndian(2)) }

// Uint32 reads a big-endian number of 32 bits.
func (c *Cursor[B]) Uint32() uint32 { return uint32(c.bigEndian(4)) }

// Uint64 reads a big-endian number of 64 bits.
func (c *Cursor[B]) Uint64() uint64 { return c.bigEndian(8) }

func (c *Cursor[B]) bigEndian(size uint64) (v uint64) {
	b := c.Octets(size)
	for i := range len(b) {
		v = v<<8 | uint64(b[i])
	}
	return v
}

// Uvarint reads a number written by [encoding/binary.AppendUvarint].
func (c *Cursor[B]) Uvarint() (v uint64) {
	for i := 0; !c.failed && i < len(c.rest); i++ {
		o := c.rest[i]
		if i == 9 && o > 1 { // more than 64 bits
			break
		}
		v |= uint64(o&0x7f) << (7 * i)
		if o < 0x80 {
			c.rest = c.rest[i+1:]
			return v
		}
	}
	c.failed = true
	return 0
}

// Uvarint32 reads a number of at most 32 bits written by [encoding/binary.AppendUvarint].
func (c *Cursor[B]) Uvarint32() uint32 {
	v := c.Uvarint()
	c.Require(v <= 1<<32-1)
	return uint32(v)
}

// Varint reads a number written by [encoding/binary.AppendVarint].
func (c *Cursor[B]) Varint() int64 {
	v := c.Uvarint()
	return int64(v>>1) ^ -int64(v&1)
}
