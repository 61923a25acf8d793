package accounting

import "time"

// onOff is the life of a group's Accounting-On/Off: a value without clock, timer or socket, changed
// by stepOnOff only. What is sent, a sequence of rounds, follows from its fields.
type onOff struct {
	retry time.Duration // from the end of a round of the On to the next one; it does not change

	state      OnOffState
	sessionID  string
	changed    time.Time
	trigger    Trigger
	server     string
	cause      uint32    // of the Off
	at         time.Time // when what is sent was asked for; the same in all its rounds
	noResponse bool      // nobody answered in a whole round of this On

	gen     uint64    // of the newest round; what is heard of older ones does not count
	sending bool      // the newest round is not over
	next    time.Time // when the next round begins if none is under way; zero: never
}

// onOffEventKind is what may happen to an onOff.
type onOffEventKind uint8

const (
	evOn         onOffEventKind = iota // an Accounting-On is asked for
	evForceOn                          // even if it was answered
	evOff                              // an Accounting-Off is asked for
	evForceOff                         // even if it was answered
	evAnswered                         // a server answered the round
	evUnanswered                       // the round is over, all servers had their chance
	evStopped                          // the round was broken off, which says nothing about the servers
	evFailed                           // the round could not be made
	evElapsed                          // some time has passed
	evRenewed                          // there are other servers to send to
)

// onOffEvent is one of them. Fields that the kind does not name are not looked at.
type onOffEvent struct {
	kind    onOffEventKind
	trigger Trigger // evOn to evForceOff
	id      string  // evOn to evForceOff: for a sequence that begins; never used before
	cause   uint32  // evOff, evForceOff; 0: the trigger's
	gen     uint64  // evAnswered to evFailed: of which round
	server  string  // evAnswered
}

// onOffEffects is what a step wants done.
type onOffEffects struct {
	send bool  // send the record to the servers, as round gen
	err  error // tell who asked
}

// onOffMove is what an event does in a state.
type onOffMove func(m onOff, ev onOffEvent, now time.Time) (onOff, onOffEffects)

// onOffMoves are the transitions. What is not there is nothing to do.
var onOffMoves = [...][evRenewed + 1]onOffMove{
	AcctUnknown: {evOn: beginOn, evForceOn: beginOn, evOff: beginOff, evForceOff: beginOff},
	SendAcctOn: {
		evOn: hurryRound, evForceOn: beginOn, evOff: beginOff, evForceOff: beginOff,
		evAnswered: acknowledge, evUnanswered: awaitRound, evStopped: resumeLater, evFailed: resumeLater,
		evElapsed: nextRound, evRenewed: renewRound,
	},
	AcctOn: {evOn: refuse, evForceOn: beginOn, evOff: beginOff, evForceOff: beginOff},
	SendAcctOff: {
		evOn: beginOn, evForceOn: beginOn, evOff: hurryRound, evForceOff: beginOff,
		// A round that was broken off was not the one attempt that an Off has.
		evAnswered: acknowledge, evUnanswered: giveUp, evStopped: resumeLater, evFailed: giveUp,
		evElapsed: nextRound, evRenewed: renewRound,
	},
	AcctOff:   {evOn: beginOn, evForceOn: beginOn, evOff: refuse, evForceOff: beginOff},
	OffNoResp: {evOn: beginOn, evForceOn: beginOn, evOff: beginOff, evForceOff: beginOff},
}

// stepOnOff is what becomes of m when ev happens.
func stepOnOff(m onOff, ev onOffEvent, now time.Time) (onOff, onOffEffects) {
	switch ev.kind {
	case evAnswered, evUnanswered, evStopped, evFailed:
		if !m.sending || ev.gen != m.gen {
			return m, onOffEffects{}
		}
		m.sending = false
	case evElapsed:
		if m.next.IsZero() || now.Before(m.next) {
			return m, onOffEffects{}
		}
	}
	move := onOffMoves[m.state][ev.kind]
	if move == nil {
		return m, onOffEffects{}
	}
	return move(m, ev, now)
}

// enter makes the state another one; what was awaited is so no more.
func (m onOff) enter(s OnOffState, now time.Time) onOff {
	if m.state != s {
		m.changed = now
	}
	m.state, m.next = s, time.Time{}
	return m
}

// beginOn begins a new On/Off sequence, which has an id of its own.
func beginOn(m onOff, ev onOffEvent, now time.Time) (onOff, onOffEffects) {
	m = m.enter(SendAcctOn, now)
	m.sessionID, m.trigger, m.cause = ev.id, ev.trigger, 0
	m.server, m.at, m.noResponse = "", now, false
	return nextRound(m, ev, now)
}

// beginOff sends the Off of the On before it, and ends the rounds of that.
func beginOff(m onOff, ev onOffEvent, now time.Time) (onOff, onOffEffects) {
	m = m.enter(SendAcctOff, now)
	if m.sessionID == "" {
		m.sessionID = ev.id
	}
	m.trigger, m.cause = ev.trigger, ev.cause
	if m.cause == 0 {
		m.cause = ev.trigger.cause()
	}
	m.server, m.at, m.noResponse = "", now, false
	return nextRound(m, ev, now)
}

// nextRound sends the same again.
func nextRound(m onOff, _ onOffEvent, _ time.Time) (onOff, onOffEffects) {
	m.gen++
	m.sending, m.next = true, time.Time{}
	return m, onOffEffects{send: true}
}

// renewRound sends the same to other servers, of whom nobody has had a chance to answer yet.
func renewRound(m onOff, ev onOffEvent, now time.Time) (onOff, onOffEffects) {
	m.noResponse = false
	return nextRound(m, ev, now)
}

// hurryRound ends the wait for the next round: it was asked for again.
func hurryRound(m onOff, ev onOffEvent, now time.Time) (onOff, onOffEffects) {
	if m.sending {
		return m, onOffEffects{}
	}
	return nextRound(m, ev, now)
}

// acknowledge is what an answer does.
func acknowledge(m onOff, ev onOffEvent, now time.Time) (onOff, onOffEffects) {
	to := AcctOn
	if m.state == SendAcctOff {
		to = AcctOff
	}
	m = m.enter(to, now)
	m.server, m.noResponse = ev.server, false
	return m, onOffEffects{}
}

// awaitRound waits for the next round after one that nobody answered.
func awaitRound(m onOff, ev onOffEvent, now time.Time) (onOff, onOffEffects) {
	m.noResponse = true
	return resumeLater(m, ev, now)
}

func resumeLater(m onOff, _ onOffEvent, now time.Time) (onOff, onOffEffects) {
	m.next = now.Add(m.retry)
	return m, onOffEffects{}
}

// giveUp ends an Off that nobody answered: it is attempted once.
func giveUp(m onOff, _ onOffEvent, now time.Time) (onOff, onOffEffects) {
	return m.enter(OffNoResp, now), onOffEffects{}
}

func refuse(m onOff, _ onOffEvent, _ time.Time) (onOff, onOffEffects) {
	return m, onOffEffects{err: ErrAcknowledged}
}

// block is whether records must wait, if oper-state-change says that they do so at all.
func (m onOff) block(operStateChange bool) Block {
	return Block{Blocked: operStateChange && m.state != AcctOn, NoResponse: m.noResponse}
}
