package agentx

import (
	"github.com/posteo/go-agentx/pdu"

	"aaasess/mib"
)

// bulkLimit is the payload at which a GetBulk is answered with fewer repetitions than asked: one
// PDU may ask for 65,535 of each of a hundred thousand ranges.
const bulkLimit = 64 << 10

// appendResponse begins the answer to h; seal must follow.
func appendResponse(out []byte, h *Header) []byte {
	r := Header{
		Type: pdu.TypeResponse, Flags: h.Flags & pdu.FlagNetworkByteOrder,
		SessionID: h.SessionID, TransactionID: h.TransactionID, PacketID: h.PacketID,
	}
	out = r.append(out)
	return append(out, 0, 0, 0, 0, 0, 0, 0, 0) // sysUpTime is the master's affair
}

// seal writes the payload length of the Response that begins at start.
func seal(out []byte, start int, o byteOrder) []byte {
	o.putUint32(out[start+16:], uint32(len(out)-start-HeaderSize))
	return out
}

// appendStatus appends a Response without VarBinds: an error, or noError where nothing is asked for.
func appendStatus(out []byte, h *Header, code pdu.Error, index int) []byte {
	start := len(out)
	out = appendResponse(out, h)
	o := h.order()
	o.putUint16(out[start+HeaderSize+4:], uint16(code))
	o.putUint16(out[start+HeaderSize+6:], uint16(index))
	return seal(out, start, o)
}

// tooBig reports whether the Response that begins at start has grown over what we send.
func tooBig(out []byte, start int) bool { return len(out)-start-HeaderSize > MaxPayload }

// released ends a request for reading: the pinned state and the last row's text are let go.
func (m *machine) released() {
	m.reader.Release()
	m.vb.Value.Str = ""
}

// appendGet answers m.get with one VarBind for each range: with fewer, snmpd keeps the session's
// requests for ever, with more it makes a genErr of them.
func (m *machine) appendGet(out []byte, h *Header) []byte {
	start, o := len(out), h.order()
	out = appendResponse(out, h)
	defer m.released()
	for i := range m.get.Ranges {
		m.vb.Name = append(m.vb.Name[:0], m.get.Ranges[i].Start...)
		m.reader.Get(m.vb.Name, &m.vb.Value)
		if out = o.appendVarbind(out, &m.vb); tooBig(out, start) {
			return appendStatus(out[:start], h, pdu.Error(mib.GenErr), i+1)
		}
	}
	return seal(out, start, o)
}

// appendNext answers m.next, likewise.
func (m *machine) appendNext(out []byte, h *Header) []byte {
	start, o := len(out), h.order()
	out = appendResponse(out, h)
	defer m.released()
	for i := range m.next.Ranges {
		m.first(&m.next.Ranges[i])
		if out = o.appendVarbind(out, &m.vb); tooBig(out, start) {
			return appendStatus(out[:start], h, pdu.Error(mib.GenErr), i+1)
		}
	}
	return seal(out, start, o)
}

// first puts the first variable of a range into m.vb.
func (m *machine) first(r *SearchRange) {
	m.reader.Next(mib.OID(r.Start), r.Include, mib.OID(r.End), &m.vb)
}

// appendBulk answers m.bulk (RFC 2741 section 7.2.3.3): the non-repeaters, then repetition after repetition,
// until all repeaters are at their end or the answer is large.
func (m *machine) appendBulk(out []byte, h *Header) []byte {
	start, o := len(out), h.order()
	out = appendResponse(out, h)
	defer m.released()
	single := min(int(m.bulk.NonRepeaters), len(m.bulk.Ranges))
	for i := range m.bulk.Ranges[:single] {
		m.first(&m.bulk.Ranges[i])
		if out = o.appendVarbind(out, &m.vb); tooBig(out, start) {
			return appendStatus(out[:start], h, pdu.Error(mib.GenErr), i+1)
		}
	}
	repeaters := m.bulk.Ranges[single:]
	for n := 0; n < int(m.bulk.MaxRepetitions) && len(out)-start < bulkLimit; n++ {
		ended := true
		for i := range repeaters {
			r := &repeaters[i]
			m.first(r)
			if out = o.appendVarbind(out, &m.vb); tooBig(out, start) {
				return appendStatus(out[:start], h, pdu.Error(mib.GenErr), single+i+1)
			}
			ended = ended && m.vb.Value.Type == mib.EndOfMibView
			r.Start, r.Include = append(r.Start[:0], m.vb.Name...), false
		}
		if ended {
			break
		}
	}
	return seal(out, start, o)
}
