package sessions

import (
	"net/netip"
	"time"

	"aaasess/internal/radius"
)

// endings remembers sessions that are over, so that what their NAS still says of them is known for what it is (R24): in
// the octets of codec.go, and found by NAS and Acct-Session-Id.
type endings struct {
	keep   time.Duration
	max    int
	byID   map[ID]ending
	names  names
	routes *routes  // the table's
	order  []forget // oldest first
}

// ending is a session that is over.
type ending struct {
	data  string     // appendEnded's
	at    Stamp      // its Session.LastTraffic
	nodes []*nasNode // of the NAS values that it had
	sid   uint64     // hashOf its Acct-Session-Id
}

type forget struct {
	id   ID
	from Stamp
	at   Stamp // Session.LastTraffic: a number that was used again meanwhile has another
}

// get reads a remembered session; nil if there is none.
func (e *endings) get(id ID) *Session {
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
func (e *endings) add(s *Session, sid, data string) {
	was, known := e.byID[s.ID]
	e.remove(s.ID)
	of := ending{data: data, at: s.LastTraffic, nodes: s.nodes(), sid: hashOf(sid)}
	e.byID[s.ID] = of
	for _, n := range of.nodes {
		e.names.add(n, of.sid, s.ID)
		n.over++
	}
	if !known || was.at != of.at {
		e.order = append(e.order, forget{id: s.ID, from: s.LastTraffic.Add(e.keep), at: s.LastTraffic})
	}
}

// maxOfName is how many sessions of one name are remembered: a NAS that gives one Acct-Session-Id to all its sessions must not
// have each of its packets compared with all of them.
const maxOfName = 16

// surplus is a session that is forgotten because there are too many of its name, 0 if there are not.
func (e *endings) surplus(s *Session, sid string) ID {
	name := nameOf(s.node.keys[0], hashOf(sid))
	if e.names.count(name) <= maxOfName {
		return 0
	}
	return e.names.first[name] // the one that has been there longest
}

// remove forgets a session, and returns the nodes that it had.
func (e *endings) remove(id ID) []*nasNode {
	of := e.byID[id]
	delete(e.byID, id)
	for _, n := range of.nodes {
		e.names.drop(n, of.sid, id)
		n.over--
	}
	return of.nodes
}

// expired is one session that need not be remembered any longer, 0 if there is none.
func (e *endings) expired(now Stamp) ID {
	for len(e.order) > 0 && (e.order[0].from <= now || len(e.byID) > e.max) {
		f := e.order[0]
		e.order = e.order[1:]
		if of, ok := e.byID[f.id]; ok && of.at == f.at {
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
	for i, p := range over.prints {
		if p.sum != 0 && p.all != 0 {
			over.prints[i] = p.whole()
		}
	}
	of := remembered{sid: s.AcctSessionID, least: 0}
	for ; ; of.least++ {
		of.trim(&over)
		over.Attrs = of.attrs(s.Attrs)
		out := appendSession(b, &over)
		if len(out)-len(b) <= maxEnded || of.least == leastOfAll {
			return out
		}
	}
}

// remembered says what of a session is left out.
type remembered struct {
	sid   string
	least int
}

const (
	least      = 6 // enough, unless each number is as long as it can be
	leastOfAll = 7
)

// trim leaves out what is no attribute.
func (r *remembered) trim(s *Session) {
	switch r.least {
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
	case least:
		clear(s.prints[otherPrints:])
	case leastOfAll:
		nas := *s.NAS
		nas.Identifier = ""
		s.NAS = &nas
	}
}

// attrs is the attributes that stay. The identifiers of the NAS are no part of them: they are in Session.NAS.
func (r *remembered) attrs(all radius.Attributes) radius.Attributes {
	b := radius.AppendAttribute(nil, radius.AcctSessionID, r.sid)
	for t, v := range all.All() {
		switch t {
		case radius.UserName, radius.CallingStationID:
			if r.least >= 4 && len(v) > 32 || r.least >= least {
				continue
			}
		case radius.Class, radius.FramedIPAddress:
			if r.least > 0 {
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
