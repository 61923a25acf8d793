package agentx

import (
	"github.com/posteo/go-agentx/pdu"
	"github.com/posteo/go-agentx/value"
)

// Open starts a session (RFC 2741 section 6.2.1).
type Open struct {
	Timeout     uint8     // how many seconds the master should wait for an answer; 0 means its default
	ID          value.OID // identifies the subagent; empty means none
	Description string
}

// Type implements [Payload].
func (*Open) Type() pdu.Type   { return pdu.TypeOpen }
func (*Open) context() *string { return nil }

func (p *Open) append(b []byte, o byteOrder) []byte {
	b = append(b, p.Timeout, 0, 0, 0)
	b = o.appendOID(b, p.ID, false)
	return o.appendOctets(b, p.Description)
}

func (p *Open) parse(c *cursor) {
	p.Timeout = c.uint8()
	c.skip(3)
	p.ID, _ = c.oid(p.ID)
	p.Description = string(c.octets())
}

// Close ends a session; both sides send it (RFC 2741 section 6.2.2).
type Close struct {
	Reason pdu.Reason
}

// Type implements [Payload].
func (*Close) Type() pdu.Type   { return pdu.TypeClose }
func (*Close) context() *string { return nil }

func (p *Close) append(b []byte, _ byteOrder) []byte { return append(b, byte(p.Reason), 0, 0, 0) }

func (p *Close) parse(c *cursor) {
	p.Reason = pdu.Reason(c.uint8())
	c.skip(3)
}

// Register requests to serve a subtree (RFC 2741 section 6.2.3). With RangeSubID it is a range of
// subtrees: the RangeSubID-th sub-identifier of Subtree goes up to UpperBound.
type Register struct {
	Context    string
	Timeout    uint8 // seconds; 0 means the session's timeout
	Priority   uint8 // the lowest number wins; 127 is the default
	RangeSubID uint8 // from 1; 0 means no range
	Subtree    value.OID
	UpperBound uint32 // only with RangeSubID
}

// Type implements [Payload].
func (*Register) Type() pdu.Type     { return pdu.TypeRegister }
func (p *Register) context() *string { return &p.Context }

func (p *Register) append(b []byte, o byteOrder) []byte {
	b = append(b, p.Timeout, p.Priority, p.RangeSubID, 0)
	return o.appendRegion(b, p.Subtree, p.RangeSubID, p.UpperBound)
}

func (p *Register) parse(c *cursor) {
	p.Timeout, p.Priority, p.RangeSubID = c.uint8(), c.uint8(), c.uint8()
	c.skip(1)
	p.Subtree, p.UpperBound = c.region(p.Subtree, p.RangeSubID)
}

// Unregister reverts a Register (RFC 2741 section 6.2.4).
type Unregister struct {
	Context    string
	Priority   uint8
	RangeSubID uint8
	Subtree    value.OID
	UpperBound uint32
}

// Type implements [Payload].
func (*Unregister) Type() pdu.Type     { return pdu.TypeUnregister }
func (p *Unregister) context() *string { return &p.Context }

func (p *Unregister) append(b []byte, o byteOrder) []byte {
	b = append(b, 0, p.Priority, p.RangeSubID, 0)
	return o.appendRegion(b, p.Subtree, p.RangeSubID, p.UpperBound)
}

func (p *Unregister) parse(c *cursor) {
	c.skip(1)
	p.Priority, p.RangeSubID = c.uint8(), c.uint8()
	c.skip(1)
	p.Subtree, p.UpperBound = c.region(p.Subtree, p.RangeSubID)
}

// region reads a subtree and, for a range, the upper bound.
func (c *cursor) region(dst value.OID, rangeSubID uint8) (subtree value.OID, upperBound uint32) {
	subtree, _ = c.oid(dst)
	if rangeSubID != 0 {
		upperBound = c.uint32()
	}
	return subtree, upperBound
}

func (o byteOrder) appendRegion(b []byte, subtree value.OID, rangeSubID uint8, upperBound uint32) []byte {
	b = o.appendOID(b, subtree, false)
	if rangeSubID != 0 {
		b = o.appendUint32(b, upperBound)
	}
	return b
}

// AddAgentCaps adds a row to the master's sysORTable, until the session ends (RFC 2741 section
// 6.2.14).
type AddAgentCaps struct {
	Context string
	ID      value.OID // sysORID
	Descr   string    // sysORDescr, at most 255 octets
}

// Type implements [Payload].
func (*AddAgentCaps) Type() pdu.Type     { return pdu.TypeAddAgentCaps }
func (p *AddAgentCaps) context() *string { return &p.Context }

func (p *AddAgentCaps) append(b []byte, o byteOrder) []byte {
	return o.appendOctets(o.appendOID(b, p.ID, false), p.Descr)
}

func (p *AddAgentCaps) parse(c *cursor) {
	p.ID, _ = c.oid(p.ID)
	p.Descr = string(c.octets())
}

// Ping checks whether the peer is there (RFC 2741 section 6.2.11).
type Ping struct {
	Context string
}

// Type implements [Payload].
func (*Ping) Type() pdu.Type     { return pdu.TypePing }
func (p *Ping) context() *string { return &p.Context }

func (*Ping) append(b []byte, _ byteOrder) []byte { return b }
func (*Ping) parse(*cursor)                       {}
