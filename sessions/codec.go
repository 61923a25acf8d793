package sessions

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
)

// Durable state, all numbers as varints unless drawn otherwise:
//
//	key "c":          version 1 | last id | HighWater | Total | Disconnected
//	key "s" id(4 BE): version 1 | Kind State StartSeen (1 octet each)
//	                  | IfIndex PortIfIndex EventStamp | Started Heard Data (8 BE each)
//	                  | Usage: 4 counters, SessionTime | NAS address, NAS name, attributes (length, octets)
//
// The NAS address is none, 4 or 16 octets, and behind 16 the zone's name, if there is one.
// An ended session keeps of its attributes only Acct-Session-Id, by which late packets are known.
const codecVersion = 1

var countersKey = []byte("c")

func sessionKey(id ID) []byte {
	return binary.BigEndian.AppendUint32([]byte("s"), uint32(id))
}

func parseSessionKey(key []byte) (ID, bool) {
	if len(key) != 5 || key[0] != 's' {
		return 0, false
	}
	id := ID(binary.BigEndian.Uint32(key[1:]))
	return id, id != 0
}

func appendCounters(b []byte, last ID, c Counters) []byte {
	b = append(b, codecVersion)
	b = binary.AppendUvarint(b, uint64(last))
	b = binary.AppendUvarint(b, uint64(c.HighWater))
	b = binary.AppendUvarint(b, c.Total)
	return binary.AppendUvarint(b, c.Disconnected)
}

func parseCounters(b []byte) (last ID, c Counters, err error) {
	d := decoder{rest: b}
	d.version()
	last = ID(d.uint32())
	c = Counters{HighWater: d.uint32(), Total: d.uvarint(), Disconnected: d.uvarint()}
	return last, c, d.end("counters")
}

func appendSession(b []byte, s *Session) []byte {
	b = append(b, codecVersion, byte(s.Kind), byte(s.State), 0)
	if s.StartSeen {
		b[len(b)-1] = 1
	}
	for _, n := range [...]uint32{s.IfIndex, s.PortIfIndex, s.EventStamp} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, t := range [...]time.Duration{s.Started, s.Heard, s.Data} {
		b = binary.BigEndian.AppendUint64(b, uint64(t))
	}
	u := &s.Usage
	for _, n := range [...]uint64{u.InputOctets, u.OutputOctets, u.InputPackets, u.OutputPackets, uint64(u.SessionTime)} {
		b = binary.AppendUvarint(b, n)
	}
	attrs := s.Attrs
	if s.State == Ended {
		attrs = Attributes(AppendAttribute(nil, AcctSessionID, s.AcctSessionID))
	}
	addr, _ := s.NAS.Addr.MarshalBinary() // it has no error
	b = appendText(b, string(addr))
	b = appendText(b, s.NAS.Identifier)
	return appendText(b, string(attrs))
}

// parseSession reads what appendSession wrote. A session whose NAS is as this one, if any, gets it.
func parseSession(id ID, b []byte, as *NAS) (*Session, error) {
	d := decoder{rest: b}
	d.version()
	s := &Session{ID: id, Kind: Kind(d.octet()), State: State(d.octet()), StartSeen: d.octet() == 1}
	s.IfIndex, s.PortIfIndex, s.EventStamp = d.uint32(), d.uint32(), d.uint32()
	s.Started, s.Heard, s.Data = d.duration(), d.duration(), d.duration()
	s.Usage = Usage{
		InputOctets: d.uvarint(), OutputOctets: d.uvarint(),
		InputPackets: d.uvarint(), OutputPackets: d.uvarint(), SessionTime: d.uint32(),
	}
	var addr netip.Addr
	err := addr.UnmarshalBinary(d.take(d.uvarint()))
	nas := d.take(d.uvarint())
	if as != nil && as.Addr == addr && as.Identifier == string(nas) {
		s.NAS = as
	} else {
		s.NAS = &NAS{Addr: addr, Identifier: string(nas)}
	}
	s.setAttrs(Attributes(d.text()))
	d.bad = d.bad || err != nil || !s.Attrs.Valid() || s.AcctSessionID == "" ||
		s.Kind < Network || s.Kind > Connection || s.State < Active || s.State > Ended
	if err := d.end("session"); err != nil {
		return s, fmt.Errorf("%w, of %s", err, id)
	}
	return s, nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decoder reads what the append functions wrote; after the first error it gives zeros.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) take(n uint64) []byte {
	if d.bad || n > uint64(len(d.rest)) {
		d.bad = true
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) octet() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) version() { d.bad = d.octet() != codecVersion || d.bad }

func (d *decoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.bad = true
		return 0
	}
	d.take(uint64(size))
	return n
}

func (d *decoder) uint32() uint32 {
	n := d.uvarint()
	d.bad = d.bad || n > 1<<32-1
	return uint32(n)
}

func (d *decoder) duration() time.Duration {
	if b := d.take(8); b != nil {
		return time.Duration(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (d *decoder) text() string { return string(d.take(d.uvarint())) }

func (d *decoder) end(what string) error {
	if d.bad || len(d.rest) > 0 {
		return fmt.Errorf("%w: %s: %d octets left", ErrState, what, len(d.rest))
	}
	return nil
}
