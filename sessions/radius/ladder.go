package radius

import (
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// rung is one of the requests by which a NAS may know a session.
type rung uint8

const (
	first  rung = iota // the client's own list, or the default profile
	full               // all that identifies a session
	fewest             // Acct-Session-Id and User-Name
	rungs
)

// String is for the log.
func (r rung) String() string {
	return [...]string{"first", "all that is known", "Acct-Session-Id and User-Name"}[r]
}

// stamping is whether requests carry Event-Timestamp, if their profile has it.
type stamping uint8

const (
	stamped  stamping = iota
	omitting          // silence met the last request; this one is without
	omitted           // the one without was answered: so are all that follow
	needed            // nor was the one without answered: never again
)

// ladder is how far the requests for one session have come (R33): each step is made once, also over several
// attempts. A NAS that refuses a request may have an answer to one that tells more, or less.
//
//	answer         next request
//	402, 503       full, if it was not asked yet
//	401, 403       fewest, if it was not asked yet; so with 402, 404 and 407 of full
//	silence        the same without Event-Timestamp, once
//	anything else  none in this attempt
//
// It is a value: step gives the ladder after an answer.
type ladder struct {
	at       rung
	stamping stamping
	entered  [rungs]bool
	unknown  [rungs]bool // answered with 503
	refused  bool        // full was answered with 401, 402, 404 or 407
	proven   bool        // the NAS takes Event-Timestamp and Message-Authenticator: it has understood a request with them
	best     rung        // what later attempts ask: the newest that was best understood
	rank     uint8       // of best: 0 no answer, 1 refused for what is in it, 2 understood

	// Of the profile and the session, as they are at this attempt.
	extras bool // first has Event-Timestamp or Message-Authenticator
	timed  bool // first has Event-Timestamp
	all    bool // first tells all that full does
	bare   bool // first tells no more than fewest does
}

// String is for the log: what the next request tells.
func (l ladder) String() string {
	if l.stamping == omitting || l.stamping == omitted {
		return l.at.String() + ", no Event-Timestamp"
	}
	return l.at.String()
}

// fit looks at what there is to tell of a session beyond a client's profile, at the begin of an attempt.
func (l ladder) fit(p profile, s *sessions.Session) ladder {
	l.timed = p.has(radius.EventTimestamp)
	l.extras = l.timed || p.has(radius.MessageAuthenticator)
	l.all, l.bare = p.tells(p.all(), s), minimalProfile.tells(p, s)
	return l
}

// profile is what the next request carries. Event-Timestamp and Message-Authenticator are in it only if
// they are in the client's profile; fewest has them only for a NAS that is known to take them.
func (l ladder) profile(p profile) profile {
	switch l.at {
	case full:
		p = p.all()
	case fewest:
		if l.proven {
			p = minimalProfile.with(p)
		} else {
			p = minimalProfile
		}
	}
	if l.stamping == omitting || l.stamping == omitted {
		p = p.without(radius.ID{Type: radius.EventTimestamp})
	}
	return p
}

// step is what follows an outcome: another request at once (again), or the end of the attempt with out.
func (l ladder) step(out sessions.Outcome) (_ ladder, _ sessions.Outcome, again bool) {
	if out.Answer == sessions.NoAnswer {
		return l.silence(out)
	}
	if l.stamping == omitting {
		l.stamping = omitted
	}
	l.note(out)
	if out.Answer == sessions.ACK {
		return l, out, false
	}
	isFull := l.at == full || l.at == first && l.all
	if out.ErrorCause == radius.SessionContextNotFound || out.ErrorCause == radius.MissingAttribute {
		if !isFull && !l.entered[full] && !l.all {
			return l.enter(full), out, true
		}
	}
	l.refused = l.refused || isFull && refuses(out.ErrorCause)
	less := out.ErrorCause == radius.UnsupportedAttribute || out.ErrorCause == radius.NASIdentificationMismatch ||
		isFull && refuses(out.ErrorCause)
	if less && l.at != fewest && !l.entered[fewest] && !l.tellsFewest() {
		return l.enter(fewest), out, true
	}
	isFewest := l.at == fewest || l.tellsFewest()
	switch {
	case out.ErrorCause == radius.SessionContextNotFound:
		out.Doubted = !isFull && !l.refused
	case l.refused && isFull && (l.unknown[fewest] || isFewest && l.unknown[first]):
		// The last step that the NAS did not refuse got 503.
		out = sessions.Outcome{Answer: sessions.NAK, ErrorCause: radius.SessionContextNotFound}
	}
	l.at = l.best
	return l, out, false
}

// silence is step for a request that was not answered, or not sent.
func (l ladder) silence(out sessions.Outcome) (ladder, sessions.Outcome, bool) {
	switch {
	case out.Err != nil:
	case l.stamping == omitting:
		l.stamping = needed
	case l.stamping == stamped && l.timed && (l.at != fewest || l.proven):
		l.stamping = omitting
		return l, out, true
	}
	return l, out, false
}

func (l ladder) enter(r rung) ladder {
	l.at = r
	l.entered[r] = true
	return l
}

// note keeps what an answer tells about the request.
func (l *ladder) note(out sessions.Outcome) {
	rank := uint8(2)
	if out.ErrorCause/100 == 4 {
		rank = 1
	}
	if rank >= l.rank {
		l.best, l.rank = l.at, rank
	}
	l.unknown[l.at] = l.unknown[l.at] || out.ErrorCause == radius.SessionContextNotFound
	l.proven = l.proven || rank == 2 && l.extras && l.at != fewest
}

// tellsFewest says that first is no other request than fewest.
func (l ladder) tellsFewest() bool { return l.bare && (!l.extras || l.proven) }

// refuses says that a NAS cannot use a request for what is in it or is missing.
func refuses(c radius.ErrorCause) bool {
	switch c {
	case radius.UnsupportedAttribute, radius.MissingAttribute, radius.InvalidRequest, radius.InvalidAttributeValue:
		return true
	}
	return false
}
