package mib

import "fmt"

// Type is the type of a value on the wire. The numbers are those of the BER
// tags (RFC 3416 section 3), which AgentX uses too (RFC 2741 section 5.4).
type Type uint8

// The types of a variable binding, including exceptions.
const (
	Integer32        Type = 2
	OctetString      Type = 4
	Null             Type = 5
	ObjectIdentifier Type = 6
	IpAddress        Type = 64
	Counter32        Type = 65
	Gauge32          Type = 66 // also Unsigned32
	TimeTicks        Type = 67
	Opaque           Type = 68
	Counter64        Type = 70
	NoSuchObject     Type = 128
	NoSuchInstance   Type = 129
	EndOfMibView     Type = 130
)

var typeNames = map[Type]string{
	Integer32: "Integer32", OctetString: "OCTET STRING", Null: "NULL", ObjectIdentifier: "OBJECT IDENTIFIER",
	IpAddress: "IpAddress", Counter32: "Counter32", Gauge32: "Gauge32", TimeTicks: "TimeTicks", Opaque: "Opaque",
	Counter64: "Counter64", NoSuchObject: "noSuchObject", NoSuchInstance: "noSuchInstance", EndOfMibView: "endOfMibView",
}

// String returns the name as RFC 2578 and RFC 3416 write it.
func (t Type) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("Type(%d)", uint8(t))
}

// Value is one value, a union selected by Type. The setters do not change the other fields, so that
// a reused Value needs no allocation: read only the field that Type selects.
type Value struct {
	Type Type
	// Integer32 (as int32), IpAddress (first octet highest), Counter32, Gauge32, TimeTicks, Counter64.
	Num uint64
	Str string // OctetString, Opaque
	OID OID    // ObjectIdentifier
}

// SetInteger32 makes v an INTEGER or Integer32.
func (v *Value) SetInteger32(n int32) { v.Type, v.Num = Integer32, uint64(uint32(n)) }

// SetGauge32 makes v a Gauge32 or Unsigned32.
func (v *Value) SetGauge32(n uint32) { v.Type, v.Num = Gauge32, uint64(n) }

// SetCounter32 makes v a Counter32; n wraps at 2^32 (RFC 2578 section 7.1.6).
func (v *Value) SetCounter32(n uint64) { v.Type, v.Num = Counter32, uint64(uint32(n)) }

// SetCounter64 makes v a Counter64.
func (v *Value) SetCounter64(n uint64) { v.Type, v.Num = Counter64, n }

// SetTimeTicks makes v a TimeTicks, in hundredths of a second.
func (v *Value) SetTimeTicks(n uint32) { v.Type, v.Num = TimeTicks, uint64(n) }

// SetIPAddress makes v an IpAddress from an address in host byte order: 10.0.0.1 is 0x0a000001.
func (v *Value) SetIPAddress(addr uint32) { v.Type, v.Num = IpAddress, uint64(addr) }

// SetOctets makes v an OCTET STRING.
func (v *Value) SetOctets(s string) { v.Type, v.Str = OctetString, s }

// SetOID makes v an OBJECT IDENTIFIER: prefix followed by sub. It copies both.
func (v *Value) SetOID(prefix OID, sub ...uint32) {
	v.Type = ObjectIdentifier
	v.OID = append(append(v.OID[:0], prefix...), sub...)
}

// Int32 returns the number of an Integer32.
func (v *Value) Int32() int32 { return int32(uint32(v.Num)) }

// Varbind is a variable binding: a name and its value or exception.
type Varbind struct {
	Name  OID
	Value Value
}
