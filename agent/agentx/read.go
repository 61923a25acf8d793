package agentx

import (
	"github.com/posteo/go-agentx/pdu"

	"aaasess/mib"
)

// bulkLimit is the payload size at which a GetBulk is answered with fewer repetitions than
// requested: one PDU may request 65,535 repetitions of a hundred thousand ranges.
const bulkLimit = 64 << 10

// appendResponse starts the answer to h; setLength must follow.
func appendResponse(out []byte, h *Header) []byte {
	r := Header{
		Type: pdu.TypeResponse, Flags: h.Flags & pdu.FlagNetworkByteOrder,
		SessionID: h.SessionID, TransactionID: h.TransactionID, PacketID: h.PacketID,
	}
	out = r.append(out)
	return append(out, 0, 0, 0, 0, 0, 0, 0, 0) // only the master knows sysUpTime
}

// setLength writes the payload length of the Response that begins at start.
func setLength(out []byte, start int, o byteOrder) []byte {
	o.putUint32(out[start+16:], uint32(len(out)-start-HeaderSize))
	return out
}

// appendStatus appends a Response without VarBinds: an error, or noError for a PDU without ranges.
func appendStatus(out []byte, h *Header, code pdu.Error, index int) []byte {
	start := len(out)
	out = appendResponse(out, h)
	o := h.order()
	o.putUint16(out[start+HeaderSize+4:], uint16(code))
	o.putUint16(out[start+HeaderSize+6:], uint16(index))
	return setLength(out, start, o)
}

// tooBig reports whether the Response that begins at start exceeds MaxPayload.
func tooBig(out []byte, start int) bool { return len(out)-start-HeaderSize > MaxPayload }

// releaseReader ends a read request: it releases the pinned state and the text of the last row.
func (m *machine) releaseReader() {
	m.reader.Release()
	m.vb.Value.Str = ""
}

// appendGet answers m.get with exactly one VarBind for each range. With fewer, snmpd keeps the
// session's requests forever; with more, it returns genErr.
func (m *machine) appendGet(out []byte, h *Header) []byte {
	start, o := len(out), h.order()
	out = appendResponse(out, h)
	defer m.releaseReader()
	for i := range m.get.Ranges {
		m.vb.Name = append(m.vb.Name[:0], m.get.Ranges[i].Start...)
		m.reader.Get(m.vb.Name, &m.vb.Value)
		if out = o.appendVarbind(out, &m.vb); tooBig(out, start) {
			return appendStatus(out[:start], h, pdu.Error(mib.GenErr), i+1)
		}
	}
	return setLength(out, start, o)
}

// appendNext answers m.next, with exactly one VarBind for each range.
func (m *machine) appendNext(out []byte, h *Header) []byte {
	start, o := len(out), h.order()
	out = appendResponse(out, h)
	defer m.releaseReader()
	for i := range m.next.Ranges {
		m.first(&m.next.Ranges[i])
		if out = o.appendVarbind(out, &m.vb); tooBig(out, start) {
			return appendStatus(out[:start], h, pdu.Error(mib.GenErr), i+1)
		}
	}
	return setLength(out, start, o)
}

// first reads the first variable of a range into m.vb.
func (m *machine) first(r *SearchRange) {
	m.reader.Next(mib.OID(r.Start), r.Include, mib.OID(r.End), &m.vb)
}

// appendBulk answers m.bulk (RFC 2741 section 7.2.3.3): the non-repeaters, then one repetition
// after the other, until all repeaters have ended or the answer is large.
func (m *machine) appendBulk(out []byte, h *Header) []byte {
	start, o := len(out), h.order()
	out = appendResponse(out, h)
	defer m.releaseReader()
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
	return setLength(out, start, o)
}
