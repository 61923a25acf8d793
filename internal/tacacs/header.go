package tacacs

import (
	"encoding/binary"
	"errors"
)

// The lengths of a packet, in octets.
const (
	HeaderLen = 12
	// MaxBody is the largest body that is read or written. RFC 8907 section 4.1 recommends it; the
	// fields of a REQUEST could add up to 66,054, those of a REPLY to 131,075.
	MaxBody = 1 << 16
)

// The constant fields of the headers of accounting (RFC 8907 section 4.1).
const (
	Version        = 0xc0 // TAC_PLUS_MAJOR_VER and TAC_PLUS_MINOR_VER_DEFAULT
	TypeAccounting = 0x03 // TAC_PLUS_ACCT
)

// Flags are the flags of a header (RFC 8907 section 4.1).
type Flags byte

// The flags of a header. Unknown ones are ignored.
const (
	// FlagUnencrypted (TAC_PLUS_UNENCRYPTED_FLAG): the body is not obfuscated.
	FlagUnencrypted Flags = 0x01
	// FlagSingleConnect (TAC_PLUS_SINGLE_CONNECT_FLAG): the sender can have several sessions on
	// this connection. Only the flags of the first request and of its answer count (section 4.3).
	FlagSingleConnect Flags = 0x04
)

// Header is the header of a packet (RFC 8907 section 4.1).
type Header struct {
	Version byte // the major version in the upper four bits: 0xc
	Type    byte
	// Seq is the number of the packet in its session, from 1: odd numbers are the client's.
	Seq     byte
	Flags   Flags
	Session uint32 // session_id, random
	Length  uint32 // of the body
}

// Errors of ParseHeader. After one of them nothing on the connection can be understood.
var (
	// ErrHeader is returned when a header does not have 12 octets.
	ErrHeader = errors.New("tacacs: the header does not have 12 octets")
	// ErrVersion is returned when the major version is not 12: the peer does not speak TACACS+.
	ErrVersion = errors.New("tacacs: the major version is not 12")
	// ErrTooLarge is returned when a body is longer than MaxBody, also by AppendAcctRequest and
	// AppendAcctReply.
	ErrTooLarge = errors.New("tacacs: the body has more than 65536 octets")
)

// AppendHeader appends the octets of a header to b.
func AppendHeader(b []byte, h Header) []byte {
	b = append(b, h.Version, h.Type, h.Seq, byte(h.Flags))
	b = binary.BigEndian.AppendUint32(b, h.Session)
	return binary.BigEndian.AppendUint32(b, h.Length)
}

// ParseHeader decodes a header of HeaderLen octets. It checks the major version and that Length is
// at most MaxBody. It does not check the minor version, type, number and flags, which depend on the
// session.
func ParseHeader(b []byte) (Header, error) {
	if len(b) != HeaderLen {
		return Header{}, ErrHeader
	}
	h := Header{Version: b[0], Type: b[1], Seq: b[2], Flags: Flags(b[3]), Session: binary.BigEndian.Uint32(b[4:]), Length: binary.BigEndian.Uint32(b[8:])}
	switch {
	case h.Version>>4 != Version>>4:
		return Header{}, ErrVersion
	case h.Length > MaxBody:
		return Header{}, ErrTooLarge
	}
	return h, nil
}
