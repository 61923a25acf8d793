package sessions

import (
	"encoding/binary"
	"time"

	"aaasess/internal/radius"
)

// fingerprint identifies copies of a packet (R24): packets with the same fingerprint are copies of
// each other. It is a hash, so it is small.
type fingerprint struct {
	// sum is a hash of the type, Event-Timestamp, Acct-Session-Time and counters, and of the
	// attributes that a session does not keep. An absent value is not the same as zero.
	sum uint64
	// attrs is a hash of all attributes, in any order. If sum is equal too, it is the same packet.
	attrs uint32
	// at is when the packet was heard, in seconds since 1970 on the table's clock. It is 0 if the
	// packet has a time of its own and is not a start.
	at uint32
}

// fingerprints are those of a session: of its start, its stop, and the last four other packets. A
// session that has had only a start keeps one, and no room for the others, which would be 80 octets.
type fingerprints struct {
	start fingerprint
	// later are those of the stop and the last four other packets, newest first; nil if there are
	// none. It never changes, because states of the session share it.
	later *[5]fingerprint
}

// allFingerprints has a place for each fingerprint, in the order of the codec. In a place that is
// not used, sum is 0.
type allFingerprints [6]fingerprint

const (
	startSlot = iota
	stopSlot
	firstOtherSlot
)

func (fs *fingerprints) all() (all allFingerprints) {
	all[startSlot] = fs.start
	if fs.later != nil {
		copy(all[stopSlot:], fs.later[:])
	}
	return all
}

func (all *allFingerprints) compact() fingerprints {
	fs := fingerprints{start: all[startSlot]}
	if later := [5]fingerprint(all[stopSlot:]); later != ([5]fingerprint{}) {
		fs.later = new(later)
	}
	return fs
}

// copyWithin limits how long after a packet its copy can arrive, if it has no Event-Timestamp and
// no Acct-Session-Time. After that the NAS has given up, and the packet is a new one.
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

// fingerprintOf returns the fingerprint of an event.
func fingerprintOf(ev *Event) fingerprint {
	sum := fnvNumber(fnvBasis, uint64(ev.Type)|uint64(ev.Sent)<<8|uint64(ev.EventTimestamp)<<16)
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
		hash := attributeHash(t, v)
		p.attrs += uint32(hash ^ hash>>32)
		if t == radius.VendorSpecific || t == radius.AcctTerminateCause {
			p.sum += hash
		}
	}
	return p
}

func attributeHash(t radius.Type, v string) uint64 { return fnv(fnvNumber(fnvBasis, uint64(t)), v) }

// timestampHash is the part of fingerprint.attrs that comes from an Event-Timestamp.
func timestampHash(timestamp uint32) uint32 {
	var v [4]byte
	binary.BigEndian.PutUint32(v[:], timestamp)
	hash := attributeHash(radius.EventTimestamp, string(v[:]))
	return uint32(hash ^ hash>>32)
}

// combined returns a fingerprint that matches only a packet with exactly the same attributes. An
// ended session keeps only this, because it has no attributes to compare.
func (f fingerprint) combined() fingerprint {
	return fingerprint{sum: f.sum ^ uint64(f.attrs)*fnvPrime, at: f.at}
}

// add keeps the fingerprint of a packet. A second start is kept among the last four others.
func (fs *fingerprints) add(ev *Event) {
	all := fs.all()
	switch {
	case ev.Type == Start && all[startSlot].sum == 0:
		all[startSlot] = ev.fingerprint
	case ev.Type == Stop:
		all[stopSlot] = ev.fingerprint
	default:
		copy(all[firstOtherSlot+1:], all[firstOtherSlot:])
		all[firstOtherSlot] = ev.fingerprint
	}
	*fs = all.compact()
}

// isCopy reports whether an event is a copy of one that the session has already (R24 (b)).
func (s *Session) isCopy(ev *Event) bool {
	for _, p := range s.fingerprints.all() { // sum includes the type
		if p.sum == 0 || !ev.hasTime() && !p.isWithin(ev, copyWithin) {
			continue
		}
		if p.sum == ev.fingerprint.combined().sum || p.sum == ev.fingerprint.sum && (p.attrs == ev.fingerprint.attrs || s.hasAll(ev.Attrs)) {
			return true
		}
	}
	return false
}

// hasTime reports whether an event has a time of its own: an Event-Timestamp or a session time.
func (ev *Event) hasTime() bool { return ev.EventTimestamp != 0 || ev.Sent&SessionTime != 0 }

// isWithin reports whether a packet was heard at most d before an event.
func (f fingerprint) isWithin(ev *Event, d time.Duration) bool {
	return f.at != 0 && ev.now.Sub(stampOfSeconds(f.at)) <= d+time.Second
}

// hasAll reports whether the session has all values of attrs that a session keeps.
func (s *Session) hasAll(attrs radius.Attributes) bool {
	for t, v := range attrs.All() {
		if !isPerPacket(t) && t != radius.VendorSpecific && !s.Attrs.Has(t, v) {
			return false
		}
	}
	return true
}
