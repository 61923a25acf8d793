package agentx

import "github.com/posteo/go-agentx/pdu"

// Get requests the variable named by the Start of each range (RFC 2741 section 6.2.5).
type Get struct {
	Context string
	Ranges  []SearchRange
}

// Type implements [Payload].
func (*Get) Type() pdu.Type     { return pdu.TypeGet }
func (p *Get) context() *string { return &p.Context }

func (p *Get) append(b []byte, o byteOrder) []byte { return o.appendSearchRanges(b, p.Ranges) }
func (p *Get) parse(c *cursor)                     { p.Ranges = c.searchRanges(p.Ranges) }

// GetNext requests the first variable in each range (RFC 2741 section 6.2.6).
type GetNext struct {
	Context string
	Ranges  []SearchRange
}

// Type implements [Payload].
func (*GetNext) Type() pdu.Type     { return pdu.TypeGetNext }
func (p *GetNext) context() *string { return &p.Context }

func (p *GetNext) append(b []byte, o byteOrder) []byte { return o.appendSearchRanges(b, p.Ranges) }
func (p *GetNext) parse(c *cursor)                     { p.Ranges = c.searchRanges(p.Ranges) }

// GetBulk requests the first variable in each of the first NonRepeaters ranges, and the first
// MaxRepetitions variables in each of the others (RFC 2741 section 6.2.7).
type GetBulk struct {
	Context        string
	NonRepeaters   uint16
	MaxRepetitions uint16
	Ranges         []SearchRange
}

// Type implements [Payload].
func (*GetBulk) Type() pdu.Type     { return pdu.TypeGetBulk }
func (p *GetBulk) context() *string { return &p.Context }

func (p *GetBulk) append(b []byte, o byteOrder) []byte {
	b = o.appendUint16(b, p.NonRepeaters)
	b = o.appendUint16(b, p.MaxRepetitions)
	return o.appendSearchRanges(b, p.Ranges)
}

func (p *GetBulk) parse(c *cursor) {
	p.NonRepeaters, p.MaxRepetitions = c.uint16(), c.uint16()
	p.Ranges = c.searchRanges(p.Ranges)
}
