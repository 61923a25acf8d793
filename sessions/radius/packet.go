package radius

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"aaasess/sessions"
)

// Codes (RFC 2866 section 3, RFC 5997 section 3, RFC 5176 section 2.3).
const (
	codeAccountingRequest  = 4
	codeAccountingResponse = 5
	codeStatusServer       = 12
	codeDisconnectRequest  = 40
	codeDisconnectACK      = 41
	codeDisconnectNAK      = 42
)

const (
	headerLen   = 20
	authLen     = md5.Size
	maxPacket   = 4096 // RFC 2865 section 3
	messageAuth = byte(sessions.MessageAuth)
)

// authenticator is a Request or Response Authenticator.
type authenticator [authLen]byte

// zeros stand where a request's own authenticator would be while it is computed.
var zeros authenticator

// packet is a datagram whose framing was checked; it shares the datagram's octets. It ends where
// Length says.
type packet struct {
	data     []byte
	signedAt int // where the value of the Message-Authenticator begins, 0 if there is none
}

// malformedError says what is wrong with a packet, and in which attribute.
type malformedError struct {
	attribute sessions.AttributeType // 0: the header
	problem   string
}

func (e *malformedError) Error() string {
	if e.attribute == 0 {
		return e.problem
	}
	if name := attributeName(e.attribute); name != "" {
		return name + ": " + e.problem
	}
	return fmt.Sprintf("attribute %d: %s", e.attribute, e.problem)
}

// parsePacket checks header and framing (RFC 2865 sections 3 and 5). Octets behind Length are
// ignored. Errors are of type malformedError.
func parsePacket(b []byte) (packet, error) {
	if len(b) < headerLen {
		return packet{}, &malformedError{problem: "shorter than 20 octets"}
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	if length < headerLen || length > maxPacket {
		return packet{}, &malformedError{problem: "length is not 20..4096"}
	}
	if length > len(b) {
		return packet{}, &malformedError{problem: "shorter than its length"}
	}
	p := packet{data: b[:length]}
	for at := headerLen; at < length; {
		t := sessions.AttributeType(b[at])
		if length-at < 2 || b[at+1] < 2 || int(b[at+1]) > length-at {
			return packet{}, &malformedError{t, "cut off"}
		}
		n := int(b[at+1])
		if byte(t) == messageAuth {
			if n != 2+authLen || p.signedAt != 0 {
				return packet{}, &malformedError{t, "not 16 octets once"}
			}
			p.signedAt = at + 2
		}
		at += n
	}
	return p, nil
}

func (p packet) code() byte                   { return p.data[0] }
func (p packet) identifier() byte             { return p.data[1] }
func (p packet) authenticator() authenticator { return authenticator(p.data[4:headerLen]) }
func (p packet) attributes() []byte           { return p.data[headerLen:] }

// authentic reports whether the packet's authenticator, and its Message-Authenticator if there is
// one, were made with this secret. request is zeros for a request, and the Request Authenticator
// for a response. scratch is memory to work in; it is returned for the next time.
func (p packet) authentic(request authenticator, secret Secret, scratch []byte) (bool, []byte) {
	scratch = append(scratch[:0], p.data...)
	copy(scratch[4:], request[:])
	scratch = append(scratch, secret...)
	sum := md5.Sum(scratch)
	ok := subtle.ConstantTimeCompare(sum[:], p.data[4:headerLen]) == 1
	if ok && p.signedAt != 0 {
		return p.signed(request, secret, scratch)
	}
	return ok, scratch
}

// signed reports whether the packet's Message-Authenticator, which it must have, was made with this secret. request and
// scratch are as for authentic, but for a Status-Server: its own Request Authenticator is random, and signed as it is.
func (p packet) signed(request authenticator, secret Secret, scratch []byte) (bool, []byte) {
	scratch = append(scratch[:0], p.data...)
	copy(scratch[4:], request[:])
	copy(scratch[p.signedAt:], zeros[:])
	sum := hmacMD5(scratch, secret)
	return hmac.Equal(sum[:], p.data[p.signedAt:p.signedAt+authLen]), scratch
}

func hmacMD5(data []byte, secret Secret) (sum authenticator) {
	h := hmac.New(md5.New, []byte(secret))
	h.Write(data)
	h.Sum(sum[:0])
	return sum
}

// beginPacket appends a header to b for seal to complete.
func beginPacket(b []byte, code, identifier byte) []byte {
	b = append(b, code, identifier, 0, 0)
	return append(b, zeros[:]...)
}

// beginMessageAuth appends a Message-Authenticator for seal to complete.
func beginMessageAuth(b []byte) []byte {
	return append(append(b, messageAuth, 2+authLen), zeros[:]...)
}

// seal writes length, Message-Authenticator (its value starts at signedAt, 0 if there is none) and
// authenticator into the packet b. request is as for authentic. b must not be over maxPacket.
func seal(b []byte, signedAt int, request authenticator, secret Secret) {
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[4:], request[:])
	if signedAt != 0 {
		sum := hmacMD5(b, secret)
		copy(b[signedAt:], sum[:])
	}
	sum := md5.Sum(append(b, secret...)) // in b's spare memory, or in a copy
	copy(b[4:], sum[:])
}
