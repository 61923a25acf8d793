package agentx

import (
	"github.com/posteo/go-agentx/pdu"

	"aaasess/mib"
)

// TestSet asks whether the variables can be set (RFC 2741 section 6.2.8).
type TestSet struct {
	Context  string
	Varbinds []mib.Varbind
}

// Type implements [Payload].
func (*TestSet) Type() pdu.Type     { return pdu.TypeTestSet }
func (p *TestSet) context() *string { return &p.Context }

func (p *TestSet) append(b []byte, o byteOrder) []byte { return o.appendVarbinds(b, p.Varbinds) }
func (p *TestSet) parse(c *cursor)                     { p.Varbinds = c.varbinds() }

// CommitSet commits the tested variables (RFC 2741 section 6.2.9).
type CommitSet struct{}

// Type implements [Payload].
func (*CommitSet) Type() pdu.Type                      { return pdu.TypeCommitSet }
func (*CommitSet) context() *string                    { return nil }
func (*CommitSet) append(b []byte, _ byteOrder) []byte { return b }
func (*CommitSet) parse(*cursor)                       {}

// UndoSet reverts CommitSet and ends the transaction (RFC 2741 section 6.2.9).
type UndoSet struct{}

// Type implements [Payload].
func (*UndoSet) Type() pdu.Type                      { return pdu.TypeUndoSet }
func (*UndoSet) context() *string                    { return nil }
func (*UndoSet) append(b []byte, _ byteOrder) []byte { return b }
func (*UndoSet) parse(*cursor)                       {}

// CleanupSet finally ends a transaction; it has no answer (RFC 2741 section 6.2.9).
type CleanupSet struct{}

// Type implements [Payload].
func (*CleanupSet) Type() pdu.Type                      { return pdu.TypeCleanupSet }
func (*CleanupSet) context() *string                    { return nil }
func (*CleanupSet) append(b []byte, _ byteOrder) []byte { return b }
func (*CleanupSet) parse(*cursor)                       {}

// Notify is a notification for the master: an optional sysUpTime.0, snmpTrapOID.0, and its objects
// (RFC 2741 section 6.2.10).
type Notify struct {
	Context  string
	Varbinds []mib.Varbind
}

// Type implements [Payload].
func (*Notify) Type() pdu.Type     { return pdu.TypeNotify }
func (p *Notify) context() *string { return &p.Context }

func (p *Notify) append(b []byte, o byteOrder) []byte { return o.appendVarbinds(b, p.Varbinds) }
func (p *Notify) parse(c *cursor)                     { p.Varbinds = c.varbinds() }

// IndexAllocate requests index values from the master (RFC 2741 section 6.2.12). We never send it.
type IndexAllocate struct {
	Context  string
	Varbinds []mib.Varbind
}

// Type implements [Payload].
func (*IndexAllocate) Type() pdu.Type     { return pdu.TypeIndexAllocate }
func (p *IndexAllocate) context() *string { return &p.Context }

func (p *IndexAllocate) append(b []byte, o byteOrder) []byte { return o.appendVarbinds(b, p.Varbinds) }
func (p *IndexAllocate) parse(c *cursor)                     { p.Varbinds = c.varbinds() }

// IndexDeallocate returns index values (RFC 2741 section 6.2.13). We never send it.
type IndexDeallocate struct {
	Context  string
	Varbinds []mib.Varbind
}

// Type implements [Payload].
func (*IndexDeallocate) Type() pdu.Type     { return pdu.TypeIndexDeallocate }
func (p *IndexDeallocate) context() *string { return &p.Context }

func (p *IndexDeallocate) append(b []byte, o byteOrder) []byte {
	return o.appendVarbinds(b, p.Varbinds)
}
func (p *IndexDeallocate) parse(c *cursor) { p.Varbinds = c.varbinds() }

// Response answers a PDU (RFC 2741 section 6.2.16).
type Response struct {
	SysUpTime uint32    // hundredths of a second; only a master knows it
	Error     pdu.Error // an SNMP error-status or, from 256, an AgentX error
	Index     uint16    // index of the VarBind that caused Error, from 1; 0 means none
	Varbinds  []mib.Varbind
}

// Type implements [Payload].
func (*Response) Type() pdu.Type   { return pdu.TypeResponse }
func (*Response) context() *string { return nil }

func (p *Response) append(b []byte, o byteOrder) []byte {
	b = o.appendUint32(b, p.SysUpTime)
	b = o.appendUint16(b, uint16(p.Error))
	b = o.appendUint16(b, p.Index)
	return o.appendVarbinds(b, p.Varbinds)
}

func (p *Response) parse(c *cursor) {
	p.SysUpTime = c.uint32()
	p.Error, p.Index = pdu.Error(c.uint16()), c.uint16()
	p.Varbinds = c.varbinds()
}
