package admission

import "aaasess/sessions"

// same returns the login that a request is a round or a copy of, or 0.
func (x *logins) same(w *who) ref {
	for a := range aspects {
		sum, ok := x.hash(w, a, w.user)
		if !ok {
			continue
		}
		n := 0
		for k := x.chains[sum]; k != 0 && n < maxChain; n++ {
			link := x.links.at(k)
			// Without a line, a second user of the same name looks like the first.
			if l := x.whoIs(link.login); l.isSame(w) && (l.hasLine() || !x.kept.at(link.login).accepted) {
				return link.login
			}
			k = link.older
		}
		return 0 // all of its links are in chains of the same aspects
	}
	return 0
}

// find returns the login of a session that begins with an event, or 0: by the first aspect that finds
// one. If only the user's name tells, and several logins have it, they are marked as ambiguous, unless
// all were granted the same.
func (x *logins) find(ev *sessions.Event, w *who) (found ref, ambiguous bool) {
	for a := range aspects {
		sum, ok := x.hash(w, a, w.user)
		if !ok {
			continue
		}
		n, first := 0, ref(0)
		for k := x.chains[sum]; k != 0 && n < maxChain; n++ {
			link := x.links.at(k)
			k = link.older
			if l := x.whoIs(link.login); !l.fits(ev, w, a) {
				continue
			}
			if a != byUser {
				return link.login, false
			}
			if first == 0 {
				first = link.login
			} else if !x.grantedSame(link.login, first) {
				ambiguous = true
				x.kept.at(first).ambiguous, x.kept.at(link.login).ambiguous = true, true
			}
		}
		if first != 0 && !x.kept.at(first).ambiguous && n < maxChain {
			found = first
		}
	}
	return found, ambiguous
}

// grantedSame reports whether two logins are accepted, and were granted the same.
func (x *logins) grantedSame(a, b ref) bool {
	return x.kept.at(a).accepted && x.kept.at(b).accepted && x.granted(a) == x.granted(b)
}

// fits reports whether a login may be that of the session that an event begins, by an aspect that both
// have. Both are of the same client entry and at the same NAS (R25).
func (l *who) fits(ev *sessions.Event, w *who, by aspect) bool {
	return ev.IsFromClient(l.nas.Addr) && l.matches(w, by)
}

// matches compares the NAS, the user and the line of a login with those of a session. A NAS that sends
// an Acct-Session-Id in an Access-Request uses it in the session's accounting too (RFC 2866 section
// 5.5), so a user's login that has one matches only by that.
func (l *who) matches(w *who, by aspect) bool {
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
