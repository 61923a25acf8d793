package wire

import "math"

// The tags of BER (X.690 section 8.1.2) that are not in mib.
const (
	tagInteger  = 0x02
	tagOctets   = 0x04
	tagOID      = 0x06
	tagSequence = 0x30
)

// cursor reads BER elements from front to back. The first fault sticks: later reads give nothing,
// so a parser asks once, with close.
type cursor struct {
	rest  []byte
	field string // of the fault
	what  string // "": none so far
}

func (c *cursor) fail(field, what string) {
	if c.what == "" {
		c.field, c.what = field, what
	}
	c.rest = nil
}

// header splits the element that b begins with (X.690 section 8.1): its content and what stands
// behind it. Not-minimal lengths are taken, because real agents send 82 00 xx.
func header(b []byte) (content, rest []byte, what string) {
	if len(b) < 2 {
		return nil, nil, "truncated header"
	}
	n, at := int(b[1]), 2
	if n >= 0x80 {
		octets := n & 0x7f
		switch {
		case octets == 0:
			return nil, nil, "indefinite length"
		case octets > 4:
			return nil, nil, "length of more than 4 octets"
		case octets > len(b)-2:
			return nil, nil, "truncated length"
		}
		var long uint64
		for _, o := range b[2 : 2+octets] {
			long = long<<8 | uint64(o)
		}
		at += octets
		// Compared before it is converted: on 32 bits an int is too small for ff ff ff ff.
		if long > uint64(len(b)-at) {
			return nil, nil, "longer than the enclosing element"
		}
		n = int(long)
	} else if n > len(b)-2 {
		return nil, nil, "longer than the enclosing element"
	}
	return b[at : at+n : at+n], b[at+n:], ""
}

// element is header for an element that must have this tag.
func element(b []byte, tag byte) (content, rest []byte, what string) {
	if len(b) > 0 && b[0] != tag {
		return nil, nil, "unexpected tag"
	}
	return header(b)
}

// read takes the element with this tag and gives its content, nil after a fault.
func (c *cursor) read(tag byte, field string) []byte {
	if c.what != "" {
		return nil
	}
	content, rest, what := element(c.rest, tag)
	if what != "" {
		c.fail(field, what)
		return nil
	}
	c.rest = rest
	return content
}

// enter takes the element with this tag and goes on inside it: what stands behind it is a fault.
func (c *cursor) enter(tag byte, field string) {
	content := c.read(tag, field)
	c.close(field)
	if c.what == "" {
		c.rest = content
	}
}

// sub takes the element with this tag and gives a cursor for its content; leave ends it.
func (c *cursor) sub(tag byte, field string) cursor {
	content := c.read(tag, field)
	return cursor{rest: content, field: c.field, what: c.what}
}

// leave takes over the fault of a cursor from sub; octets left over in it are one.
func (c *cursor) leave(inner *cursor, field string) {
	inner.close(field)
	if inner.what != "" {
		c.fail(inner.field, inner.what)
	}
}

// pdu takes a PDU, which must be all that is left, with its header: whatever its tag, an element
// of the context class (RFC 3416 section 3).
func (c *cursor) pdu(field string) []byte {
	if c.what == "" && len(c.rest) > 0 && c.rest[0]&0xe0 == 0xa0 {
		return c.whole(c.rest[0], field)
	}
	c.fail(field, "not a PDU")
	return nil
}

// whole takes an element that must be all that is left, with its header.
func (c *cursor) whole(tag byte, field string) []byte {
	b := c.rest
	c.read(tag, field)
	c.close(field)
	if c.what != "" {
		return nil
	}
	return b
}

// int32 takes an INTEGER of at least low.
func (c *cursor) int32(field string, low int32) int32 {
	b := c.read(tagInteger, field)
	if c.what != "" {
		return 0
	}
	n, what := parseInt32(b)
	switch {
	case what != "":
		c.fail(field, what)
		return 0
	case n < low:
		c.fail(field, "out of range")
		return 0
	}
	return n
}

// close gives the fault, if only that something is left over.
func (c *cursor) close(field string) {
	if c.what == "" && len(c.rest) > 0 {
		c.fail(field, "trailing octets")
	}
}

// err puts the fault into an error.
func (c *cursor) err() error {
	if c.what == "" {
		return nil
	}
	return &fault{field: c.field, what: c.what}
}

// parseInt32 reads the content of an INTEGER (-2^31..2^31-1): 1 to 4 octets, two's complement.
func parseInt32(b []byte) (n int32, what string) {
	switch {
	case len(b) == 0:
		return 0, "empty integer"
	case len(b) > 4:
		return 0, "integer of more than 32 bits"
	}
	n = int32(int8(b[0]))
	for _, o := range b[1:] {
		n = n<<8 | int32(o)
	}
	return n, ""
}

// parseUnsigned reads the content of a Counter32, Gauge32, TimeTicks (size 4) or Counter64 (size 8).
// A value with its highest bit set has a zero octet in front, which careless encoders leave out.
// A shorter content with its first bit set is negative: nobody can tell what was meant.
func parseUnsigned(b []byte, size int) (n uint64, what string) {
	switch {
	case len(b) == 0:
		return 0, "empty integer"
	case len(b) > size+1 || len(b) == size+1 && b[0] != 0:
		return 0, "integer too long"
	case len(b) < size && b[0] >= 0x80:
		return 0, "negative"
	}
	for _, o := range b {
		n = n<<8 | uint64(o)
	}
	return n, ""
}

// noLimit is the lowest INTEGER, for fields that have no range.
const noLimit = math.MinInt32
