package sessions

import (
	"encoding/binary"
	"iter"
)

// AttributeType is a RADIUS attribute type (RFC 2865 section 5).
type AttributeType uint8

// The attributes that the table itself understands.
const (
	UserName            AttributeType = 1  // RFC 2865
	NASIPAddress        AttributeType = 4  // RFC 2865
	NASPort             AttributeType = 5  // RFC 2865
	ServiceType         AttributeType = 6  // RFC 2865
	FramedProtocol      AttributeType = 7  // RFC 2865
	FramedIPAddress     AttributeType = 8  // RFC 2865
	LoginIPHost         AttributeType = 14 // RFC 2865
	LoginService        AttributeType = 15 // RFC 2865
	Class               AttributeType = 25 // RFC 2865
	VendorSpecific      AttributeType = 26 // RFC 2865
	CalledStationID     AttributeType = 30 // RFC 2865
	CallingStationID    AttributeType = 31 // RFC 2865
	NASIdentifier       AttributeType = 32 // RFC 2865
	ProxyState          AttributeType = 33 // RFC 2865
	AcctStatusType      AttributeType = 40 // RFC 2866
	AcctDelayTime       AttributeType = 41 // RFC 2866
	AcctInputOctets     AttributeType = 42 // RFC 2866
	AcctOutputOctets    AttributeType = 43 // RFC 2866
	AcctSessionID       AttributeType = 44 // RFC 2866
	AcctAuthentic       AttributeType = 45 // RFC 2866
	AcctSessionTime     AttributeType = 46 // RFC 2866
	AcctInputPackets    AttributeType = 47 // RFC 2866
	AcctOutputPackets   AttributeType = 48 // RFC 2866
	AcctTerminateCause  AttributeType = 49 // RFC 2866
	AcctMultiSessionID  AttributeType = 50 // RFC 2866
	AcctInputGigawords  AttributeType = 52 // RFC 2869
	AcctOutputGigawords AttributeType = 53 // RFC 2869
	EventTimestamp      AttributeType = 55 // RFC 2869
	NASPortType         AttributeType = 61 // RFC 2865
	NASPortID           AttributeType = 87 // RFC 2869
	MessageAuth         AttributeType = 80 // RFC 3579
	NASIPv6Address      AttributeType = 95 // RFC 3162
)

// The extended types of RFC 6929. 245 and 246 are the long ones, whose values may come in fragments.
const (
	FirstExtended AttributeType = 241
	LastExtended  AttributeType = 246
)

// AttributeKey tells attributes apart: by type and, of the extended types 241 to 246 (RFC 6929), also by the
// extended type, which is the first octet of the value.
type AttributeKey uint16

// KeyOf is the key of an attribute.
func KeyOf(t AttributeType, value string) AttributeKey {
	if t < FirstExtended || t > LastExtended || value == "" {
		return AttributeKey(t) << 8
	}
	return AttributeKey(t)<<8 | AttributeKey(value[0])
}

// Type is the attribute type of the key.
func (k AttributeKey) Type() AttributeType { return AttributeType(k >> 8) }

// IsFragment reports whether the next attribute of the same key goes on with this one's value: it is of a long
// extended type (245, 246) and has the flag More (RFC 6929 section 2.2).
func IsFragment(t AttributeType, value string) bool {
	return (t == 245 || t == 246) && len(value) >= 2 && value[1]&0x80 != 0
}

// Attributes is a list of attributes in the octets of RFC 2865 section 5: type, length (of all
// three parts, 2..255), value; one after the other. It is a string because it never changes and
// parts of it are shared.
type Attributes string

// Valid reports whether a is made of whole attributes.
func (a Attributes) Valid() bool {
	for len(a) > 0 {
		if len(a) < 2 || a[1] < 2 || int(a[1]) > len(a) {
			return false
		}
		a = a[a[1]:]
	}
	return true
}

// All yields each attribute in order. It ends at octets that are not an attribute.
func (a Attributes) All() iter.Seq2[AttributeType, string] {
	return func(yield func(AttributeType, string) bool) {
		for rest := a; len(rest) >= 2 && rest[1] >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
			if !yield(AttributeType(rest[0]), string(rest[2:rest[1]])) {
				return
			}
		}
	}
}

// Get finds the first attribute of this type.
func (a Attributes) Get(t AttributeType) (value string, ok bool) {
	for rest := a; len(rest) >= 2 && rest[1] >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
		if AttributeType(rest[0]) == t {
			return string(rest[2:rest[1]]), true
		}
	}
	return "", false
}

// has reports whether there is an attribute of this type with this value.
func (a Attributes) has(t AttributeType, value string) bool {
	for u, v := range a.All() {
		if u == t && v == value {
			return true
		}
	}
	return false
}

// Text is the value of the first attribute of this type, or "".
func (a Attributes) Text(t AttributeType) string {
	v, _ := a.Get(t)
	return v
}

// Uint32 is the number in the first attribute of this type, if it has the four octets of one.
func (a Attributes) Uint32(t AttributeType) (uint32, bool) {
	v, ok := a.Get(t)
	if !ok || len(v) != 4 {
		return 0, false
	}
	return uint32(v[0])<<24 | uint32(v[1])<<16 | uint32(v[2])<<8 | uint32(v[3]), true
}

// AppendAttribute appends one attribute to b. A value of more than 253 octets is cut: no NAS can send one.
func AppendAttribute(b []byte, t AttributeType, value string) []byte {
	value = value[:min(len(value), 253)]
	return append(append(b, byte(t), byte(len(value)+2)), value...)
}

// AppendUint32 appends an attribute of four octets to b.
func AppendUint32(b []byte, t AttributeType, n uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, byte(t), 6), n)
}
