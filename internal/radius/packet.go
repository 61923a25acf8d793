package radius

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// The lengths of a packet, in octets.
const (
	HeaderLen = 20
	AuthLen   = md5.Size // of an authenticator, and of the value of a Message-Authenticator
	MaxPacket = 4096     // RFC 2865 section 3
	// SignatureLen is the length of a Message-Authenticator.
	SignatureLen = 2 + AuthLen
)

// Authenticator is a Request or Response Authenticator.
type Authenticator [AuthLen]byte

// Packet is a datagram with valid framing. It shares the octets of the datagram, and ends at its
// Length.
type Packet struct {
	data     []byte
	signedAt int // offset of the Message-Authenticator's value, or 0
}

// MalformedError describes a problem in a packet, and the attribute that has it.
type MalformedError struct {
	Attribute Type // 0 for the header
	Problem   string
}

func (e *MalformedError) Error() string {
	if e.Attribute == 0 {
		return e.Problem
	}
	if def := Standard().attributes[e.Attribute]; def != nil {
		return def.Name + ": " + e.Problem
	}
	return fmt.Sprintf("attribute %d: %s", e.Attribute, e.Problem)
}

// Parse checks the header and the framing (RFC 2865 sections 3 and 5), and that there is at most
// one Message-Authenticator. Octets after Length are padding. Errors are of type *MalformedError.
func Parse(b []byte) (Packet, error) {
	if len(b) < HeaderLen {
		return Packet{}, &MalformedError{Problem: "shorter than 20 octets"}
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	if length < HeaderLen || length > MaxPacket {
		return Packet{}, &MalformedError{Problem: "Length field is not 20..4096"}
	}
	if length > len(b) {
		return Packet{}, &MalformedError{Problem: "shorter than its Length field"}
	}
	p := Packet{data: b[:length]}
	for at := HeaderLen; at < length; {
		t := Type(b[at])
		if length-at < 2 || b[at+1] < 2 || int(b[at+1]) > length-at {
			return Packet{}, &MalformedError{t, "truncated"}
		}
		n := int(b[at+1])
		if t == MessageAuthenticator {
			if n != 2+AuthLen || p.signedAt != 0 {
				return Packet{}, &MalformedError{t, "does not occur once with 16 octets"}
			}
			p.signedAt = at + 2
		}
		at += n
	}
	return p, nil
}

// Clone returns a packet with its own octets.
func (p Packet) Clone() Packet {
	p.data = bytes.Clone(p.data)
	return p
}

// Octets returns the packet's octets without padding.
func (p Packet) Octets() []byte { return p.data }

// Code returns the packet's code.
func (p Packet) Code() Code { return Code(p.data[0]) }

// Identifier returns the packet's identifier.
func (p Packet) Identifier() byte { return p.data[1] }

// Authenticator returns the packet's authenticator.
func (p Packet) Authenticator() Authenticator { return Authenticator(p.data[4:HeaderLen]) }

// Attributes returns the octets of the packet's attributes; all are complete.
func (p Packet) Attributes() []byte { return p.data[HeaderLen:] }

// Has reports whether the packet has an attribute of this type.
func (p Packet) Has(t Type) bool {
	for rest := p.Attributes(); len(rest) > 0; rest = rest[rest[1]:] {
		if Type(rest[0]) == t {
			return true
		}
	}
	return false
}

// HasMessageAuthenticator reports whether the packet has a Message-Authenticator.
func (p Packet) HasMessageAuthenticator() bool { return p.signedAt != 0 }

// Authentic reports whether the packet's authenticator, and its Message-Authenticator if there is
// one, are right for this secret. request is zero for a request, and the Request Authenticator for
// a response. scratch is working memory and is returned for the next call.
func (p Packet) Authentic(request Authenticator, secret Secret, scratch []byte) (bool, []byte) {
	scratch = append(scratch[:0], p.data...)
	copy(scratch[4:], request[:])
	scratch = append(scratch, secret...)
	sum := md5.Sum(scratch)
	ok := subtle.ConstantTimeCompare(sum[:], p.data[4:HeaderLen]) == 1
	if ok && p.signedAt != 0 {
		return p.Signed(request, secret, scratch)
	}
	return ok, scratch
}

// Signed reports whether the packet has a Message-Authenticator that is right for this secret (RFC
// 3579 section 3.2, RFC 5997 section 3). request and scratch are as for Authentic. For an
// Access-Request or a Status-Server, request is its own authenticator, which is random and included
// in the computation.
func (p Packet) Signed(request Authenticator, secret Secret, scratch []byte) (bool, []byte) {
	if p.signedAt == 0 {
		return false, scratch
	}
	var room [md5.BlockSize]byte
	scratch = append(append(scratch[:0], room[:]...), p.data...)
	packet := scratch[len(room):]
	copy(packet[4:], request[:])
	clear(packet[p.signedAt : p.signedAt+AuthLen])
	sum := hmacMD5(scratch, secret)
	return hmac.Equal(sum[:], p.data[p.signedAt:p.signedAt+AuthLen]), scratch
}

// hmacMD5 returns the HMAC-MD5 (RFC 2104) of the octets that follow the first md5.BlockSize octets of
// b, which it overwrites. Unlike package hmac it allocates nothing, unless the secret is longer than a
// block. A flood of forged packets must not make garbage.
func hmacMD5(b []byte, secret Secret) Authenticator {
	var outer [md5.BlockSize + AuthLen]byte
	if len(secret) > md5.BlockSize {
		sum := md5.Sum([]byte(secret))
		copy(outer[:], sum[:])
	} else {
		copy(outer[:], secret)
	}
	for i := range md5.BlockSize {
		b[i], outer[i] = outer[i]^0x36, outer[i]^0x5c
	}
	inner := md5.Sum(b)
	copy(outer[md5.BlockSize:], inner[:])
	return md5.Sum(outer[:])
}

// sign returns the Message-Authenticator of a packet whose authenticator is the one that counts.
func sign(b []byte, secret Secret) Authenticator {
	var room [md5.BlockSize + 512]byte // most packets fit
	return hmacMD5(append(room[:md5.BlockSize], b...), secret)
}

// AppendHeader appends a header to b; Seal completes it.
func AppendHeader(b []byte, code Code, identifier byte) []byte {
	b = append(b, byte(code), identifier, 0, 0)
	return append(b, make([]byte, AuthLen)...)
}

// AppendMessageAuthenticator appends a Message-Authenticator; Seal completes it.
func AppendMessageAuthenticator(b []byte) []byte {
	b = append(b, byte(MessageAuthenticator), SignatureLen)
	return append(b, make([]byte, AuthLen)...)
}

// AppendSignedHeader appends a header and, as the first attribute, a Message-Authenticator, as RFC
// 3579 section 3.2 and draft-ietf-radext-deprecating-radius want it. SealRequest or SealResponse
// completes the packet after its other attributes have been appended.
func AppendSignedHeader(b []byte, code Code, identifier byte) []byte {
	return AppendMessageAuthenticator(AppendHeader(b, code, identifier))
}

// FirstSigned is where the value of a Message-Authenticator begins that is the first attribute.
const FirstSigned = HeaderLen + 2

// SealRequest completes an Access-Request or a Status-Server b, of HeaderLen to MaxPacket octets,
// that AppendSignedHeader has begun. The authenticator must be random (RFC 2865 section 3). The
// receiver checks the packet by Packet.Signed.
func SealRequest(b []byte, authenticator Authenticator, secret Secret) {
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[4:], authenticator[:])
	sum := sign(b, secret)
	copy(b[FirstSigned:], sum[:])
}

// SealResponse completes an answer to an Access-Request or a Status-Server, which AppendSignedHeader
// has begun. request is the authenticator of the request. The receiver checks the packet by
// Packet.Authentic.
func SealResponse(b []byte, request Authenticator, secret Secret) {
	Seal(b, FirstSigned, request, secret)
}

// Seal completes the packet b of HeaderLen to MaxPacket octets: length, Message-Authenticator (its
// value begins at signedAt; 0 means that there is none) and authenticator, which it returns.
// request is as for Authentic.
func Seal(b []byte, signedAt int, request Authenticator, secret Secret) Authenticator {
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[4:], request[:])
	if signedAt != 0 {
		sum := sign(b, secret)
		copy(b[signedAt:], sum[:])
	}
	sum := Authenticator(md5.Sum(append(b, secret...))) // in the spare capacity of b, or in a copy
	copy(b[4:], sum[:])
	return sum
}
