package sessions

import (
	"net/netip"
	"time"

	"aaasess/internal/radius"
)

// endings remembers sessions that are over, so that what their NAS still says of them is known for what it is (R24): in
// the octets of codec.go, and found by NAS and Acct-Session-Id.
type endedSessions struct {
	keepFor time.Duration
	max     int
	byID    map[ID]endedSession
	names   nameIndex
	routes  *routes  // the table's
	order   []expiry // oldest first
}

// ending is a session that is over.
type endedSession struct {
	data    string     // appendEnded's
	endedAt Stamp      // its Session.LastTraffic
	nodes   []*nasNode // of the NAS values that it had
	sidHash uint64     // hashOf its Acct-Session-Id
}

type expiry struct {
	id      ID
	expires Stamp
	endedAt Stamp // Session.LastTraffic: a number that was used again meanwhile has another
}

// get reads a remembered session; nil if there is none.
func (e *endedSessions) get(id ID) *Session {
	of, ok := e.byID[id]
	if !ok {
		return nil
	}
	s, err := parseSession(id, []byte(of.data), nil, e.routes)
	if err != nil {
		return nil // we have made it
	}
	s.node, s.Session.former = of.nodes[0], of.nodes[1:]
	s.NAS = &s.node.NAS
	return s.Session
}

// add remembers an ended session by its octets; sid is its Acct-Session-Id.
func (e *endedSessions) add(s *Session, sid, data string) {
	was, known := e.byID[s.ID]
	e.remove(s.ID)
	of := endedSession{data: data, endedAt: s.LastTraffic, nodes: s.nodes(), sidHash: sidHash(sid)}
	e.byID[s.ID] = of
	for _, n := range of.nodes {
		e.names.add(n, of.sidHash, s.ID)
		n.endedCount++
	}
	if !known || was.endedAt != of.endedAt {
		e.order = append(e.order, expiry{id: s.ID, expires: s.LastTraffic.Add(e.keepFor), endedAt: s.LastTraffic})
	}
}

// maxOfName is how many sessions of one name are remembered: a NAS that gives one Acct-Session-Id to all its sessions must not
// have each of its packets compared with all of them.
const maxOfName = 16

// surplus is a session that is forgotten because there are too many of its name, 0 if there are not.
func (e *endedSessions) surplus(s *Session, sid string) ID {
	name := nameHash(s.node.keys[0], sidHash(sid))
	if e.names.count(name) <= maxOfName {
		return 0
	}
	return e.names.first[name] // the one that has been there longest
}

// remove forgets a session, and returns the nodes that it had.
func (e *endedSessions) remove(id ID) []*nasNode {
	of := e.byID[id]
	delete(e.byID, id)
	for _, n := range of.nodes {
		e.names.remove(n, of.sidHash, id)
		n.endedCount--
	}
	return of.nodes
}

// expired is one session that need not be remembered any longer, 0 if there is none.
func (e *endedSessions) nextExpired(now Stamp) ID {
	for len(e.order) > 0 && (e.order[0].expires <= now || len(e.byID) > e.max) {
		f := e.order[0]
		e.order = e.order[1:]
		if of, ok := e.byID[f.id]; ok && of.endedAt == f.endedAt {
			return f.id
		}
	}
	return 0
}

// maxEnded is how many octets a session that is over takes at most.
const maxEnded = 250

// appendEnded appends what is remembered of a session that is over: who it was, how far it had come and its Class. What
// does not fit is left out, what matters least first.
func appendEnded(b []byte, s *Session) []byte {
	over := *s
	over.State = Ended
	for i, p := range over.fingerprints {
		if p.sum != 0 && p.attrs != 0 {
			over.fingerprints[i] = p.combined()
		}
	}
	of := trimming{sid: s.AcctSessionID, level: 0}
	for ; ; of.level++ {
		of.trim(&over)
		over.Attrs = of.attrs(s.Attrs)
		out := appendSession(b, &over)
		if len(out)-len(b) <= maxEnded || of.level == smallestLevel {
			return out
		}
	}
}

// remembered says what of a session is left out.
type trimming struct {
	sid   string
	level int
}

const (
	smallLevel    = 6 // enough, unless each number is as long as it can be
	smallestLevel = 7
)

// trim leaves out what is no attribute.
func (r *trimming) trim(s *Session) {
	switch r.level {
	case 2:
		r.sid = shortened(r.sid)
	case 3:
		s.former = nil
		nas := *s.NAS
		nas.Local = netip.Addr{}
		s.NAS = &nas
	case 5:
		if nas := *s.NAS; len(nas.Identifier) > 32 {
			nas.Identifier = ""
			s.NAS = &nas
		}
	case smallLevel:
		clear(s.fingerprints[firstOtherSlot:])
	case smallestLevel:
		nas := *s.NAS
		nas.Identifier = ""
		s.NAS = &nas
	}
}

// attrs is the attributes that stay. The identifiers of the NAS are no part of them: they are in Session.NAS.
func (r *trimming) attrs(all radius.Attributes) radius.Attributes {
	b := radius.AppendAttribute(nil, radius.AcctSessionID, r.sid)
	for t, v := range all.All() {
		switch t {
		case radius.UserName, radius.CallingStationID:
			if r.level >= 4 && len(v) > 32 || r.level >= smallLevel {
				continue
			}
		case radius.Class, radius.FramedIPAddress:
			if r.level > 0 {
				continue
			}
		default:
			continue
		}
		b = radius.AppendAttribute(b, t, v)
	}
	return radius.Attributes(b)
}

// shortened is a text, or of a long one its beginning and a hash.
func shortened(s string) string {
	if len(s) <= 24 {
		return s
	}
	var short [24]byte
	const digits = "0123456789abcdef"
	copy(short[:8], s)
	for i, sum := 23, fnv(fnvBasis, s); i >= 8; i, sum = i-1, sum>>4 {
		short[i] = digits[sum&15]
	}
	return string(short[:])
}
