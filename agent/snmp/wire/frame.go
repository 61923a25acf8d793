package wire

import (
	"slices"

	"aaasess/mib"
)

// headroom is how many octets a Frame keeps free in front of the variable bindings: enough for all
// headers of SNMPv3, unless the names of users, engines and contexts are unusually long.
const headroom = 512

// Upper bounds for the octets around the variable bindings of a message below 2^24 octets.
const (
	PDUOverhead       = 5 + 3*6 + 5 // ClosePDU adds two headers, three integers
	CommunityOverhead = 5 + 6 + 5   // around the PDU, without the community itself
)

// Frame is a message under construction. The caller appends variable bindings; then each Close
// method prepends headers, from the inside out. Lengths have their shortest form. The zero Frame is
// ready to use; Reset starts the next message in the same memory. A Frame is not safe for
// concurrent use.
type Frame struct {
	buf   []byte
	start int // buf[start:] is the message so far
	names names
}

// Reset starts a new message.
func (f *Frame) Reset() {
	if cap(f.buf) < headroom {
		f.buf = make([]byte, 0, 8*headroom)
	}
	f.buf, f.start = f.buf[:headroom], headroom
}

// Bytes returns the message so far. It is valid until the next call of a method, and may be
// modified.
func (f *Frame) Bytes() []byte { return f.buf[f.start:] }

// Len is the number of octets so far. Before ClosePDU these are the variable bindings.
func (f *Frame) Len() int { return len(f.buf) - f.start }

// Truncate keeps the first n octets, 0 <= n <= Len(). It removes variable bindings that do not fit
// the message.
func (f *Frame) Truncate(n int) { f.buf = f.buf[:f.start+n] }

// AppendRaw appends octets unchanged: the variable bindings of a request.
func (f *Frame) AppendRaw(b []byte) { f.buf = append(f.buf, b...) }

// Pad appends n zero octets (DES, RFC 3414 section 8.1.1.2).
func (f *Frame) Pad(n int) {
	at := len(f.buf)
	f.buf = slices.Grow(f.buf, n)[:at+n]
	clear(f.buf[at:])
}

// AppendVarbind appends a variable binding. It writes an OID that BER cannot encode (fewer than two
// sub-identifiers, more than 128, the first above 2, or the second above 39 under 0 and 1) as 0.0,
// and a value of a type that RFC 3416 does not have as NULL.
func (f *Frame) AppendVarbind(vb *mib.Varbind) {
	at := len(f.buf)
	b := f.names.begin(f.buf, vb.Name)
	b = fixLength(b, at+2)
	b = appendValue(b, &vb.Value)
	f.buf = fixLength(b, at)
}

// ClosePDU makes the octets so far the variable bindings of a PDU. For a GetBulkRequest errorStatus
// and errorIndex are non-repeaters and max-repetitions.
func (f *Frame) ClosePDU(t PDUType, requestID, errorStatus, errorIndex int32) {
	f.prependHeader(tagSequence, f.Len())
	f.prependInteger(errorIndex)
	f.prependInteger(errorStatus)
	f.prependInteger(requestID)
	f.prependHeader(byte(t), f.Len())
}

// CloseCommunity puts a PDU into a message of SNMPv1 or v2c (RFC 1901 section 3).
func (f *Frame) CloseCommunity(v Version, community []byte) {
	f.prependOctets(community)
	f.prependInteger(int32(v))
	f.prependHeader(tagSequence, f.Len())
}

// CloseScoped puts a PDU into a ScopedPDU (RFC 3412 section 6).
func (f *Frame) CloseScoped(contextEngineID, contextName []byte) {
	f.prependOctets(contextName)
	f.prependOctets(contextEngineID)
	f.prependHeader(tagSequence, f.Len())
}

// CloseOctets makes the octets so far the content of an OCTET STRING: encryptedPDU (RFC 3412
// section 6).
func (f *Frame) CloseOctets() { f.prependHeader(tagOctets, f.Len()) }

// HeaderV3 is msgGlobalData (RFC 3412 section 6) of a message under construction. See [Message] for
// units and ranges.
type HeaderV3 struct {
	ID, MaxSize int32
	Flags       uint8
	Model       SecurityModel
}

// CloseV3 puts msgData into a message of SNMPv3. The fields of p are written unchanged. auth is the
// place of msgAuthenticationParameters in Bytes, where the caller writes the digest of the whole
// message.
func (f *Frame) CloseV3(h *HeaderV3, p *SecurityParameters) (auth []byte) {
	data := f.Len()
	f.prependOctets(p.PrivacyParameters)
	f.prependOctets(p.AuthenticationParameters)
	behind := f.Len() // distance from the end, which later headers do not change
	f.prependOctets(p.UserName)
	f.prependInteger(p.Time)
	f.prependInteger(p.Boots)
	f.prependOctets(p.EngineID)
	f.prependHeader(tagSequence, f.Len()-data)
	f.prependHeader(tagOctets, f.Len()-data)

	parameters := f.Len()
	f.prependInteger(int32(h.Model))
	copy(f.prepend(3), []byte{tagOctets, 1, h.Flags})
	f.prependInteger(h.MaxSize)
	f.prependInteger(h.ID)
	f.prependHeader(tagSequence, f.Len()-parameters)
	f.prependInteger(int32(Version3))
	f.prependHeader(tagSequence, f.Len())

	n := len(p.AuthenticationParameters)
	at := len(f.buf) - behind + headerSize(n)
	return f.buf[at : at+n : at+n]
}

// prepend adds n octets in front of the message so far.
func (f *Frame) prepend(n int) []byte {
	if f.start < n {
		room := n + headroom
		b := make([]byte, room+f.Len(), room+2*f.Len()+headroom)
		copy(b[room:], f.Bytes())
		f.buf, f.start = b, room
	}
	f.start -= n
	return f.buf[f.start : f.start+n]
}

func (f *Frame) prependHeader(tag byte, n int) {
	putHeader(f.prepend(headerSize(n)), tag, n)
}

func (f *Frame) prependInteger(n int32) {
	octets := integerSize(int64(n))
	b := f.prepend(2 + octets)
	b[0], b[1] = tagInteger, byte(octets)
	putBig(b[2:], uint32(n))
}

func (f *Frame) prependOctets(b []byte) {
	copy(f.prepend(len(b)), b)
	f.prependHeader(tagOctets, len(b))
}
