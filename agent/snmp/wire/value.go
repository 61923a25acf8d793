package wire

import (
	"encoding/binary"
	"math/bits"

	"aaasess/mib"
)

// checkValue returns the problem of the content of a value that nobody reads, or "".
func checkValue(tag mib.Type, b []byte) (problem string) {
	switch tag {
	case mib.Null:
		if len(b) == 0 {
			return ""
		}
	case mib.OctetString, mib.Opaque:
		return "" // any octets are valid, and converting them would allocate
	case mib.ObjectIdentifier:
		return checkOID(b)
	}
	var v mib.Value
	return parseValue(&v, tag, b)
}

// parseValue parses the content of a value (RFC 3416 section 3). It clears v first, except the
// memory of its OID: a caller that forgets to check the type must not see a value of another
// request.
func parseValue(v *mib.Value, tag mib.Type, b []byte) (problem string) {
	*v = mib.Value{Type: tag, OID: v.OID[:0]}
	switch tag {
	case mib.Integer32:
		var n int32
		n, problem = parseInt32(b)
		v.Num = uint64(uint32(n))
	case mib.Counter32, mib.Gauge32, mib.TimeTicks:
		v.Num, problem = parseUnsigned(b, 4)
	case mib.Counter64:
		v.Num, problem = parseUnsigned(b, 8)
	case mib.OctetString, mib.Opaque:
		v.Str = string(b)
	case mib.ObjectIdentifier:
		v.OID, problem = parseOID(v.OID, b)
	case mib.IpAddress:
		if len(b) != 4 {
			return "IpAddress is not of 4 octets"
		}
		v.Num, problem = parseUnsigned(b, 4)
	case mib.Null, mib.NoSuchObject, mib.NoSuchInstance, mib.EndOfMibView:
		if len(b) > 0 {
			return "NULL with content"
		}
	default:
		return "unknown type"
	}
	return problem
}

// appendValue encodes a value with its header in its shortest form, as net-snmp does. A type that
// RFC 3416 does not have becomes NULL.
func appendValue(b []byte, v *mib.Value) []byte {
	switch v.Type {
	case mib.Integer32:
		return appendInteger(b, byte(v.Type), int64(v.Int32()))
	case mib.Counter32, mib.Gauge32, mib.TimeTicks:
		return appendInteger(b, byte(v.Type), int64(uint32(v.Num)))
	case mib.Counter64:
		if v.Num < 1<<63 {
			return appendInteger(b, byte(v.Type), int64(v.Num))
		}
		return binary.BigEndian.AppendUint64(append(b, byte(v.Type), 9, 0), v.Num)
	case mib.OctetString, mib.Opaque:
		at := len(b)
		b = append(b, byte(v.Type), 0)
		return fixLength(append(b, v.Str...), at)
	case mib.ObjectIdentifier:
		at := len(b)
		return fixLength(appendOID(append(b, tagOID, 0), v.OID), at)
	case mib.IpAddress:
		return binary.BigEndian.AppendUint32(append(b, byte(v.Type), 4), uint32(v.Num))
	case mib.NoSuchObject, mib.NoSuchInstance, mib.EndOfMibView:
		return append(b, byte(v.Type), 0)
	}
	return append(b, byte(mib.Null), 0)
}

// fixLength writes the length of the octets behind the two header octets at b[at:] into the header.
// It enlarges the header if one octet is too small.
func fixLength(b []byte, at int) []byte {
	n := len(b) - at - 2
	if n < 0x80 {
		b[at+1] = byte(n)
		return b
	}
	return longLength(b, at, n)
}

func longLength(b []byte, at, n int) []byte {
	size := headerSize(n)
	b = append(b, "\x00\x00\x00\x00"[:size-2]...)
	copy(b[at+size:], b[at+2:at+2+n])
	putHeader(b[at:at+size], b[at], n)
	return b
}

// headerSize returns how many octets putHeader writes.
func headerSize(n int) int {
	if n < 0x80 {
		return 2
	}
	return 2 + (bits.Len(uint(n))+7)/8
}

// putHeader fills b with a tag and a length in its shortest form.
func putHeader(b []byte, tag byte, n int) {
	b[0], b[1] = tag, byte(n)
	if octets := len(b) - 2; octets > 0 {
		b[1] = 0x80 | byte(octets)
		putBig(b[2:], uint32(n))
	}
}

// putBig fills b with the low octets of n in network byte order.
func putBig(b []byte, n uint32) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte(n)
		n >>= 8
	}
}

// appendInteger encodes an integer with any tag, in its shortest two's complement form.
func appendInteger(b []byte, tag byte, n int64) []byte {
	octets := integerSize(n)
	b = append(b, tag, byte(octets))
	// Append all eight octets, then cut: this is cheaper than a loop.
	return binary.BigEndian.AppendUint64(b, uint64(n)<<(64-8*octets))[:len(b)+octets]
}

// integerSize returns the number of octets of n in its shortest form, which includes one sign bit.
func integerSize(n int64) int { return bits.Len64(uint64(n^n>>63))/8 + 1 }
