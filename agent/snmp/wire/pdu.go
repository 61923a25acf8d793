package wire

import (
	"slices"

	"aaasess/mib"
)

// PDU is a PDU of RFC 3416 section 3.
type PDU struct {
	Type      PDUType
	RequestID int32
	// ErrorStatus and ErrorIndex are what stands at their place. In a GetBulkRequest these are
	// non-repeaters and max-repetitions: see NonRepeaters and MaxRepetitions.
	ErrorStatus, ErrorIndex int32
	// Varbinds are the variable bindings. Names and values have their own memory, which the next
	// Parse uses again: a PDU keeps what its greatest messages took, at worst 11 MiB for datagrams.
	Varbinds []mib.Varbind
	// RawVarbinds is the content of the VarBindList as it came, a part of the octets parsed.
	RawVarbinds []byte
}

// NonRepeaters is non-repeaters of a GetBulkRequest, not less than 0 (RFC 3416 section 4.2.3).
func (p *PDU) NonRepeaters() int32 { return max(p.ErrorStatus, 0) }

// MaxRepetitions is max-repetitions of a GetBulkRequest, not less than 0 (RFC 3416 section 4.2.3).
func (p *PDU) MaxRepetitions() int32 { return max(p.ErrorIndex, 0) }

// Parse reads a PDU with its header. In a GetRequest, GetNextRequest or GetBulkRequest values are
// checked but not kept: of Value only Type is set. After an error the PDU means nothing, and its
// memory may still be used. Parse allocates only for more or longer variable bindings than ever
// before, and for values that are octets.
func (p *PDU) Parse(b []byte) error {
	p.Varbinds = p.Varbinds[:0]
	p.RawVarbinds = nil
	if len(b) == 0 || !PDUType(b[0]).known() {
		return &fault{field: "PDU", what: "unknown PDU type"}
	}
	p.Type = PDUType(b[0])
	c := cursor{rest: b}
	c.enter(b[0], "PDU")
	second, third := "error-status", "error-index"
	if p.Type == GetBulkRequest {
		second, third = "non-repeaters", "max-repetitions"
	}
	p.RequestID = c.int32("request-id", noLimit)
	p.ErrorStatus = c.int32(second, noLimit)
	p.ErrorIndex = c.int32(third, noLimit)
	c.enter(tagSequence, "variable-bindings")
	p.RawVarbinds = c.rest
	for rest := c.rest; len(rest) > 0; {
		n := len(p.Varbinds)
		p.Varbinds = slices.Grow(p.Varbinds, 1)[:n+1]
		var field, what string
		if rest, field, what = p.parseVarbind(&p.Varbinds[n], rest); what != "" {
			return &fault{varbind: n + 1, field: field, what: what}
		}
	}
	return c.err()
}

// ParseType reads only Type and RequestID, for who answers a message that it does not trust: it costs the
// same however many variable bindings there are, and checks none of them.
func (p *PDU) ParseType(b []byte) error {
	p.Varbinds, p.RawVarbinds = p.Varbinds[:0], nil
	if len(b) == 0 || !PDUType(b[0]).known() {
		return &fault{field: "PDU", what: "unknown PDU type"}
	}
	p.Type = PDUType(b[0])
	c := cursor{rest: b}
	c.enter(b[0], "PDU")
	p.RequestID = c.int32("request-id", noLimit)
	c.rest = nil
	return c.err()
}

// parseVarbind reads the variable binding that b begins with, and gives what stands behind it.
func (p *PDU) parseVarbind(vb *mib.Varbind, b []byte) (rest []byte, field, what string) {
	inner, rest, what := element(b, tagSequence)
	if what != "" {
		return nil, "VarBind", what
	}
	name, inner, what := element(inner, tagOID)
	if what == "" {
		vb.Name, what = parseOID(vb.Name, name)
	}
	if what != "" {
		return nil, "name", what
	}
	if what = p.readValue(&vb.Value, inner); what != "" {
		return nil, "value", what
	}
	return rest, "", ""
}

// readValue reads the value that b must be.
func (p *PDU) readValue(v *mib.Value, b []byte) (what string) {
	content, rest, what := header(b)
	switch {
	case what != "":
		return what
	case len(rest) > 0:
		return "trailing octets"
	case p.Type.reader():
		v.Type = mib.Type(b[0])
		return checkValue(v.Type, content)
	}
	return parseValue(v, mib.Type(b[0]), content)
}
