package onoff

import "time"

// machine is the life cycle of a group's Accounting-On/Off. It is a value without clock, timer or
// socket, and only step changes it. Its fields determine what is sent, in a sequence of rounds.
type machine struct {
	retry time.Duration // from the end of a round of the On to the next one; constant

	state      State
	sessionID  string
	changed    time.Time
	trigger    Trigger
	server     string
	cause      uint32    // Acct-Terminate-Cause of the Off
	askedAt    time.Time // when the present On or Off was requested; the same in all its rounds
	noResponse bool      // no server answered in a whole round of this On
	refused    bool      // a server got this On and did not accept it

	gen     uint64    // of the newest round; results of older rounds are ignored
	sending bool      // the newest round is in flight
	next    time.Time // when the next round begins if none is in flight; zero: never
}

// eventKind is a kind of event.
type eventKind uint8

const (
	evOn         eventKind = iota // an Accounting-On is requested
	evForceOn                     // even if it was answered
	evOff                         // an Accounting-Off is requested
	evForceOff                    // even if it was answered
	evContinue                    // what an earlier Sender told the servers holds
	evAnswered                    // a server answered the round
	evUnanswered                  // the round ended without an answer from any server
	evStopped                     // the round was stopped, which says nothing about the servers
	evFailed                      // the round could not be sent
	evElapsed                     // some time has passed
)

// event is something that happens to a machine. Fields that do not list its kind are ignored.
type event struct {
	kind    eventKind
	trigger Trigger // evOn to evContinue
	id      string  // evOn to evContinue: id of a new sequence; never used before
	cause   uint32  // evOff, evForceOff; 0: the trigger's cause
	gen     uint64  // evAnswered to evFailed: the round
	server  string  // evAnswered, evContinue
	refused bool    // evUnanswered: a server answered, but did not accept the record
	state   State   // evContinue: On, Off or OffNoResp
}

// effects is what the caller of step must do.
type effects struct {
	send bool  // send the record to the servers, as round gen
	err  error // return to the requester
}

// transition is the effect of an event in a state.
type transition func(m machine, ev event, now time.Time) (machine, effects)

// transitions is the table of the machine. A pair of state and event that it lacks changes nothing.
var transitions = [...][evElapsed + 1]transition{
	Unknown: {evOn: beginOn, evForceOn: beginOn, evOff: beginOff, evForceOff: beginOff, evContinue: continueFrom},
	SendAcctOn: {
		evOn: startRoundNow, evForceOn: beginOn, evOff: beginOff, evForceOff: beginOff,
		evAnswered: acknowledge, evUnanswered: awaitRound, evStopped: scheduleRound, evFailed: scheduleRound,
		evElapsed: nextRound,
	},
	On: {evOn: refuse, evForceOn: beginOn, evOff: beginOff, evForceOff: beginOff},
	SendAcctOff: {
		evOn: beginOn, evForceOn: beginOn, evOff: startRoundNow, evForceOff: beginOff,
		// An Off has only one attempt, and a stopped round does not count as it.
		evAnswered: acknowledge, evUnanswered: giveUp, evStopped: scheduleRound, evFailed: giveUp,
		evElapsed: nextRound,
	},
	Off:       {evOn: beginOn, evForceOn: beginOn, evOff: refuse, evForceOff: beginOff},
	OffNoResp: {evOn: beginOn, evForceOn: beginOn, evOff: beginOff, evForceOff: beginOff},
}

// step returns the machine after an event, and its effects.
func step(m machine, ev event, now time.Time) (machine, effects) {
	switch ev.kind {
	case evAnswered, evUnanswered, evStopped, evFailed:
		if !m.sending || ev.gen != m.gen {
			return m, effects{}
		}
		m.sending = false
	case evElapsed:
		if m.next.IsZero() || now.Before(m.next) {
			return m, effects{}
		}
	}
	transition := transitions[m.state][ev.kind]
	if transition == nil {
		return m, effects{}
	}
	return transition(m, ev, now)
}

// enter changes the state and cancels the next round.
func (m machine) enter(s State, now time.Time) machine {
	if m.state != s {
		m.changed = now
	}
	m.state, m.next = s, time.Time{}
	return m
}

// beginOn begins a new On/Off sequence, with a new id.
func beginOn(m machine, ev event, now time.Time) (machine, effects) {
	m = m.enter(SendAcctOn, now)
	m.sessionID, m.trigger, m.cause = ev.id, ev.trigger, 0
	m.server, m.askedAt, m.noResponse, m.refused = "", now, false, false
	return nextRound(m, ev, now)
}

// continueFrom continues where an earlier Sender ended.
func continueFrom(m machine, ev event, now time.Time) (machine, effects) {
	m = m.enter(ev.state, now)
	m.sessionID, m.trigger, m.server = ev.id, ev.trigger, ev.server
	return m, effects{}
}

// beginOff sends the Off of the present sequence, and ends the rounds of its On.
func beginOff(m machine, ev event, now time.Time) (machine, effects) {
	m = m.enter(SendAcctOff, now)
	if m.sessionID == "" {
		m.sessionID = ev.id
	}
	m.trigger, m.cause = ev.trigger, ev.cause
	if m.cause == 0 {
		m.cause = ev.trigger.cause()
	}
	m.server, m.askedAt, m.noResponse, m.refused = "", now, false, false
	return nextRound(m, ev, now)
}

// nextRound sends the present record again.
func nextRound(m machine, _ event, _ time.Time) (machine, effects) {
	m.gen++
	m.sending, m.next = true, time.Time{}
	return m, effects{send: true}
}

// startRoundNow starts the next round at once, because it was requested again.
func startRoundNow(m machine, ev event, now time.Time) (machine, effects) {
	if m.sending {
		return m, effects{}
	}
	return nextRound(m, ev, now)
}

// acknowledge handles an answer.
func acknowledge(m machine, ev event, now time.Time) (machine, effects) {
	to := On
	if m.state == SendAcctOff {
		to = Off
	}
	m = m.enter(to, now)
	m.server, m.noResponse = ev.server, false
	return m, effects{}
}

// awaitRound waits for the next round after one without an answer.
func awaitRound(m machine, ev event, now time.Time) (machine, effects) {
	m.noResponse, m.refused = true, m.refused || ev.refused
	return scheduleRound(m, ev, now)
}

func scheduleRound(m machine, _ event, now time.Time) (machine, effects) {
	m.next = now.Add(m.retry)
	return m, effects{}
}

// giveUp ends an Off that no server answered: it has one attempt.
func giveUp(m machine, _ event, now time.Time) (machine, effects) {
	return m.enter(OffNoResp, now), effects{}
}

func refuse(m machine, _ event, _ time.Time) (machine, effects) {
	return m, effects{err: ErrAcknowledged}
}

// block returns whether records must wait, if oper-state-change is on. They do not wait for a server
// that has got the On and does not accept it: it may never do so, and the On was first.
func (m machine) block(operStateChange bool) Block {
	on := m.state == On || m.state == SendAcctOn && m.refused
	return Block{Blocked: operStateChange && !on, NoResponse: m.noResponse}
}
