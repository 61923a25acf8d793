package sessions

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"aaasess/internal/cursor"
	"aaasess/internal/radius"
	"aaasess/sessions/silence"
)

// Durable state. Numbers are varints unless marked otherwise (BE: big-endian). A text has its
// length in front.
//
//	key "c":           version 3 | last id (or the end of the block of numbers.go)
//	                   | HighWater | Total | Disconnected
//	                   | table's clock, host's clock, uptime (8 BE each) | boot (8 BE)
//	key "s" id (4 BE): version 3 or 4 | Kind State flags Counted (1 octet each)
//	                   | in version 4: more flags (1 octet)
//	                   | IfIndex PortIfIndex EventTimestamp StartTimestamp route (0: nowhere)
//	                   | Started (8 BE) | minus Started, zigzag: LastEvent LastTraffic
//	                     and, by their flags, Acked Revived Told
//	                   | by its flag: Parent
//	                   | Usage: 4 counters, SessionTime
//	                   | set of fingerprints (1 octet), of each: sum (8 BE) and,
//	                     unless the session has ended, attrs (4 BE) and at
//	                   | NAS | number of former NASes, each | attributes
//	                   | by their flags: Upstream, Granted (attributes),
//	                     Silence (Heard, then the times to it from Mark, Gap, Interval, and Alike as 1 octet),
//	                     End (PID, ProcessStart | Signal, Event (1 octet each) | Command | OpenVPN),
//	                     Link (host (8 BE) | 1 if shared, else 0 | 4 counters of the session, 4 of the interface)
//	key "r" route (4 BE): version 1 | text
//	key "h":           version 1 | silence.Time
//	key "n" seq (8 BE): version 1 | flags (1 octet) | before (8 BE) | timestamp (4 BE)
//	                   | NAS | Called-Station-Id | number of source addresses, each
//	key "w" parent (4 BE) index (4 BE): version 1 | until when it waits (8 BE)
//	                   | flags (1 octet) | Cause | At (8 BE, nanoseconds since 1970)
//	                   | Lasted (nanoseconds) | the session, as for "s", in a text
//	                   | attributes
//
// A NAS is its source address, local address, NAS-Identifier, IPv4 and IPv6. An address has 0, 4 or
// 16 octets; the name of a zone may follow the 16. The flags of "s" are 1 StartSeen, 2 Stopped, 4
// Acked, 8 NASRestarted and 16 Revived; the flag of "n" is 1 sameAddrOnly, that of "w" 1 AfterEnd. In
// the set of fingerprints of an ended session, bit 64 says that at follows each sum.
//
// "More flags" are 1 Reached, 2 Told, 4 Parent, 8 Upstream, 16 Granted, 32 Silence, unless it is
// zero, 64 End, and 128 Link. A session is written in version 4 if one of them is set, else in
// version 3, so an older daemon can read a store that has no such sessions.
//
// Version 2 of "c" is the same; version 1 ends after Disconnected. Version 2 of "s" has no route.
// Version 1 of "s" has one octet for StartSeen in place of the flags; it has no Counted,
// StartTimestamp, fingerprints and former NASes; its three times have 8 octets each, and its NAS is
// the address and a name. All versions are read.
const (
	countersVersion = 3
	plainVersion    = 3 // of a session without more flags
	sessionVersion  = 4
	closingVersion  = 1
	routeVersion    = 1
	waitingVersion  = 1
)

var countersKey = []byte("c")

func sessionKey(id ID) []byte { return appendSessionKey(nil, id) }

func appendSessionKey(b []byte, id ID) []byte {
	return binary.BigEndian.AppendUint32(append(b, 's'), uint32(id))
}

func parseSessionKey(key []byte) (ID, bool) {
	if len(key) != 5 || key[0] != 's' {
		return 0, false
	}
	id := ID(binary.BigEndian.Uint32(key[1:]))
	return id, id != 0
}

func parseClosingKey(key []byte) (seq uint64, ok bool) {
	if len(key) != 9 || key[0] != 'n' {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[1:]), true
}

func appendCounters(b []byte, last ID, c Counters, a anchor) []byte {
	b = append(b, countersVersion)
	b = binary.AppendUvarint(b, uint64(last))
	b = binary.AppendUvarint(b, uint64(c.HighWater))
	b = binary.AppendUvarint(b, c.Total)
	b = binary.AppendUvarint(b, c.Disconnected)
	for _, n := range [...]uint64{uint64(a.table), uint64(a.wall), uint64(a.uptime), a.boot} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func parseCounters(b []byte) (last ID, c Counters, a anchor, err error) {
	d := newDecoder(b)
	version := d.version(countersVersion)
	last = ID(d.Uvarint32())
	c = Counters{HighWater: d.Uvarint32(), Total: d.Uvarint(), Disconnected: d.Uvarint()}
	if version > 1 {
		a = anchor{table: d.stamp(), wall: int64(d.Uint64()), uptime: time.Duration(d.Uint64()), boot: d.Uint64()}
	}
	return last, c, a, d.end("counters")
}

const (
	flagStartSeen = 1 << iota
	flagStopped
	flagAcked
	flagNASRestarted
	flagRevived
)

// The flags that only version 4 has.
const (
	moreReached = 1 << iota
	moreTold
	moreParent
	moreUpstream
	moreGranted
	moreSilence
	moreEnding
	moreLink // the last one that fits into the octet
)

func (s *Session) flags() (f byte) {
	if s.StartSeen {
		f |= flagStartSeen
	}
	if s.Stopped {
		f |= flagStopped
	}
	if !s.Acked().IsZero() {
		f |= flagAcked
	}
	if s.NASRestarted {
		f |= flagNASRestarted
	}
	if !s.Revived().IsZero() {
		f |= flagRevived
	}
	return f
}

func (s *Session) moreFlags() (f byte) {
	if !s.Told().IsZero() {
		f |= moreTold
	}
	if s.Reached {
		f |= moreReached
	}
	if s.Parent() != 0 {
		f |= moreParent
	}
	if a := s.Admission; a != nil {
		if a.Upstream != "" {
			f |= moreUpstream
		}
		if a.Granted != "" {
			f |= moreGranted
		}
	}
	if s.Silence != (silence.Record{}) {
		f |= moreSilence
	}
	if s.End() != nil {
		f |= moreEnding
	}
	if s.HasLink() {
		f |= moreLink
	}
	return f
}

// encode is appendSession into a buffer of a suitable size.
func (s *Session) encode() []byte {
	return appendSession(make([]byte, 0, 192+len(s.Attrs)+len(s.NAS.Identifier)), s)
}

func appendSession(b []byte, s *Session) []byte {
	more := s.moreFlags()
	if more == 0 {
		b = append(b, plainVersion, byte(s.Kind), byte(s.State), s.flags(), byte(s.Counted))
	} else {
		b = append(b, sessionVersion, byte(s.Kind), byte(s.State), s.flags(), byte(s.Counted), more)
	}
	for _, n := range [...]uint32{s.IfIndex(), s.PortIfIndex(), s.EventTimestamp, s.StartTimestamp, s.Route.id()} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = binary.BigEndian.AppendUint64(b, uint64(s.Started))
	b = binary.AppendVarint(b, int64(s.LastEvent.Sub(s.Started)))
	b = binary.AppendVarint(b, int64(s.ActiveAt().Sub(s.Started)))
	if !s.Acked().IsZero() {
		b = binary.AppendVarint(b, int64(s.Acked().Sub(s.Started)))
	}
	if !s.Revived().IsZero() {
		b = binary.AppendVarint(b, int64(s.Revived().Sub(s.Started)))
	}
	if more&moreTold != 0 {
		b = binary.AppendVarint(b, int64(s.Told().Sub(s.Started)))
	}
	if more&moreParent != 0 {
		b = binary.AppendUvarint(b, uint64(s.Parent()))
	}
	u := &s.Usage
	for _, n := range [...]uint64{u.InputOctets, u.OutputOctets, u.InputPackets, u.OutputPackets, uint64(u.SessionTime)} {
		b = binary.AppendUvarint(b, n)
	}
	b = appendFingerprints(b, s.fingerprints.all(), s.State == Ended)
	b = appendNAS(b, s.NAS)
	b = binary.AppendUvarint(b, uint64(len(s.formerNodes())))
	for _, n := range s.formerNodes() {
		b = appendNAS(b, &n.NAS)
	}
	b = appendText(b, string(s.Attrs))
	if more&moreUpstream != 0 {
		b = appendText(b, s.Admission.Upstream)
	}
	if more&moreGranted != 0 {
		b = appendText(b, string(s.Admission.Granted))
	}
	if more&moreSilence != 0 {
		b = appendSilence(b, &s.Silence)
	}
	if more&moreEnding != 0 {
		b = appendEnding(b, s.End())
	}
	if more&moreLink != 0 {
		b = appendLink(b, s.link())
	}
	return b
}

// flagTimed is set in the set of fingerprints of an ended session if at follows each sum.
const flagTimed = 1 << 6

func appendFingerprints(b []byte, ps allFingerprints, ended bool) []byte {
	at := len(b)
	b = append(b, 0)
	for i, p := range ps {
		if p.sum == 0 {
			continue
		}
		b[at] |= 1 << i
		if ended && p.at != 0 {
			b[at] |= flagTimed
		}
	}
	for _, p := range ps {
		if p.sum == 0 {
			continue
		}
		b = binary.BigEndian.AppendUint64(b, p.sum)
		if !ended {
			b = binary.BigEndian.AppendUint32(b, p.attrs)
		}
		if !ended || b[at]&flagTimed != 0 {
			b = binary.AppendUvarint(b, uint64(p.at))
		}
	}
	return b
}

func (d *decoder) fingerprints(ended bool) fingerprints {
	var ps allFingerprints
	which := d.Octet()
	for i := range ps {
		if which>>i&1 == 0 {
			continue
		}
		p := fingerprint{sum: d.Uint64()}
		if !ended {
			p.attrs = d.Uint32()
		}
		if !ended || which&flagTimed != 0 {
			p.at = d.Uvarint32()
		}
		d.Require(p.sum != 0)
		ps[i] = p
	}
	d.Require(which&^(flagTimed|(1<<len(ps)-1)) == 0 && (ended || which&flagTimed == 0))
	return ps.compact()
}

func appendNAS(b []byte, n *NAS) []byte {
	for _, a := range [...]netip.Addr{n.Addr, n.Local} {
		b = appendAddr(b, a)
	}
	b = appendText(b, n.Identifier)
	for _, a := range [...]netip.Addr{n.IPv4, n.IPv6} {
		b = appendAddr(b, a)
	}
	return b
}

func appendAddr(b []byte, a netip.Addr) []byte {
	switch {
	case !a.IsValid():
		return append(b, 0)
	case a.Is4():
		four := a.As4()
		return append(append(b, 4), four[:]...)
	}
	sixteen := a.As16()
	b = binary.AppendUvarint(b, uint64(16+len(a.Zone())))
	b = append(b, sixteen[:]...)
	return append(b, a.Zone()...)
}

func (d *decoder) nas() NAS {
	return NAS{Addr: d.addr(), Local: d.addr(), Identifier: d.text(), IPv4: d.addr(), IPv6: d.addr()}
}

func (d *decoder) addr() (a netip.Addr) {
	d.Require(a.UnmarshalBinary(d.Octets(d.Uvarint())) == nil)
	return a
}

// stored is a session as it was read.
type stored struct {
	*Session
	former       []NAS  // its former NAS values
	data         string // the octets of an ended session
	beforeRoutes bool   // its version is older than routes
}

// parseSession reads what appendSession wrote. The session's NAS is one of shared.
func parseSession(id ID, b []byte, shared *sharedNASes, routes *routes) (stored, error) {
	d := newDecoder(b)
	version := d.version(sessionVersion)
	s := &Session{ID: id, Kind: Kind(d.Octet()), State: State(d.Octet())}
	flags, more := d.Octet(), byte(0)
	s.StartSeen, s.Stopped = flags&flagStartSeen != 0, flags&flagStopped != 0
	s.NASRestarted = flags&flagNASRestarted != 0
	if version == 1 {
		s.setIfIndexes(d.Uvarint32(), d.Uvarint32())
		s.EventTimestamp = d.Uvarint32()
		s.Started, s.LastEvent, s.LastTraffic = d.stamp(), d.stamp(), d.stamp()
	} else {
		s.Counted = UsageFields(d.Octet())
		if version > plainVersion {
			more = d.Octet()
		}
		s.setIfIndexes(d.Uvarint32(), d.Uvarint32())
		s.EventTimestamp, s.StartTimestamp = d.Uvarint32(), d.Uvarint32()
		if version > 2 {
			s.Route = routes.byStoredNumber(d.Uvarint32())
		}
		s.Started = d.stamp()
		s.LastEvent, s.LastTraffic = d.stampFrom(s.Started), d.stampFrom(s.Started)
		d.rareStamps(flags, more, s)
		s.Reached = more&moreReached != 0
		if more&moreParent != 0 {
			s.SetParent(ID(d.Uvarint32()))
			d.Require(s.Parent() != 0)
		}
	}
	s.Usage = Usage{
		InputOctets: d.Uvarint(), OutputOctets: d.Uvarint(),
		InputPackets: d.Uvarint(), OutputPackets: d.Uvarint(), SessionTime: d.Uvarint32(),
	}
	var former []NAS
	if version == 1 {
		d.parseVersion1(s)
	} else {
		s.fingerprints = d.fingerprints(s.State == Ended)
		former = d.nases(s, shared)
		attrs := radius.Attributes(d.text())
		s.Admission = d.admission(more)
		s.Silence = d.silence(more)
		s.setEnd(d.ending(more))
		d.link(more, s)
		s.setAttrs(attrs)
	}
	d.Require(s.Attrs.Valid() && s.AcctSessionID() != "" && s.Counted <= WholeUsage &&
		flags < flagRevived<<1 &&
		s.Kind >= Network && s.Kind <= VRRS && (!s.Reached || s.Kind == Resource) && s.State >= Active && s.State <= Ended)
	if err := d.end("session"); err != nil {
		return stored{}, fmt.Errorf("%w (id %s)", err, id)
	}
	return stored{Session: s, former: former, beforeRoutes: version < 3}, nil
}

// nases reads the NAS values of a session: the newest, which is one of shared, and the former ones.
func (d *decoder) nases(s *Session, shared *sharedNASes) (former []NAS) {
	s.NAS = shared.read(d)
	n := d.Uvarint()
	for d.Require(n <= maxFormer); n > 0 && d.OK(); n-- {
		former = append(former, d.nas())
	}
	return former
}

// parseVersion1 reads the rest of a session of version 1, and derives what was not stored then.
func (d *decoder) parseVersion1(s *Session) {
	s.NAS = &NAS{Addr: d.addr(), Identifier: d.text()}
	s.setAttrs(radius.Attributes(d.text()))
	if a, err := netip.ParseAddr(s.NAS.Identifier); err == nil && s.Attrs.Text(radius.NASIdentifier) == "" {
		// The name is the NAS-IP-Address or NAS-IPv6-Address.
		if s.NAS.Identifier = ""; a.Is4() {
			s.NAS.IPv4 = a
		} else {
			s.NAS.IPv6 = a
		}
	}
	if v := s.Attrs.Text(radius.NASIPAddress); len(v) == 4 && v != "\x00\x00\x00\x00" {
		s.NAS.IPv4 = netip.AddrFrom4([4]byte([]byte(v)))
	}
	if v := s.Attrs.Text(radius.NASIPv6Address); len(v) == 16 && !netip.AddrFrom16([16]byte([]byte(v))).IsUnspecified() {
		s.NAS.IPv6 = netip.AddrFrom16([16]byte([]byte(v)))
	}
	for i, n := range s.Usage.counters() {
		if *n != 0 {
			s.Counted |= 1 << i
		}
	}
	if s.Usage.SessionTime != 0 {
		s.Counted |= SessionTime
	}
	s.Stopped = s.State == Ended // not stored in version 1, but mostly true
}

func appendClosing(b []byte, m *closing) []byte {
	b = append(b, closingVersion, 0)
	if m.sameAddrOnly {
		b[len(b)-1] = 1
	}
	b = binary.BigEndian.AppendUint64(b, uint64(m.before))
	b = binary.BigEndian.AppendUint32(b, m.timestamp)
	b = appendNAS(b, &m.nas)
	b = appendText(b, m.called)
	b = binary.AppendUvarint(b, uint64(len(m.addrs)))
	for _, a := range m.addrs {
		b = appendAddr(b, a)
	}
	return b
}

func parseClosing(seq uint64, b []byte) (*closing, error) {
	d := newDecoder(b)
	d.Require(d.Octet() == closingVersion)
	own := d.Octet()
	d.Require(own <= 1)
	m := &closing{seq: seq, sameAddrOnly: own == 1, before: d.stamp(), timestamp: d.Uint32(), nas: d.nas(), called: d.text()}
	for n := d.Uvarint(); n > 0 && d.OK(); n-- {
		m.addrs = append(m.addrs, d.addr())
	}
	return m, d.end("Accounting-On or -Off")
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decoder reads what the append functions wrote. After the first error it returns zeros.
type decoder struct{ cursor.Cursor[[]byte] }

func newDecoder(b []byte) decoder { return decoder{cursor.New(b)} }

func (d *decoder) version(newest byte) byte {
	v := d.Octet()
	d.Require(v >= 1 && v <= newest)
	return v
}

func (d *decoder) stamp() Stamp { return Stamp(d.Uint64()) }

// stampFrom reads a Stamp that is stored relative to another.
func (d *decoder) stampFrom(started Stamp) Stamp { return started.Add(time.Duration(d.Varint())) }

// stampIf reads a Stamp that is there only if a flag is set.
func (d *decoder) stampIf(flagged bool, started Stamp) (at Stamp) {
	if flagged {
		at = d.stampFrom(started)
		d.Require(!at.IsZero())
	}
	return at
}

func (d *decoder) text() string { return string(d.Octets(d.Uvarint())) }

func (d *decoder) end(what string) error {
	switch {
	case !d.OK():
		return fmt.Errorf("%w: %s: cannot be decoded", ErrState, what)
	case len(d.Rest()) > 0:
		return fmt.Errorf("%w: %s: %d octets too many", ErrState, what, len(d.Rest()))
	}
	return nil
}
