package wire

import "math"

// The BER tags (X.690 section 8.1.2) that are not in mib.
const (
	tagInteger  = 0x02
	tagOctets   = 0x04
	tagOID      = 0x06
	tagSequence = 0x30
)

// cursor reads BER elements from front to back. The first problem sticks: later reads return
// nothing, so a parser checks once, with close.
type cursor struct {
	rest    []byte
	field   string // where the problem is
	problem string // "" means none so far
}

func (c *cursor) fail(field, problem string) {
	if c.problem == "" {
		c.field, c.problem = field, problem
	}
	c.rest = nil
}

// header splits the first element of b (X.690 section 8.1) from the rest. It accepts lengths that
// are not minimal, because real agents send 82 00 xx.
func header(b []byte) (content, rest []byte, problem string) {
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
		// Compare before converting: on 32-bit systems an int is too small for ff ff ff ff.
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
func element(b []byte, tag byte) (content, rest []byte, problem string) {
	if len(b) > 0 && b[0] != tag {
		return nil, nil, "unexpected tag"
	}
	return header(b)
}

// read consumes the element with this tag and returns its content, or nil after a problem.
func (c *cursor) read(tag byte, field string) []byte {
	if c.problem != "" {
		return nil
	}
	content, rest, problem := element(c.rest, tag)
	if problem != "" {
		c.fail(field, problem)
		return nil
	}
	c.rest = rest
	return content
}

// enter consumes the element with this tag and continues inside it. Octets behind the element are a
// problem.
func (c *cursor) enter(tag byte, field string) {
	content := c.read(tag, field)
	c.close(field)
	if c.problem == "" {
		c.rest = content
	}
}

// sub consumes the element with this tag and returns a cursor for its content. leave must follow.
func (c *cursor) sub(tag byte, field string) cursor {
	content := c.read(tag, field)
	return cursor{rest: content, field: c.field, problem: c.problem}
}

// leave ends a cursor from sub and adopts its problem. Unread octets in it are a problem.
func (c *cursor) leave(inner *cursor, field string) {
	inner.close(field)
	if inner.problem != "" {
		c.fail(inner.field, inner.problem)
	}
}

// pdu consumes a PDU with its header, which must be the last element. It accepts any tag of the
// context class (RFC 3416 section 3).
func (c *cursor) pdu(field string) []byte {
	if c.problem == "" && len(c.rest) > 0 && c.rest[0]&0xe0 == 0xa0 {
		return c.last(c.rest[0], field)
	}
	c.fail(field, "not a PDU")
	return nil
}

// last consumes the last element, with its header.
func (c *cursor) last(tag byte, field string) []byte {
	b := c.rest
	c.read(tag, field)
	c.close(field)
	if c.problem != "" {
		return nil
	}
	return b
}

// int32 consumes an INTEGER of at least low.
func (c *cursor) int32(field string, low int32) int32 {
	b := c.read(tagInteger, field)
	if c.problem != "" {
		return 0
	}
	n, problem := parseInt32(b)
	switch {
	case problem != "":
		c.fail(field, problem)
		return 0
	case n < low:
		c.fail(field, "out of range")
		return 0
	}
	return n
}

// close reports unread octets as a problem.
func (c *cursor) close(field string) {
	if c.problem == "" && len(c.rest) > 0 {
		c.fail(field, "trailing octets")
	}
}

// err returns the problem as an error, or nil.
func (c *cursor) err() error {
	if c.problem == "" {
		return nil
	}
	return &syntaxError{field: c.field, problem: c.problem}
}

// parseInt32 parses the content of an INTEGER (-2^31..2^31-1): 1 to 4 octets, two's complement.
func parseInt32(b []byte) (n int32, problem string) {
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

// parseUnsigned parses the content of a Counter32, Gauge32, TimeTicks (size 4) or Counter64 (size
// 8). A value with its highest bit set needs a leading zero octet, which careless encoders omit. A
// shorter content with its first bit set is negative: its meaning is ambiguous.
func parseUnsigned(b []byte, size int) (n uint64, problem string) {
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

// noLimit is the lowest INTEGER, for fields without a range.
const noLimit = math.MinInt32
