package agentx

import (
	"encoding/binary"
	"fmt"
)

// byteOrder is the byte order of the numbers in a PDU: true is network byte order (RFC 2741 section
// 6.1, NETWORK_BYTE_ORDER). It is a bool, not a binary.ByteOrder, so that calls are inlined.
type byteOrder bool

// The two byte orders.
const (
	bigEndian    byteOrder = true
	littleEndian byteOrder = false
)

func (o byteOrder) uint16(b []byte) uint16 {
	if o == bigEndian {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (o byteOrder) uint32(b []byte) uint32 {
	if o == bigEndian {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (o byteOrder) putUint16(b []byte, v uint16) {
	if o == bigEndian {
		binary.BigEndian.PutUint16(b, v)
		return
	}
	binary.LittleEndian.PutUint16(b, v)
}

func (o byteOrder) putUint32(b []byte, v uint32) {
	if o == bigEndian {
		binary.BigEndian.PutUint32(b, v)
		return
	}
	binary.LittleEndian.PutUint32(b, v)
}

func (o byteOrder) appendUint16(b []byte, v uint16) []byte {
	if o == bigEndian {
		return binary.BigEndian.AppendUint16(b, v)
	}
	return binary.LittleEndian.AppendUint16(b, v)
}

func (o byteOrder) appendUint32(b []byte, v uint32) []byte {
	if o == bigEndian {
		return binary.BigEndian.AppendUint32(b, v)
	}
	return binary.LittleEndian.AppendUint32(b, v)
}

func (o byteOrder) appendUint64(b []byte, v uint64) []byte {
	if o == bigEndian {
		return binary.BigEndian.AppendUint64(b, v)
	}
	return binary.LittleEndian.AppendUint64(b, v)
}

// cursor reads a payload from front to back. The first error sticks: later reads return zero
// values, so a parser checks once, with finish.
type cursor struct {
	b     []byte
	off   int
	order byteOrder
	err   error
}

// need reports whether n octets are left; if not, the cursor fails.
func (c *cursor) need(n int) bool {
	if c.err != nil {
		return false
	}
	if len(c.b)-c.off < n {
		c.fail(errTruncated, "need %d octets, %d left", n, len(c.b)-c.off)
		return false
	}
	return true
}

func (c *cursor) fail(cause error, format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w at octet %d of the payload: %s", cause, c.off, fmt.Sprintf(format, args...))
	}
}

func (c *cursor) more() bool { return c.err == nil && c.off < len(c.b) }

func (c *cursor) skip(n int) {
	if c.need(n) {
		c.off += n
	}
}

func (c *cursor) uint8() uint8 {
	if !c.need(1) {
		return 0
	}
	c.off++
	return c.b[c.off-1]
}

func (c *cursor) uint16() uint16 {
	if !c.need(2) {
		return 0
	}
	c.off += 2
	return c.order.uint16(c.b[c.off-2:])
}

func (c *cursor) uint32() uint32 {
	if !c.need(4) {
		return 0
	}
	c.off += 4
	return c.order.uint32(c.b[c.off-4:])
}

func (c *cursor) uint64() uint64 {
	if !c.need(8) {
		return 0
	}
	c.off += 8
	if c.order == bigEndian {
		return binary.BigEndian.Uint64(c.b[c.off-8:])
	}
	return binary.LittleEndian.Uint64(c.b[c.off-8:])
}

// octets reads an Octet String (RFC 2741 section 5.3): length, octets, padding to four. The result
// shares the cursor's memory.
func (c *cursor) octets() []byte {
	n := c.uint32()
	if c.err != nil {
		return nil
	}
	// Compare before converting or padding: 2^32-1 must not wrap.
	if uint64(n) > uint64(len(c.b)-c.off) {
		c.fail(errTruncated, "octet string has %d octets, %d left", n, len(c.b)-c.off)
		return nil
	}
	start := c.off
	c.skip(int(n) + padding(int(n)))
	if c.err != nil {
		return nil
	}
	return c.b[start : start+int(n)]
}

// finish returns the error. Unread octets are an error.
func (c *cursor) finish() error {
	if c.more() {
		c.fail(errTrailing, "%d of them", len(c.b)-c.off)
	}
	return c.err
}

// padding returns how many octets pad an Octet String of n octets to a multiple of four.
func padding(n int) int { return -n & 3 }

// appendOctets writes an Octet String.
func (o byteOrder) appendOctets(b []byte, s string) []byte {
	b = o.appendUint32(b, uint32(len(s)))
	b = append(b, s...)
	return append(b, "\x00\x00\x00"[:padding(len(s))]...)
}
