package agentx

import (
	"fmt"

	"github.com/posteo/go-agentx/pdu"
)

const (
	// HeaderSize is the octets of a PDU's header.
	HeaderSize = 20
	// MaxPayload is the most octets behind a header that we take or send. The largest payload that
	// net-snmp makes of an SNMP message of 64 KiB is far below.
	MaxPayload = 1 << 20

	version = 1 // h.version of RFC 2741
)

// Header is the front of every PDU (RFC 2741 section 6.1). Version is checked, not kept.
type Header struct {
	Type          pdu.Type
	Flags         pdu.Flags
	SessionID     uint32
	TransactionID uint32
	PacketID      uint32
	PayloadLength uint32 // octets behind the header; written by AppendPDU
}

func (h *Header) order() byteOrder { return h.Flags&pdu.FlagNetworkByteOrder != 0 }

// ParseHeader reads the first [HeaderSize] octets of a PDU. Errors wrap [ErrMalformed]: too few
// octets, another version, a payload that is no multiple of four or over [MaxPayload].
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, fmt.Errorf("%w: header of %d octets", errTruncated, len(b))
	}
	if b[0] != version {
		return Header{}, fmt.Errorf("%w: version %d", ErrMalformed, b[0])
	}
	h := Header{Type: pdu.Type(b[1]), Flags: pdu.Flags(b[2])}
	o := h.order()
	h.SessionID = o.uint32(b[4:])
	h.TransactionID = o.uint32(b[8:])
	h.PacketID = o.uint32(b[12:])
	h.PayloadLength = o.uint32(b[16:])
	if h.PayloadLength > MaxPayload || h.PayloadLength%4 != 0 {
		return h, fmt.Errorf("%w: %s with a payload of %d octets", ErrMalformed, typeName(h.Type), h.PayloadLength)
	}
	return h, nil
}

func (h *Header) append(b []byte) []byte {
	o := h.order()
	b = append(b, version, byte(h.Type), byte(h.Flags), 0)
	b = o.appendUint32(b, h.SessionID)
	b = o.appendUint32(b, h.TransactionID)
	b = o.appendUint32(b, h.PacketID)
	return o.appendUint32(b, h.PayloadLength)
}

// Payload is what stands behind the header of one type of PDU: [Open], [Get], [Response] ...
type Payload interface {
	// Type is the h.type that announces this payload.
	Type() pdu.Type
	// context is where the type keeps its context, nil where it has none (RFC 2741 section 6.1.1).
	context() *string
	append(b []byte, o byteOrder) []byte
	parse(c *cursor)
}

// newPayload gives an empty payload of a type, nil for a type that is unknown.
func newPayload(t pdu.Type) Payload {
	switch t {
	case pdu.TypeOpen:
		return &Open{}
	case pdu.TypeClose:
		return &Close{}
	case pdu.TypeRegister:
		return &Register{}
	case pdu.TypeUnregister:
		return &Unregister{}
	case pdu.TypeGet:
		return &Get{}
	case pdu.TypeGetNext:
		return &GetNext{}
	case pdu.TypeGetBulk:
		return &GetBulk{}
	case pdu.TypeTestSet:
		return &TestSet{}
	case pdu.TypeCommitSet:
		return &CommitSet{}
	case pdu.TypeUndoSet:
		return &UndoSet{}
	case pdu.TypeCleanupSet:
		return &CleanupSet{}
	case pdu.TypeNotify:
		return &Notify{}
	case pdu.TypePing:
		return &Ping{}
	case pdu.TypeIndexAllocate:
		return &IndexAllocate{}
	case pdu.TypeIndexDeallocate:
		return &IndexDeallocate{}
	case pdu.TypeResponse:
		return &Response{}
	}
	return nil
}

// AppendPDU writes a whole PDU in the byte order that h.Flags says. It sets the type, the payload
// length and the flag for a context itself.
func AppendPDU(b []byte, h Header, p Payload) []byte {
	h.Type = p.Type()
	h.Flags &^= pdu.FlagNonDefaultContext
	ctx := p.context()
	if ctx != nil && *ctx != "" {
		h.Flags |= pdu.FlagNonDefaultContext
	}
	start := len(b)
	b = h.append(b)
	if h.Flags&pdu.FlagNonDefaultContext != 0 {
		b = h.order().appendOctets(b, *ctx)
	}
	b = p.append(b, h.order())
	h.order().putUint32(b[start+16:], uint32(len(b)-start-HeaderSize))
	return b
}

// ParsePDU reads one whole PDU; b must hold nothing else. Errors wrap [ErrMalformed].
func ParsePDU(b []byte) (Header, Payload, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return h, nil, err
	}
	p := newPayload(h.Type)
	if p == nil {
		return h, nil, fmt.Errorf("%w: %s is not known", ErrMalformed, typeName(h.Type))
	}
	var c cursor
	if err := parsePayload(&h, b, p, &c); err != nil {
		return h, nil, err
	}
	return h, p, nil
}

// parsePayload reads what stands behind the header of the PDU b into p, with a cursor of the
// caller's (which may live on the heap: the hot path keeps one).
func parsePayload(h *Header, b []byte, p Payload, c *cursor) error {
	b = b[HeaderSize:]
	if uint64(len(b)) < uint64(h.PayloadLength) {
		return fmt.Errorf("%w: %s of %d octets, %d announced", errTruncated, typeName(h.Type), len(b), h.PayloadLength)
	}
	if uint64(len(b)) > uint64(h.PayloadLength) {
		return fmt.Errorf("%w: %s of %d octets, %d announced", errTrailing, typeName(h.Type), len(b), h.PayloadLength)
	}
	*c = cursor{b: b, order: h.order()}
	if ctx := p.context(); ctx != nil {
		*ctx = ""
		if h.Flags&pdu.FlagNonDefaultContext != 0 {
			*ctx = string(c.octets())
		}
		if *ctx == "" { // the default context is the one with an empty name
			h.Flags &^= pdu.FlagNonDefaultContext
		}
	} else {
		h.Flags &^= pdu.FlagNonDefaultContext
	}
	p.parse(c)
	if err := c.finish(); err != nil {
		return fmt.Errorf("%s: %w", typeName(h.Type), err)
	}
	return nil
}
