package wire

import (
	"slices"

	"aaasess/mib"
)

// headroom is how many octets a Frame keeps free in front of the variable bindings: enough for all
// headers of SNMPv3, unless names of users, engines and contexts are unusually long.
const headroom = 512

// Upper bounds of what stands around the variable bindings of a message below 2^24 octets.
const (
	PDUOverhead       = 5 + 3*6 + 5 // around what ClosePDU finds: two headers, three integers
	CommunityOverhead = 5 + 6 + 5   // around the PDU, besides the community itself
)

// Frame is a message being built. Variable bindings are appended; then each Close puts headers in
// front of what there is, from the inside out. Lengths always have their shortest form. The zero
// Frame is ready to use; Reset begins the next message in the same memory. Not for concurrent use.
type Frame struct {
	buf   []byte
	start int // buf[start:] is what there is
	names names
}

// Reset begins a new message.
func (f *Frame) Reset() {
	if cap(f.buf) < headroom {
		f.buf = make([]byte, 0, 8*headroom)
	}
	f.buf, f.start = f.buf[:headroom], headroom
}

// Bytes is all that there is so far. It is valid until the next call of a method, and may be
// written to.
func (f *Frame) Bytes() []byte { return f.buf[f.start:] }

// Len is the number of octets so far: before ClosePDU, those of the variable bindings.
func (f *Frame) Len() int { return len(f.buf) - f.start }

// Truncate keeps the first n octets, 0 <= n <= Len(): variable bindings that turn out too many for
// the message are taken back.
func (f *Frame) Truncate(n int) { f.buf = f.buf[:f.start+n] }

// AppendRaw appends octets as they are: variable bindings that came with a request.
func (f *Frame) AppendRaw(b []byte) { f.buf = append(f.buf, b...) }

// Pad appends n zero octets (DES, RFC 3414 section 8.1.1.2).
func (f *Frame) Pad(n int) {
	at := len(f.buf)
	f.buf = slices.Grow(f.buf, n)[:at+n]
	clear(f.buf[at:])
}

// AppendVarbind appends a variable binding. An OID that BER cannot carry (less than two arcs, more
// than 128, the first above 2, or the second above 39 under 0 and 1) is written as 0.0, a value of
// a type that RFC 3416 does not have as NULL.
func (f *Frame) AppendVarbind(vb *mib.Varbind) {
	at := len(f.buf)
	b := f.names.begin(f.buf, vb.Name)
	b = fixLength(b, at+2)
	b = appendValue(b, &vb.Value)
	f.buf = fixLength(b, at)
}

// ClosePDU makes what there is the variable bindings of a PDU. For a GetBulkRequest errorStatus and
// errorIndex are non-repeaters and max-repetitions.
func (f *Frame) ClosePDU(t PDUType, requestID, errorStatus, errorIndex int32) {
	f.frontHeader(tagSequence, f.Len())
	f.frontInteger(errorIndex)
	f.frontInteger(errorStatus)
	f.frontInteger(requestID)
	f.frontHeader(byte(t), f.Len())
}

// CloseCommunity puts a PDU into a message of SNMPv1 or v2c (RFC 1901 section 3).
func (f *Frame) CloseCommunity(v Version, community []byte) {
	f.frontOctets(community)
	f.frontInteger(int32(v))
	f.frontHeader(tagSequence, f.Len())
}

// CloseScoped makes a PDU a ScopedPDU (RFC 3412 section 6).
func (f *Frame) CloseScoped(contextEngineID, contextName []byte) {
	f.frontOctets(contextName)
	f.frontOctets(contextEngineID)
	f.frontHeader(tagSequence, f.Len())
}

// CloseOctets makes what there is the content of an OCTET STRING: encryptedPDU (RFC 3412 section 6).
func (f *Frame) CloseOctets() { f.frontHeader(tagOctets, f.Len()) }

// HeaderV3 is msgGlobalData (RFC 3412 section 6), for building. See [Message] for units and ranges.
type HeaderV3 struct {
	ID, MaxSize int32
	Flags       uint8
	Model       SecurityModel
}

// CloseV3 puts msgData into a message of SNMPv3. The fields of p are written as they are; auth is the
// place of msgAuthenticationParameters in Bytes, where the digest of the whole goes afterwards.
func (f *Frame) CloseV3(h *HeaderV3, p *SecurityParameters) (auth []byte) {
	data := f.Len()
	f.frontOctets(p.PrivacyParameters)
	f.frontOctets(p.AuthenticationParameters)
	behind := f.Len() // from here to the end the place stays the same
	f.frontOctets(p.UserName)
	f.frontInteger(p.Time)
	f.frontInteger(p.Boots)
	f.frontOctets(p.EngineID)
	f.frontHeader(tagSequence, f.Len()-data)
	f.frontHeader(tagOctets, f.Len()-data)

	parameters := f.Len()
	f.frontInteger(int32(h.Model))
	copy(f.front(3), []byte{tagOctets, 1, h.Flags})
	f.frontInteger(h.MaxSize)
	f.frontInteger(h.ID)
	f.frontHeader(tagSequence, f.Len()-parameters)
	f.frontInteger(int32(Version3))
	f.frontHeader(tagSequence, f.Len())

	n := len(p.AuthenticationParameters)
	at := len(f.buf) - behind + headerSize(n)
	return f.buf[at : at+n : at+n]
}

// front makes n octets in front of what there is.
func (f *Frame) front(n int) []byte {
	if f.start < n {
		room := n + headroom
		b := make([]byte, room+f.Len(), room+2*f.Len()+headroom)
		copy(b[room:], f.Bytes())
		f.buf, f.start = b, room
	}
	f.start -= n
	return f.buf[f.start : f.start+n]
}

func (f *Frame) frontHeader(tag byte, n int) {
	putHeader(f.front(headerSize(n)), tag, n)
}

func (f *Frame) frontInteger(n int32) {
	octets := integerSize(int64(n))
	b := f.front(2 + octets)
	b[0], b[1] = tagInteger, byte(octets)
	putBig(b[2:], uint32(n))
}

func (f *Frame) frontOctets(b []byte) {
	copy(f.front(len(b)), b)
	f.frontHeader(tagOctets, len(b))
}
