package radius

import (
	"encoding/binary"
	"iter"

	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2868"
	"layeh.com/radius/rfc2869"
	"layeh.com/radius/rfc3162"
	"layeh.com/radius/rfc4372"
	"layeh.com/radius/rfc4818"
	"layeh.com/radius/rfc6911"
)

// Type is an attribute type (RFC 2865 section 5).
type Type uint8

// The attributes that this program interprets. It passes on all others unchanged.
const (
	UserName               = Type(rfc2865.UserName_Type)               // RFC 2865
	UserPassword           = Type(rfc2865.UserPassword_Type)           // RFC 2865
	CHAPPassword           = Type(rfc2865.CHAPPassword_Type)           // RFC 2865
	NASIPAddress           = Type(rfc2865.NASIPAddress_Type)           // RFC 2865
	NASPort                = Type(rfc2865.NASPort_Type)                // RFC 2865
	ServiceType            = Type(rfc2865.ServiceType_Type)            // RFC 2865
	FramedProtocol         = Type(rfc2865.FramedProtocol_Type)         // RFC 2865
	FramedIPAddress        = Type(rfc2865.FramedIPAddress_Type)        // RFC 2865
	LoginIPHost            = Type(rfc2865.LoginIPHost_Type)            // RFC 2865
	LoginService           = Type(rfc2865.LoginService_Type)           // RFC 2865
	LoginLATNode           = Type(rfc2865.LoginLATNode_Type)           // RFC 2865
	ReplyMessage           = Type(rfc2865.ReplyMessage_Type)           // RFC 2865
	State                  = Type(rfc2865.State_Type)                  // RFC 2865
	Class                  = Type(rfc2865.Class_Type)                  // RFC 2865
	VendorSpecific         = Type(rfc2865.VendorSpecific_Type)         // RFC 2865
	SessionTimeout         = Type(rfc2865.SessionTimeout_Type)         // RFC 2865
	IdleTimeout            = Type(rfc2865.IdleTimeout_Type)            // RFC 2865
	CalledStationID        = Type(rfc2865.CalledStationID_Type)        // RFC 2865
	CallingStationID       = Type(rfc2865.CallingStationID_Type)       // RFC 2865
	NASIdentifier          = Type(rfc2865.NASIdentifier_Type)          // RFC 2865
	ProxyState             = Type(rfc2865.ProxyState_Type)             // RFC 2865
	AcctStatusType         = Type(rfc2866.AcctStatusType_Type)         // RFC 2866
	AcctDelayTime          = Type(rfc2866.AcctDelayTime_Type)          // RFC 2866
	AcctInputOctets        = Type(rfc2866.AcctInputOctets_Type)        // RFC 2866
	AcctOutputOctets       = Type(rfc2866.AcctOutputOctets_Type)       // RFC 2866
	AcctSessionID          = Type(rfc2866.AcctSessionID_Type)          // RFC 2866
	AcctAuthentic          = Type(rfc2866.AcctAuthentic_Type)          // RFC 2866
	AcctSessionTime        = Type(rfc2866.AcctSessionTime_Type)        // RFC 2866
	AcctInputPackets       = Type(rfc2866.AcctInputPackets_Type)       // RFC 2866
	AcctOutputPackets      = Type(rfc2866.AcctOutputPackets_Type)      // RFC 2866
	AcctTerminateCause     = Type(rfc2866.AcctTerminateCause_Type)     // RFC 2866
	AcctMultiSessionID     = Type(rfc2866.AcctMultiSessionID_Type)     // RFC 2866
	AcctInputGigawords     = Type(rfc2869.AcctInputGigawords_Type)     // RFC 2869
	AcctOutputGigawords    = Type(rfc2869.AcctOutputGigawords_Type)    // RFC 2869
	AcctInterimInterval    = Type(rfc2869.AcctInterimInterval_Type)    // RFC 2869
	EventTimestamp         = Type(rfc2869.EventTimestamp_Type)         // RFC 2869
	CHAPChallenge          = Type(rfc2865.CHAPChallenge_Type)          // RFC 2865
	NASPortType            = Type(rfc2865.NASPortType_Type)            // RFC 2865
	TunnelPassword         = Type(rfc2868.TunnelPassword_Type)         // RFC 2868
	EAPMessage             = Type(rfc2869.EAPMessage_Type)             // RFC 3579
	NASPortID              = Type(rfc2869.NASPortID_Type)              // RFC 2869
	MessageAuthenticator   = Type(rfc2869.MessageAuthenticator_Type)   // RFC 3579
	NASIPv6Address         = Type(rfc3162.NASIPv6Address_Type)         // RFC 3162
	FramedInterfaceID      = Type(rfc3162.FramedInterfaceID_Type)      // RFC 3162
	FramedIPv6Prefix       = Type(rfc3162.FramedIPv6Prefix_Type)       // RFC 3162
	LoginIPv6Host          = Type(rfc3162.LoginIPv6Host_Type)          // RFC 3162
	ChargeableUserIdentity = Type(rfc4372.ChargeableUserIdentity_Type) // RFC 4372
	DelegatedIPv6Prefix    = Type(rfc4818.DelegatedIPv6Prefix_Type)    // RFC 4818
	FramedIPv6Address      = Type(rfc6911.FramedIPv6Address_Type)      // RFC 6911
)

// CallCheck is the Service-Type of a call that is not of a user yet (RFC 2865 section 5.6).
const CallCheck = uint32(rfc2865.ServiceType_Value_CallCheck)

// The extended types of RFC 6929. 245 and 246 are the long ones, whose values may be fragmented.
const (
	FirstExtended Type = 241
	LastExtended  Type = 246
)

// Key identifies an attribute: by type and, for the extended types 241 to 246 (RFC 6929), also by
// the extended type, which is the first octet of the value.
type Key uint16

// KeyOf returns the key of an attribute.
func KeyOf(t Type, value string) Key {
	if t < FirstExtended || t > LastExtended || value == "" {
		return Key(t) << 8
	}
	return Key(t)<<8 | Key(value[0])
}

// Type returns the attribute type of the key.
func (k Key) Type() Type { return Type(k >> 8) }

// IsFragment reports whether the next attribute of the same key continues this value: the attribute
// has a long extended type (245, 246) and the flag More (RFC 6929 section 2.2).
func IsFragment(t Type, value string) bool {
	return (t == 245 || t == 246) && len(value) >= 2 && value[1]&0x80 != 0
}

// Attributes is a list of attributes, encoded as in RFC 2865 section 5: type, length (of all three
// parts, 2..255), value. It is a string because it is immutable and shares parts of its memory.
type Attributes string

// Valid reports whether a consists of complete attributes.
func (a Attributes) Valid() bool {
	for len(a) > 0 {
		if len(a) < 2 || a[1] < 2 || int(a[1]) > len(a) {
			return false
		}
		a = a[a[1]:]
	}
	return true
}

// All yields each attribute in order. It stops at octets that are not an attribute.
func (a Attributes) All() iter.Seq2[Type, string] {
	return func(yield func(Type, string) bool) {
		for rest := a; len(rest) >= 2 && rest[1] >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
			if !yield(Type(rest[0]), string(rest[2:rest[1]])) {
				return
			}
		}
	}
}

// Get returns the value of the first attribute of this type.
func (a Attributes) Get(t Type) (value string, ok bool) {
	for rest := a; len(rest) >= 2 && rest[1] >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
		if Type(rest[0]) == t {
			return string(rest[2:rest[1]]), true
		}
	}
	return "", false
}

// First returns the value of the first attribute with a key.
func (a Attributes) First(k Key) (value string, ok bool) {
	for t, v := range a.All() {
		if KeyOf(t, v) == k {
			return v, true
		}
	}
	return "", false
}

// Same reports whether both lists have the same first value of a type, or both have none.
func (a Attributes) Same(b Attributes, t Type) bool {
	x, hasX := a.Get(t)
	y, hasY := b.Get(t)
	return hasX == hasY && x == y
}

// Has reports whether there is an attribute of this type with this value.
func (a Attributes) Has(t Type, value string) bool {
	for u, v := range a.All() {
		if u == t && v == value {
			return true
		}
	}
	return false
}

// Text returns the value of the first attribute of this type, or "".
func (a Attributes) Text(t Type) string {
	v, _ := a.Get(t)
	return v
}

// Uint32 returns the number in the first attribute of this type, if its value has four octets.
func (a Attributes) Uint32(t Type) (uint32, bool) {
	v, ok := a.Get(t)
	if !ok || len(v) != 4 {
		return 0, false
	}
	return uint32(v[0])<<24 | uint32(v[1])<<16 | uint32(v[2])<<8 | uint32(v[3]), true
}

// IsUnassigned reports whether the value of a Framed-IP-Address means that the user has none yet:
// 0.0.0.0, or the user or the NAS chooses one (255.255.255.255, 255.255.255.254; RFC 2865 section
// 5.8).
func IsUnassigned(framedIPAddress string) bool {
	switch framedIPAddress {
	case "\x00\x00\x00\x00", "\xff\xff\xff\xff", "\xff\xff\xff\xfe":
		return true
	}
	return false
}

// AppendID appends the attribute that id names, of the IETF or of a vendor. The value is cut to what
// fits: 253 octets, or 247 for a vendor's attribute.
func AppendID(b []byte, id ID, value string) []byte {
	if id.Vendor != 0 {
		return AppendAttribute(b, VendorSpecific, joinVendors(id.Vendor, id.VendorType, value))
	}
	return AppendAttribute(b, id.Type, value)
}

// AppendAttribute appends one attribute to b. It cuts a value to 253 octets, the maximum of RADIUS.
func AppendAttribute(b []byte, t Type, value string) []byte {
	value = value[:min(len(value), 253)]
	return append(append(b, byte(t), byte(len(value)+2)), value...)
}

// AppendUint32 appends an attribute of four octets to b.
func AppendUint32(b []byte, t Type, n uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, byte(t), 6), n)
}
