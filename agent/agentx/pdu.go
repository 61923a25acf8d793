package agentx

import (
	"fmt"

	"github.com/posteo/go-agentx/pdu"
)

const (
	// HeaderSize is the length of a PDU's header in octets.
	HeaderSize = 20
	// MaxPayload is the largest payload in octets that we accept or send. net-snmp's largest
	// payload for an SNMP message of 64 KiB is much smaller.
	MaxPayload = 1 << 20

	version = 1 // h.version of RFC 2741
)

// Header is the header of every PDU (RFC 2741 section 6.1). The version is checked and not stored.
type Header struct {
	Type          pdu.Type
	Flags         pdu.Flags
	SessionID     uint32
	TransactionID uint32
	PacketID      uint32
	PayloadLength uint32 // octets after the header; AppendPDU sets it
}

func (h *Header) order() byteOrder { return h.Flags&pdu.FlagNetworkByteOrder != 0 }

// ParseHeader parses the first [HeaderSize] octets of a PDU. Errors wrap [ErrMalformed]: too few
// octets, another version, or a payload that is not a multiple of four or exceeds [MaxPayload].
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, fmt.Errorf("%w: header has %d octets", errTruncated, len(b))
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
		return h, fmt.Errorf("%w: payload of %s has %d octets", ErrMalformed, typeName(h.Type), h.PayloadLength)
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

// Payload is the part of a PDU after its header: [Open], [Get], [Response] and others.
type Payload interface {
	// Type returns the h.type of this payload.
	Type() pdu.Type
	// context points to the context of the payload; nil if the type has none (RFC 2741 section
	// 6.1.1).
	context() *string
	append(b []byte, o byteOrder) []byte
	parse(c *cursor)
}

// newPayload returns an empty payload of a type, or nil for an unknown type.
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
	case pdu.TypeAddAgentCaps:
		return &AddAgentCaps{}
	case pdu.TypeResponse:
		return &Response{}
	}
	return nil
}

// AppendPDU encodes a PDU in the byte order of h.Flags. It sets the type, the payload length and
// the context flag itself.
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

// ParsePDU parses one PDU; b must contain nothing else. Errors wrap [ErrMalformed].
func ParsePDU(b []byte) (Header, Payload, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return h, nil, err
	}
	p := newPayload(h.Type)
	if p == nil {
		return h, nil, fmt.Errorf("%w: unknown PDU %s", ErrMalformed, typeName(h.Type))
	}
	var c cursor
	if err := parsePayload(&h, b, p, &c); err != nil {
		return h, nil, err
	}
	return h, p, nil
}

// parsePayload parses the payload of the PDU b into p. It uses the caller's cursor, because a
// cursor may escape to the heap: the machine keeps one.
func parsePayload(h *Header, b []byte, p Payload, c *cursor) error {
	b = b[HeaderSize:]
	if uint64(len(b)) < uint64(h.PayloadLength) {
		return fmt.Errorf("%w: payload of %s has %d octets, the header says %d", errTruncated, typeName(h.Type), len(b), h.PayloadLength)
	}
	if uint64(len(b)) > uint64(h.PayloadLength) {
		return fmt.Errorf("%w: payload of %s has %d octets, the header says %d", errTrailing, typeName(h.Type), len(b), h.PayloadLength)
	}
	*c = cursor{b: b, order: h.order()}
	if ctx := p.context(); ctx != nil {
		*ctx = ""
		if h.Flags&pdu.FlagNonDefaultContext != 0 {
			*ctx = string(c.octets())
		}
		if *ctx == "" { // an empty name is the default context
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
