package cursor

// Cursor reads fields from front to back. Once one is not there, or [Cursor.Require] is false, all that is read is zero, so a
// reader asks once, at its end, whether all was well ([Cursor.OK]). What it takes of a string shares the string's memory,
// and of a slice the slice's.
type Cursor[B string | []byte] struct {
	rest   B
	failed bool
}

// New reads these octets.
func New[B string | []byte](b B) Cursor[B] { return Cursor[B]{rest: b} }

// OK reports whether all that was read was there, and as required.
func (c *Cursor[B]) OK() bool { return !c.failed }

// Rest is what was not read yet.
func (c *Cursor[B]) Rest() B { return c.rest }

// Require has the reading fail unless ok.
func (c *Cursor[B]) Require(ok bool) { c.failed = c.failed || !ok }

// Take reads n octets.
func (c *Cursor[B]) Take(n uint64) (b B) {
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
	b := c.Take(size)
	for i := range len(b) {
		v = v<<8 | uint64(b[i])
	}
	return v
}

// Uvarint reads what [encoding/binary.AppendUvarint] wrote.
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

// Uvarint32 reads what [encoding/binary.AppendUvarint] wrote of a number of at most 32 bits.
func (c *Cursor[B]) Uvarint32() uint32 {
	v := c.Uvarint()
	c.Require(v <= 1<<32-1)
	return uint32(v)
}

// Varint reads what [encoding/binary.AppendVarint] wrote.
func (c *Cursor[B]) Varint() int64 {
	v := c.Uvarint()
	return int64(v>>1) ^ -int64(v&1)
}
