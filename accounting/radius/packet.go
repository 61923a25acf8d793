package radius

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
	"errors"

	"aaasess/sessions"
)

// Codes (RFC 2866 section 3).
const (
	codeAccountingRequest  = 4
	codeAccountingResponse = 5
)

const (
	headerLen    = 20
	authLen      = md5.Size
	maxPacket    = 4096 // RFC 2865 section 3
	delayAttrLen = 6    // Acct-Delay-Time
)

// maxAttrs is how many octets of attributes leave room for Acct-Delay-Time.
const maxAttrs = maxPacket - headerLen - delayAttrLen

// What may be wrong with an answer.
var (
	errFraming = errors.New("radius: malformed response")
	errForged  = errors.New("radius: wrong authenticator or Message-Authenticator")
)

// authenticator is a Request or Response Authenticator.
type authenticator [authLen]byte

// appendRequest appends to b, which must be empty, an Accounting-Request (RFC 2866 section 4.1) of
// these attributes and, last, Acct-Delay-Time in seconds. attrs has at most maxAttrs octets.
func appendRequest(b []byte, identifier byte, attrs sessions.Attributes, delay uint32, secret Secret) ([]byte, authenticator) {
	b = append(b, codeAccountingRequest, identifier)
	b = binary.BigEndian.AppendUint16(b, uint16(headerLen+len(attrs)+delayAttrLen))
	b = append(b, make([]byte, authLen)...) // the authenticator is computed over zeros
	b = append(b, attrs...)
	b = sessions.AppendUint32(b, sessions.AcctDelayTime, delay)
	end := len(b)
	b = append(b, secret...)
	auth := authenticator(md5.Sum(b))
	copy(b[4:], auth[:])
	return b[:end], auth
}

// packet is a datagram whose framing was checked; it shares the datagram's octets and ends where
// Length says.
type packet struct {
	data     []byte
	signedAt int // where the value of the Message-Authenticator begins, 0 if there is none
}

func (p packet) code() byte       { return p.data[0] }
func (p packet) identifier() byte { return p.data[1] }

// parsePacket checks header and framing (RFC 2865 sections 3 and 5). Octets behind Length are
// padding. The error is errFraming.
func parsePacket(b []byte) (packet, error) {
	if len(b) < headerLen {
		return packet{}, errFraming
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	if length < headerLen || length > maxPacket || length > len(b) {
		return packet{}, errFraming
	}
	p := packet{data: b[:length]}
	for at := headerLen; at < length; {
		if length-at < 2 || b[at+1] < 2 || int(b[at+1]) > length-at {
			return packet{}, errFraming
		}
		n := int(b[at+1])
		if sessions.AttributeType(b[at]) == sessions.MessageAuth {
			if n != 2+authLen || p.signedAt != 0 {
				return packet{}, errFraming
			}
			p.signedAt = at + 2
		}
		at += n
	}
	return p, nil
}

// verify checks the Response Authenticator, and the Message-Authenticator if there is one (RFC 2869
// section 5.14), against the request's authenticator. The error is errForged. scratch is memory to
// work in; it is returned for the next time.
func (p packet) verify(request authenticator, secret Secret, scratch []byte) ([]byte, error) {
	scratch = append(scratch[:0], p.data...)
	copy(scratch[4:], request[:])
	scratch = append(scratch, secret...)
	sum := md5.Sum(scratch)
	if subtle.ConstantTimeCompare(sum[:], p.data[4:headerLen]) != 1 {
		return scratch, errForged
	}
	if p.signedAt == 0 {
		return scratch, nil
	}
	scratch = scratch[:len(p.data)]
	clear(scratch[p.signedAt : p.signedAt+authLen])
	h := hmac.New(md5.New, []byte(secret))
	h.Write(scratch)
	if !hmac.Equal(h.Sum(nil), p.data[p.signedAt:p.signedAt+authLen]) {
		return scratch, errForged
	}
	return scratch, nil
}
