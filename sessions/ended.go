package sessions

import (
	"net/netip"
	"time"

	"aaasess/internal/radius"
	"aaasess/sessions/silence"
)

// endedSessions remembers ended sessions, so that their late packets are recognised (R24). It has
// each in the format of codec.go, and finds it by NAS and Acct-Session-Id.
type endedSessions struct {
	keepFor time.Duration
	max     int
	byID    map[ID]endedSession
	names   nameIndex
	routes  *routes  // of the table
	order   []expiry // oldest first
}

// endedSession is a remembered session.
type endedSession struct {
	data    string     // as appendEnded wrote it
	endedAt Stamp      // its Session.LastTraffic
	nodes   []*nasNode // of the NAS values that it has had
	sidHash uint64     // sidHash of its Acct-Session-Id
}

type expiry struct {
	id      ID
	expires Stamp
	endedAt Stamp // Session.LastTraffic; it differs if the id was used again meanwhile
}

// get decodes a remembered session; nil if there is none.
func (e *endedSessions) get(id ID) *Session {
	ended, ok := e.byID[id]
	if !ok {
		return nil
	}
	s, err := parseSession(id, []byte(ended.data), nil, e.routes)
	if err != nil {
		return nil // impossible: we have written it
	}
	s.node = ended.nodes[0]
	s.setFormerNodes(ended.nodes[1:])
	s.NAS = &s.node.NAS
	return s.Session
}

// add remembers an ended session. sid is its Acct-Session-Id, data its encoding.
func (e *endedSessions) add(s *Session, sid, data string) {
	was, known := e.byID[s.ID]
	e.remove(s.ID)
	ended := endedSession{data: data, endedAt: s.LastTraffic, nodes: s.nodes(), sidHash: sidHash(sid)}
	e.byID[s.ID] = ended
	for _, n := range ended.nodes {
		e.names.add(n, ended.sidHash, s.ID)
		n.endedCount++
	}
	if !known || was.endedAt != ended.endedAt {
		e.order = append(e.order, expiry{id: s.ID, expires: s.LastTraffic.Add(e.keepFor), endedAt: s.LastTraffic})
	}
}

// maxOfName is how many sessions of one name are remembered. If a NAS gives all its sessions the
// same Acct-Session-Id, each packet is compared with this many at most.
const maxOfName = 16

// surplus returns the session to forget because too many have the name of s, or 0.
func (e *endedSessions) surplus(s *Session, sid string) ID {
	name := nameHash(s.node.keys[0], sidHash(sid))
	if e.names.count(name) <= maxOfName {
		return 0
	}
	return e.names.first[name] // the oldest
}

// remove forgets a session and returns its nodes.
func (e *endedSessions) remove(id ID) []*nasNode {
	ended := e.byID[id]
	delete(e.byID, id)
	for _, n := range ended.nodes {
		e.names.remove(n, ended.sidHash, id)
		n.endedCount--
	}
	return ended.nodes
}

// nextExpired returns a session that need not be remembered any longer, or 0.
func (e *endedSessions) nextExpired(now Stamp) ID {
	for len(e.order) > 0 && (e.order[0].expires <= now || len(e.byID) > e.max) {
		f := e.order[0]
		e.order = e.order[1:]
		if ended, ok := e.byID[f.id]; ok && ended.endedAt == f.endedAt {
			return f.id
		}
	}
	return 0
}

// maxEnded is the largest size of a remembered session in octets, without [Admission].Upstream, which
// its late packets must have.
const maxEnded = 250

// appendEnded appends what is remembered of an ended session: its identity, its usage, its Class and
// the id of its call. If that is too long, the least important parts are left out first.
func appendEnded(b []byte, s *Session) []byte {
	trimmed := *s
	trimmed.State, trimmed.Silence = Ended, silence.Record{}
	trimmed.setEnd(nil)
	trimmed.dropLink()
	all := s.fingerprints.all()
	for i, p := range all {
		if p.sum != 0 && p.attrs != 0 {
			all[i] = p.combined()
		}
	}
	trimmed.fingerprints = all.compact()
	cut := trimming{sid: s.AcctSessionID(), level: 0}
	for ; ; cut.level++ {
		cut.trim(&trimmed)
		trimmed.Attrs, trimmed.Admission = cut.attrs(s.Attrs), cut.admission(s.Admission)
		out := appendSession(b, &trimmed)
		if len(out)-len(b) <= s.mostEnded() || cut.level == smallestLevel {
			return out
		}
	}
}

// mostEnded returns how many octets are remembered of a session at most.
func (s *Session) mostEnded() int {
	if s.Admission == nil || s.Admission.Upstream == "" {
		return maxEnded
	}
	return maxEnded + len(s.Admission.Upstream) + 2
}

// trimming says how much of a session is left out.
type trimming struct {
	sid   string
	level int
}

const (
	smallLevel    = 7 // suffices unless every number has its longest encoding
	smallestLevel = 8
)

// trim leaves out parts that are not attributes.
func (r *trimming) trim(s *Session) {
	switch r.level {
	case 3:
		r.sid = shortened(r.sid)
	case 4:
		s.setFormerNodes(nil)
		nas := *s.NAS
		nas.Local = netip.Addr{}
		s.NAS = &nas
	case 6:
		if nas := *s.NAS; len(nas.Identifier) > 32 {
			nas.Identifier = ""
			s.NAS = &nas
		}
	case smallLevel:
		all := s.fingerprints.all()
		clear(all[firstOtherSlot:])
		s.fingerprints = all.compact()
	case smallestLevel:
		nas := *s.NAS
		nas.Identifier = ""
		s.NAS = &nas
	}
}

// attrs returns the attributes that stay. Session.NAS has the identifiers of the NAS.
func (r *trimming) attrs(all radius.Attributes) radius.Attributes {
	b := radius.AppendAttribute(nil, radius.AcctSessionID, r.sid)
	for t, v := range all.All() {
		switch t {
		case radius.UserName, radius.CallingStationID:
			if r.level >= 5 && len(v) > 32 || r.level >= smallLevel {
				continue
			}
		case radius.Class, radius.FramedIPAddress:
			if r.level >= 2 {
				continue
			}
		case radius.AcctMultiSessionID:
			if r.level >= 1 {
				continue
			}
		default:
			continue
		}
		b = radius.AppendAttribute(b, t, v)
	}
	return radius.Attributes(b)
}

// admission returns what stays of what authentication has said: of the Access-Accept what each record
// of the session carries.
func (r *trimming) admission(a *Admission) *Admission {
	if a == nil {
		return nil
	}
	kept := Admission{Upstream: a.Upstream}
	if r.level < 2 {
		var b []byte
		for t, v := range a.Granted.All() {
			if identifiesUser(t) {
				b = radius.AppendAttribute(b, t, v)
			}
		}
		kept.Granted = radius.Attributes(b)
	}
	if kept == (Admission{}) {
		return nil
	}
	return &kept
}

// shortened returns s, or the beginning of a long s and a hash.
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
