package dae

import (
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

// rung is one choice of attributes for a Disconnect-Request.
type rung uint8

const (
	first  rung = iota // the client's own list, or that of its profile
	full               // all attributes that identify a session
	fewest             // Acct-Session-Id and User-Name
	rungs
)

// String names the rung as docs/disconnect.md does, for the log.
func (r rung) String() string { return [...]string{"first", "all known", "fewest"}[r] }

// timestampUse says whether requests carry Event-Timestamp, if their profile has it.
type timestampUse uint8

const (
	timestampSent     timestampUse = iota
	timestampTryOmit               // a request got no answer; the current one omits Event-Timestamp
	timestampOmitted               // the NAS answered without Event-Timestamp: omit it from now on
	timestampRequired              // the NAS did not answer without it either: always send it
)

// ladder is the progress of the requests for one session (R33). Each step is made once, even over
// several attempts. A NAS that refuses one request may accept another with more or fewer
// attributes.
//
//	answer         next request
//	402, 503       full, unless it was sent before
//	401, 403       fewest, unless it was sent before; also after 402, 404 or 407 to full
//	silence        the same without Event-Timestamp, once; fewest has none at first: the same with
//	               Event-Timestamp and Message-Authenticator, once (hostapd ignores what is not signed)
//	anything else  none in this attempt
//
// A ladder is a value: step returns the ladder after an answer.
type ladder struct {
	current       rung
	timestamp     timestampUse
	entered       [rungs]bool
	unknown       [rungs]bool // rungs answered with 503
	refused       bool        // the NAS answered full with 401, 402, 404 or 407
	acceptsExtras bool        // the NAS has understood a request with hasExtras
	triesExtras   bool        // the current request is fewest with hasExtras, because it was ignored without
	triedExtras   bool
	// best is the rung that later attempts start with: the latest of those that the NAS understood
	// best.
	best rung
	rank uint8 // of best: 0 no answer, 1 refused because of its contents, 2 understood

	// Properties of the profile and the session in this attempt.
	hasExtras      bool // first has Event-Timestamp or Message-Authenticator
	hasTimestamp   bool // first has Event-Timestamp
	firstIsFull    bool // first carries everything that full does
	firstIsMinimal bool // first carries nothing that fewest does not
}

// String describes the next request for the log.
func (l ladder) String() string {
	if l.timestamp == timestampTryOmit || l.timestamp == timestampOmitted {
		return l.current.String() + ", no Event-Timestamp"
	}
	if l.triesExtras {
		return l.current.String() + ", signed"
	}
	return l.current.String()
}

// prepare sets the properties of the profile and the session at the start of an attempt.
func (l ladder) prepare(p profile, s *sessions.Session) ladder {
	l.hasTimestamp = p.has(radius.EventTimestamp)
	l.hasExtras = l.hasTimestamp || p.has(radius.MessageAuthenticator)
	l.firstIsFull, l.firstIsMinimal = p.covers(p.expand(), s), minimalProfile.covers(p, s)
	return l
}

// profile returns the attributes of the next request. It has Event-Timestamp and
// Message-Authenticator only if the client's profile p has them; fewest also requires that the NAS
// is known to accept them.
func (l ladder) profile(p profile) profile {
	switch l.current {
	case full:
		p = p.expand()
	case fewest:
		if l.acceptsExtras {
			p = minimalProfile.with(p)
		} else {
			p = minimalProfile
		}
	}
	if l.timestamp == timestampTryOmit || l.timestamp == timestampOmitted {
		p = p.without(radius.ID{Type: radius.EventTimestamp})
	}
	return p
}

// step returns what follows an outcome: another request at once (again), or the end of the attempt
// with the returned outcome.
func (l ladder) step(out termination.Outcome) (_ ladder, _ termination.Outcome, again bool) {
	if out.Answer == termination.NoAnswer {
		return l.noAnswer(out)
	}
	if l.timestamp == timestampTryOmit {
		l.timestamp = timestampOmitted
	}
	if l.triesExtras {
		l.triesExtras, l.acceptsExtras = false, out.ErrorCause != radius.UnsupportedAttribute
	}
	l.record(out)
	if out.Answer == termination.ACK {
		return l, out, false
	}
	isFull := l.current == full || l.current == first && l.firstIsFull
	if out.ErrorCause == radius.SessionContextNotFound || out.ErrorCause == radius.MissingAttribute {
		if !isFull && !l.entered[full] && !l.firstIsFull {
			return l.enter(full), out, true
		}
	}
	l.refused = l.refused || isFull && rejectsContents(out.ErrorCause)
	less := out.ErrorCause == radius.UnsupportedAttribute || out.ErrorCause == radius.NASIdentificationMismatch ||
		isFull && rejectsContents(out.ErrorCause)
	if less && l.current != fewest && !l.entered[fewest] && !l.firstIsFewest() {
		return l.enter(fewest), out, true
	}
	isFewest := l.current == fewest || l.firstIsFewest()
	switch {
	case out.ErrorCause == radius.SessionContextNotFound:
		out.Inconclusive = !isFull && !l.refused
	case l.refused && isFull && (l.unknown[fewest] || isFewest && l.unknown[first]):
		// The last request that the NAS did not refuse got 503.
		out = termination.Outcome{Answer: termination.NAK, ErrorCause: radius.SessionContextNotFound}
	}
	l.current = l.best
	return l, out, false
}

// noAnswer is step for a request that was not answered or not sent.
func (l ladder) noAnswer(out termination.Outcome) (ladder, termination.Outcome, bool) {
	switch {
	case out.Err != nil:
	case l.triesExtras:
		l.triesExtras, l.acceptsExtras = false, false
	case l.current == fewest && l.hasExtras && !l.acceptsExtras && !l.triedExtras:
		l.triesExtras, l.triedExtras, l.acceptsExtras = true, true, true
		return l, out, true
	case l.timestamp == timestampTryOmit:
		l.timestamp = timestampRequired
	case l.timestamp == timestampSent && l.hasTimestamp && (l.current != fewest || l.acceptsExtras):
		l.timestamp = timestampTryOmit
		return l, out, true
	}
	return l, out, false
}

func (l ladder) enter(r rung) ladder {
	l.current = r
	l.entered[r] = true
	return l
}

// record remembers what an answer says about the request.
func (l *ladder) record(out termination.Outcome) {
	rank := uint8(2)
	if out.ErrorCause/100 == 4 {
		rank = 1
	}
	if rank >= l.rank {
		l.best, l.rank = l.current, rank
	}
	l.unknown[l.current] = l.unknown[l.current] || out.ErrorCause == radius.SessionContextNotFound
	l.acceptsExtras = l.acceptsExtras || rank == 2 && l.hasExtras && l.current != fewest
}

// firstIsFewest reports whether first is the same request as fewest.
func (l ladder) firstIsFewest() bool { return l.firstIsMinimal && (!l.hasExtras || l.acceptsExtras) }

// rejectsContents reports whether a NAS rejected a request because of an attribute in it or missing
// from it.
func rejectsContents(c radius.ErrorCause) bool {
	switch c {
	case radius.UnsupportedAttribute, radius.MissingAttribute, radius.InvalidRequest, radius.InvalidAttributeValue:
		return true
	}
	return false
}
