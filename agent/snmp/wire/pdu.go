package wire

import (
	"slices"

	"aaasess/mib"
)

// PDU is a PDU of RFC 3416 section 3.
type PDU struct {
	Type      PDUType
	RequestID int32
	// ErrorStatus and ErrorIndex are the fields at these positions. In a GetBulkRequest they are
	// non-repeaters and max-repetitions: see NonRepeaters and MaxRepetitions.
	ErrorStatus, ErrorIndex int32
	// Varbinds are the variable bindings. Names and values have their own memory, which the next
	// Parse reuses. So a PDU keeps the memory of its largest message, at most 11 MiB for a
	// datagram.
	Varbinds []mib.Varbind
	// RawVarbinds is the content of the VarBindList as received, a slice of the parsed octets.
	RawVarbinds []byte
}

// NonRepeaters is non-repeaters of a GetBulkRequest, at least 0 (RFC 3416 section 4.2.3).
func (p *PDU) NonRepeaters() int32 { return max(p.ErrorStatus, 0) }

// MaxRepetitions is max-repetitions of a GetBulkRequest, at least 0 (RFC 3416 section 4.2.3).
func (p *PDU) MaxRepetitions() int32 { return max(p.ErrorIndex, 0) }

// Parse parses a PDU with its header. In a GetRequest, GetNextRequest or GetBulkRequest it checks
// values but does not store them: it sets only their Type. After an error the PDU is meaningless,
// but its memory is still reused. Parse allocates only for more or longer variable bindings than
// ever before, and for values that are octets.
func (p *PDU) Parse(b []byte) error {
	p.Varbinds = p.Varbinds[:0]
	p.RawVarbinds = nil
	if len(b) == 0 || !PDUType(b[0]).known() {
		return &syntaxError{field: "PDU", problem: "unknown PDU type"}
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
		var field, problem string
		if rest, field, problem = p.parseVarbind(&p.Varbinds[n], rest); problem != "" {
			return &syntaxError{varbind: n + 1, field: field, problem: problem}
		}
	}
	return c.err()
}

// ParseType parses only Type and RequestID, for an answer to an unauthenticated message. Its cost
// does not depend on the variable bindings, and it does not check them.
func (p *PDU) ParseType(b []byte) error {
	p.Varbinds, p.RawVarbinds = p.Varbinds[:0], nil
	if len(b) == 0 || !PDUType(b[0]).known() {
		return &syntaxError{field: "PDU", problem: "unknown PDU type"}
	}
	p.Type = PDUType(b[0])
	c := cursor{rest: b}
	c.enter(b[0], "PDU")
	p.RequestID = c.int32("request-id", noLimit)
	c.rest = nil
	return c.err()
}

// parseVarbind parses the first variable binding of b and returns the rest.
func (p *PDU) parseVarbind(vb *mib.Varbind, b []byte) (rest []byte, field, problem string) {
	inner, rest, problem := element(b, tagSequence)
	if problem != "" {
		return nil, "VarBind", problem
	}
	name, inner, problem := element(inner, tagOID)
	if problem == "" {
		vb.Name, problem = parseOID(vb.Name, name)
	}
	if problem != "" {
		return nil, "name", problem
	}
	if problem = p.readValue(&vb.Value, inner); problem != "" {
		return nil, "value", problem
	}
	return rest, "", ""
}

// readValue parses b, which must be exactly one value.
func (p *PDU) readValue(v *mib.Value, b []byte) (problem string) {
	content, rest, problem := header(b)
	switch {
	case problem != "":
		return problem
	case len(rest) > 0:
		return "trailing octets"
	case p.Type.isRead():
		v.Type = mib.Type(b[0])
		return checkValue(v.Type, content)
	}
	return parseValue(v, mib.Type(b[0]), content)
}
