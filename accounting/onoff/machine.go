package onoff

import "time"

// machine is the life of a group's Accounting-On/Off: a value without clock, timer or socket, changed
// by step only. What is sent, a sequence of rounds, follows from its fields.
type machine struct {
	retry time.Duration // from the end of a round of the On to the next one; it does not change

	state      State
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

// eventKind is what may happen to a machine.
type eventKind uint8

const (
	evOn         eventKind = iota // an Accounting-On is asked for
	evForceOn                     // even if it was answered
	evOff                         // an Accounting-Off is asked for
	evForceOff                    // even if it was answered
	evAnswered                    // a server answered the round
	evUnanswered                  // the round is over, all servers had their chance
	evStopped                     // the round was broken off, which says nothing about the servers
	evFailed                      // the round could not be made
	evElapsed                     // some time has passed
)

// event is one of them. Fields that the kind does not name are not looked at.
type event struct {
	kind    eventKind
	trigger Trigger // evOn to evForceOff
	id      string  // evOn to evForceOff: for a sequence that begins; never used before
	cause   uint32  // evOff, evForceOff; 0: the trigger's
	gen     uint64  // evAnswered to evFailed: of which round
	server  string  // evAnswered
}

// effects is what a step wants done.
type effects struct {
	send bool  // send the record to the servers, as round gen
	err  error // tell who asked
}

// move is what an event does in a state.
type move func(m machine, ev event, now time.Time) (machine, effects)

// moves are the transitions. What is not there is nothing to do.
var moves = [...][evElapsed + 1]move{
	Unknown: {evOn: beginOn, evForceOn: beginOn, evOff: beginOff, evForceOff: beginOff},
	SendAcctOn: {
		evOn: hurryRound, evForceOn: beginOn, evOff: beginOff, evForceOff: beginOff,
		evAnswered: acknowledge, evUnanswered: awaitRound, evStopped: resumeLater, evFailed: resumeLater,
		evElapsed: nextRound,
	},
	On: {evOn: refuse, evForceOn: beginOn, evOff: beginOff, evForceOff: beginOff},
	SendAcctOff: {
		evOn: beginOn, evForceOn: beginOn, evOff: hurryRound, evForceOff: beginOff,
		// A round that was broken off was not the one attempt that an Off has.
		evAnswered: acknowledge, evUnanswered: giveUp, evStopped: resumeLater, evFailed: giveUp,
		evElapsed: nextRound,
	},
	Off:       {evOn: beginOn, evForceOn: beginOn, evOff: refuse, evForceOff: beginOff},
	OffNoResp: {evOn: beginOn, evForceOn: beginOn, evOff: beginOff, evForceOff: beginOff},
}

// step is what becomes of m when ev happens.
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
	move := moves[m.state][ev.kind]
	if move == nil {
		return m, effects{}
	}
	return move(m, ev, now)
}

// enter makes the state another one; what was awaited is so no more.
func (m machine) enter(s State, now time.Time) machine {
	if m.state != s {
		m.changed = now
	}
	m.state, m.next = s, time.Time{}
	return m
}

// beginOn begins a new On/Off sequence, which has an id of its own.
func beginOn(m machine, ev event, now time.Time) (machine, effects) {
	m = m.enter(SendAcctOn, now)
	m.sessionID, m.trigger, m.cause = ev.id, ev.trigger, 0
	m.server, m.at, m.noResponse = "", now, false
	return nextRound(m, ev, now)
}

// beginOff sends the Off of the On before it, and ends the rounds of that.
func beginOff(m machine, ev event, now time.Time) (machine, effects) {
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
func nextRound(m machine, _ event, _ time.Time) (machine, effects) {
	m.gen++
	m.sending, m.next = true, time.Time{}
	return m, effects{send: true}
}

// hurryRound ends the wait for the next round: it was asked for again.
func hurryRound(m machine, ev event, now time.Time) (machine, effects) {
	if m.sending {
		return m, effects{}
	}
	return nextRound(m, ev, now)
}

// acknowledge is what an answer does.
func acknowledge(m machine, ev event, now time.Time) (machine, effects) {
	to := On
	if m.state == SendAcctOff {
		to = Off
	}
	m = m.enter(to, now)
	m.server, m.noResponse = ev.server, false
	return m, effects{}
}

// awaitRound waits for the next round after one that nobody answered.
func awaitRound(m machine, ev event, now time.Time) (machine, effects) {
	m.noResponse = true
	return resumeLater(m, ev, now)
}

func resumeLater(m machine, _ event, now time.Time) (machine, effects) {
	m.next = now.Add(m.retry)
	return m, effects{}
}

// giveUp ends an Off that nobody answered: it is attempted once.
func giveUp(m machine, _ event, now time.Time) (machine, effects) {
	return m.enter(OffNoResp, now), effects{}
}

func refuse(m machine, _ event, _ time.Time) (machine, effects) {
	return m, effects{err: ErrAcknowledged}
}

// block is whether records must wait, if oper-state-change says that they do so at all.
func (m machine) block(operStateChange bool) Block {
	return Block{Blocked: operStateChange && m.state != On, NoResponse: m.noResponse}
}
