package sessions

import (
	"encoding/binary"
	"time"

	"aaasess/internal/radius"
)

// print is what a copy of a packet is told by (R24): two packets with one print are copies of each other. It is a hash, so that
// it is small.
type fingerprint struct {
	// sum is of the type, Event-Timestamp, Acct-Session-Time and counters, absent ones told from zero, and of the
	// attributes that a session does not keep.
	sum uint64
	// all is of all attributes in any order: with the same sum, the same packet.
	attrs uint32
	// at is when the packet was heard, seconds since 1970 on the table's clock; of one that has a time of its own 0,
	// unless it is a start.
	at uint32
}

// prints are those of the packets that a copy may be of: the start, the stop, and the last four others, newest first.
type fingerprints [6]fingerprint

const (
	startSlot = iota
	stopSlot
	firstOtherSlot
)

// copyWithin is how long a packet with neither Event-Timestamp nor Acct-Session-Time can be a copy of another: after that
// the NAS has given up, and says something new that looks the same.
const copyWithin = time.Minute

const (
	fnvBasis = 14695981039346656037 // FNV-1a, 64 bits
	fnvPrime = 1099511628211
)

func fnv(sum uint64, s string) uint64 {
	for i := range len(s) {
		sum = (sum ^ uint64(s[i])) * fnvPrime
	}
	return sum
}

func fnvNumber(sum, n uint64) uint64 {
	for range 8 {
		sum = (sum ^ n&0xff) * fnvPrime
		n >>= 8
	}
	return sum
}

// printOf is the print of an event.
func fingerprintOf(ev *Event) fingerprint {
	sum := fnvNumber(fnvBasis, uint64(ev.Type)|uint64(ev.Sent)<<8|uint64(ev.EventStamp)<<16)
	for i, n := range ev.Usage.counters() {
		if ev.Sent>>i&1 != 0 {
			sum = fnvNumber(sum, *n)
		}
	}
	if ev.Sent&SessionTime != 0 {
		sum = fnvNumber(sum, uint64(ev.Usage.SessionTime))
	}
	p := fingerprint{sum: sum}
	if ev.Type == Start || !ev.hasTime() {
		p.at = ev.now.seconds()
	}
	for t, v := range ev.Attrs.All() {
		of := attributeHash(t, v)
		p.attrs += uint32(of ^ of>>32)
		if t == radius.VendorSpecific || t == radius.AcctTerminateCause {
			p.sum += of
		}
	}
	return p
}

func attributeHash(t radius.Type, v string) uint64 { return fnv(fnvNumber(fnvBasis, uint64(t)), v) }

// stampPrint is the part of print.all that an Event-Timestamp is.
func stampHash(stamp uint32) uint32 {
	var v [4]byte
	binary.BigEndian.PutUint32(v[:], stamp)
	of := attributeHash(radius.EventTimestamp, string(v[:]))
	return uint32(of ^ of>>32)
}

// whole is a print that takes a packet for a copy only if it has the very same attributes. A session that is over keeps no
// more of a print: it has no attributes to compare.
func (p fingerprint) combined() fingerprint {
	return fingerprint{sum: p.sum ^ uint64(p.attrs)*fnvPrime, at: p.at}
}

// take keeps the print of a packet. A start that comes again, with something new, is one of the others.
func (p *fingerprints) add(ev *Event) {
	switch {
	case ev.Type == Start && p[startSlot].sum == 0:
		p[startSlot] = ev.fingerprint
	case ev.Type == Stop:
		p[stopSlot] = ev.fingerprint
	default:
		copy(p[firstOtherSlot+1:], p[firstOtherSlot:])
		p[firstOtherSlot] = ev.fingerprint
	}
}

// isCopy reports whether an event is a copy of one that the session has had (R24 (b)).
func (s *Session) isCopy(ev *Event) bool {
	for _, p := range s.fingerprints { // whose sums tell the types apart
		if p.sum == 0 || !ev.hasTime() && !p.isWithin(ev, copyWithin) {
			continue
		}
		if p.sum == ev.fingerprint.combined().sum || p.sum == ev.fingerprint.sum && (p.attrs == ev.fingerprint.attrs || s.hasAll(ev.Attrs)) {
			return true
		}
	}
	return false
}

// hasTime reports whether an event has a time of its own.
func (ev *Event) hasTime() bool { return ev.EventStamp != 0 || ev.Sent&SessionTime != 0 }

// within reports whether a packet was heard no longer than a time before an event.
func (p fingerprint) isWithin(ev *Event, d time.Duration) bool {
	return p.at != 0 && ev.now.Sub(stampOfSeconds(p.at)) <= d+time.Second
}

// knows reports whether the session has all values of these attributes that a session keeps.
func (s *Session) hasAll(attrs radius.Attributes) bool {
	for t, v := range attrs.All() {
		if !isPerPacket(t) && t != radius.VendorSpecific && !s.Attrs.Has(t, v) {
			return false
		}
	}
	return true
}
