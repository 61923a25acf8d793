package agentx

import (
	"encoding/binary"
	"slices"

	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"

	"aaasess/mib"
)

// SearchRange is the range that an answer must be in (RFC 2741 section 5.2): from Start (inclusive
// if Include) up to but not including End. An empty End means no limit. A Get uses only Start.
type SearchRange struct {
	Start   value.OID
	Include bool
	End     value.OID
}

// The prefix that a prefix octet abbreviates: {internet prefix} is 1.3.6.1.prefix (RFC 2741 section
// 5.1).
const (
	internet1, internet2, internet3, internet4 = 1, 3, 6, 1
	internetLen                                = 4
)

// oid reads an Object Identifier (RFC 2741 section 5.1) into the memory of dst. Four zero octets
// are the null Object Identifier, which gives an empty OID.
func (c *cursor) oid(dst value.OID) (oid value.OID, include bool) {
	dst = dst[:0]
	if !c.need(4) {
		return dst, false
	}
	n, prefix := int(c.b[c.off]), c.b[c.off+1]
	include = c.b[c.off+2] != 0
	total := n
	if prefix != 0 {
		total += internetLen + 1
	}
	if total > mib.MaxSubIDs {
		c.fail(ErrMalformed, "object identifier has %d sub-identifiers, the limit is 128", total)
		return dst, false
	}
	c.off += 4
	if !c.need(4 * n) {
		return dst, false
	}
	if prefix != 0 {
		dst = append(dst, internet1, internet2, internet3, internet4, uint32(prefix))
	}
	b := c.b[c.off : c.off+4*n]
	c.off += 4 * n
	had := len(dst)
	dst = slices.Grow(dst, n)[:had+n]
	subs := dst[had:]
	if c.order == bigEndian {
		for i := range subs {
			subs[i] = binary.BigEndian.Uint32(b[4*i:])
		}
		return dst, include
	}
	for i := range subs {
		subs[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return dst, include
}

// appendOID writes an Object Identifier of at most mib.MaxSubIDs sub-identifiers, abbreviated if
// possible.
func (o byteOrder) appendOID(b []byte, oid []uint32, include bool) []byte {
	var prefix, incl byte
	if include {
		incl = 1
	}
	if len(oid) > internetLen && oid[0] == internet1 && oid[1] == internet2 && oid[2] == internet3 &&
		oid[3] == internet4 && oid[4]-1 < 255 {
		prefix = byte(oid[4])
		oid = oid[internetLen+1:]
	}
	b = append(b, byte(len(oid)), prefix, incl, 0)
	had := len(b)
	b = slices.Grow(b, 4*len(oid))[:had+4*len(oid)]
	subs := b[had:]
	if o == bigEndian {
		for i, sub := range oid {
			binary.BigEndian.PutUint32(subs[4*i:], sub)
		}
		return b
	}
	for i, sub := range oid {
		binary.LittleEndian.PutUint32(subs[4*i:], sub)
	}
	return b
}

func (c *cursor) searchRange(r *SearchRange) {
	r.Start, r.Include = c.oid(r.Start)
	r.End, _ = c.oid(r.End)
}

// searchRanges reads ranges up to the end, into the memory of dst and of its OIDs.
func (c *cursor) searchRanges(dst []SearchRange) []SearchRange {
	dst = dst[:0]
	for c.more() {
		if len(dst) < cap(dst) {
			dst = dst[:len(dst)+1]
		} else {
			dst = append(dst, SearchRange{})
		}
		c.searchRange(&dst[len(dst)-1])
	}
	return dst
}

func (o byteOrder) appendSearchRanges(b []byte, rs []SearchRange) []byte {
	for i := range rs {
		b = o.appendOID(b, rs[i].Start, rs[i].Include)
		b = o.appendOID(b, rs[i].End, false)
	}
	return b
}

// varbind reads a VarBind (RFC 2741 section 5.4) into new memory.
func (c *cursor) varbind() (vb mib.Varbind) {
	kind := pdu.VariableType(c.uint16())
	c.skip(2) // reserved
	name, _ := c.oid(nil)
	vb.Name, vb.Value.Type = mib.OID(name), mib.Type(kind)
	switch v := &vb.Value; kind {
	case pdu.VariableTypeInteger, pdu.VariableTypeCounter32, pdu.VariableTypeGauge32, pdu.VariableTypeTimeTicks:
		v.Num = uint64(c.uint32())
	case pdu.VariableTypeCounter64:
		v.Num = c.uint64()
	case pdu.VariableTypeOctetString, pdu.VariableTypeOpaque:
		v.Str = string(c.octets())
	case pdu.VariableTypeIPAddress:
		addr := c.octets()
		if c.err == nil && len(addr) != 4 {
			c.fail(ErrMalformed, "IpAddress has %d octets", len(addr))
		}
		for _, octet := range addr {
			v.Num = v.Num<<8 | uint64(octet)
		}
	case pdu.VariableTypeObjectIdentifier:
		oid, _ := c.oid(nil)
		// As a value the null Object Identifier is 0.0 (net-snmp encodes {0 0} in this way).
		if v.OID = mib.OID(oid); len(v.OID) == 0 {
			v.OID = mib.OID{0, 0}
		}
	case pdu.VariableTypeNull, pdu.VariableTypeNoSuchObject, pdu.VariableTypeNoSuchInstance, pdu.VariableTypeEndOfMIBView:
	default:
		c.fail(ErrMalformed, "VarBind of type %d", uint16(kind))
	}
	return vb
}

func (c *cursor) varbinds() (vbs []mib.Varbind) {
	for c.more() {
		vbs = append(vbs, c.varbind())
	}
	return vbs
}

// appendVarbind writes a VarBind. Types other than these have no value.
func (o byteOrder) appendVarbind(b []byte, vb *mib.Varbind) []byte {
	b = o.appendUint16(b, uint16(vb.Value.Type))
	b = append(b, 0, 0)
	b = o.appendOID(b, vb.Name, false)
	switch v := &vb.Value; v.Type {
	case mib.Integer32, mib.Counter32, mib.Gauge32, mib.TimeTicks:
		b = o.appendUint32(b, uint32(v.Num))
	case mib.Counter64:
		b = o.appendUint64(b, v.Num)
	case mib.OctetString, mib.Opaque:
		b = o.appendOctets(b, v.Str)
	case mib.IpAddress:
		b = o.appendUint32(b, 4)
		b = bigEndian.appendUint32(b, uint32(v.Num)) // octets, not a number: independent of the byte order
	case mib.ObjectIdentifier:
		b = o.appendOID(b, v.OID, false)
	}
	return b
}

func (o byteOrder) appendVarbinds(b []byte, vbs []mib.Varbind) []byte {
	for i := range vbs {
		b = o.appendVarbind(b, &vbs[i])
	}
	return b
}
