package admission

import (
	"hash/maphash"

	"aaasess/sessions"
)

// index finds logins by what they say of the user and the line. A login has one link for each. Links
// with the same hash are a chain, the newest first. The caller must compare what it finds.
type index struct {
	seed   maphash.Seed
	chains map[uint64]*link
}

type link struct {
	login        *login
	hash         uint64
	newer, older *link
}

// aspect is what a login is found by, the surest first. A call is found without its user.
type aspect byte

const (
	bySession aspect = iota
	byStation
	byPort
	byPortID
	byUser
	aspects
)

// maxChain is how many logins of one chain are looked at: thousands of users may be "anonymous" on
// port 0. Of those, only their stations tell one from another.
const maxChain = 1024

func newIndex() index { return index{seed: maphash.MakeSeed(), chains: map[uint64]*link{}} }

// hash returns the hash of an aspect for one of the user's names; ok is false if w does not have it.
func (x *index) hash(w *who, a aspect, user string) (sum uint64, ok bool) {
	if w.call || a == bySession {
		user = ""
	} else if user == "" {
		return 0, false
	}
	if !w.has(a) {
		return 0, false
	}
	v := ""
	switch a {
	case bySession:
		v = w.sid
	case byStation:
		v = w.station
	case byPort:
		v = w.port
	case byPortID:
		v = w.portID
	}
	const multiplier = 0x9e3779b97f4a7c15 // so that exchanged or equal texts do not cancel out
	sum = maphash.String(x.seed, v) + multiplier*(maphash.String(x.seed, user)^uint64(a))
	if w.call {
		sum = ^sum
	}
	return sum, true
}

// maxLinks is how many links a login has at most.
const maxLinks = 8

// hashes returns all hashes of a login, each once. A login with an Acct-Session-Id has only that, because
// each session has one, and both must be equal (see matches); but users' requests look for calls.
func (x *index) hashes(l *login) (sums [maxLinks]uint64, n int) {
	for a := range aspects {
		if a != bySession && l.sid != "" && !l.call {
			break
		}
		if sum, ok := x.hash(&l.who, a, l.user); ok {
			sums[n] = sum
			n++
		}
		if a == bySession || l.also == "" || l.also == l.user || l.call {
			continue
		}
		if sum, ok := x.hash(&l.who, a, l.also); ok && n < maxLinks {
			sums[n] = sum
			n++
		}
	}
	return sums, n
}

// add enters a login as the newest of its chains.
func (x *index) add(l *login) {
	sums, n := x.hashes(l)
	l.links = make([]link, n) // links must not move
	for i := range l.links {
		k := &l.links[i]
		*k = link{login: l, hash: sums[i], older: x.chains[sums[i]]}
		if k.older != nil {
			k.older.newer = k
		}
		x.chains[k.hash] = k
	}
}

// remove undoes add.
func (x *index) remove(l *login) {
	for i := range l.links {
		k := &l.links[i]
		if k.older != nil {
			k.older.newer = k.newer
		}
		switch {
		case k.newer != nil:
			k.newer.older = k.older
		case k.older != nil:
			x.chains[k.hash] = k.older
		default:
			delete(x.chains, k.hash)
		}
	}
	l.links = nil
}

// same returns the login that a request is a round or a copy of, or nil.
func (x *index) same(w *who) *login {
	for a := range aspects {
		sum, ok := x.hash(w, a, w.user)
		if !ok {
			continue
		}
		n := 0
		for k := x.chains[sum]; k != nil && n < maxChain; k, n = k.older, n+1 {
			// Without a line, a second user of the same name looks like the first.
			if l := k.login; l.isSame(w) && (!l.accepted || l.hasLine()) {
				return l
			}
		}
		return nil // all of its links are in chains of the same aspects
	}
	return nil
}

// find returns the login of a session that begins with an event, or nil: by the first aspect that finds
// one. If only the user's name tells, and several logins have it, they are marked as ambiguous, unless
// all were granted the same.
func (x *index) find(ev *sessions.Event, w *who) (found *login, ambiguous bool) {
	for a := range aspects {
		sum, ok := x.hash(w, a, w.user)
		if !ok {
			continue
		}
		n, first := 0, (*login)(nil)
		for k := x.chains[sum]; k != nil && n < maxChain; k, n = k.older, n+1 {
			l := k.login
			if !l.fits(ev, w, a) {
				continue
			}
			if a != byUser {
				return l, false
			}
			switch {
			case first == nil:
				first = l
			case !l.accepted || !first.accepted || l.granted != first.granted:
				ambiguous, first.ambiguous, l.ambiguous = true, true, true
			}
		}
		if first != nil && !first.ambiguous && n < maxChain {
			found = first
		}
	}
	return found, ambiguous
}

// fits reports whether a login may be that of the session that an event begins, by an aspect that both
// have. Both are of the same client entry and at the same NAS (R25).
func (l *login) fits(ev *sessions.Event, w *who, by aspect) bool {
	return ev.IsFromClient(l.nas.Addr) && l.matches(w, by)
}

// matches compares the NAS, the user and the line of a login with those of a session. A NAS that sends
// an Acct-Session-Id in an Access-Request uses it in the session's accounting too (RFC 2866 section
// 5.5), so a user's login that has one matches only by that.
func (l *login) matches(w *who, by aspect) bool {
	if _, same := w.nas.Matches(&l.nas); !same || l.call != w.call {
		return false
	}
	sameUser := l.call || w.user != "" && l.isUser(w.user)
	if by != bySession && l.sid != "" && !l.call {
		return false
	}
	switch by {
	case bySession:
		// A NAS that has restarted may use the id for another user.
		return l.sid == w.sid && (sameUser || w.user == "" || w.station != "" && l.station == w.station)
	case byStation:
		return sameUser && l.station == w.station
	case byPort:
		sameUser = sameUser && l.port == w.port
	case byPortID:
		sameUser = sameUser && l.portID == w.portID
	case byUser:
		sameUser = sameUser && !differ(l.port, w.port) && !differ(l.portID, w.portID)
	}
	if l.call {
		return sameUser && !differ(l.sid, w.sid)
	}
	return sameUser && !differ(l.station, w.station)
}

// has reports whether w has what an aspect compares.
func (w *who) has(a aspect) bool {
	switch a {
	case bySession:
		return w.sid != ""
	case byStation:
		return w.station != "" && !w.call
	case byPort:
		return w.port != ""
	case byPortID:
		return w.portID != ""
	}
	return !w.call
}
