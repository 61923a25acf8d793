package delivery

import (
	"time"

	"aaasess/accounting"
	"aaasess/internal/retry"
)

// item is a record that was read and is not settled yet.
type item struct {
	seq     uint64
	lane    *lane              // nil once settled; nil for a copy that is sent as a probe
	rec     *accounting.Record // nil: unloaded, read again when needed; or damaged
	route   *route
	history *history // nil for most: set once the record was refused, damaged or not answered
	when    int64    // the record's At, nanoseconds since 1970; 0 if damaged

	sentTo        *method       // the method that has it; nil: none, or the store
	answersAtSend uint64        // health.answers of the method when it was sent
	firstSent     time.Duration // first transmission, since Delivery.created; 0: not sent yet
	gen           int32         // generation of the method that it was sent with
	moving        bool          // on its way into another queue, not to a method
	retry         bool          // counted in method.retrying
	probing       bool          // sent by the schedule of the method, not by its own schedule
	held          bool          // in queue.held
}

// history is what happened to an item that is damaged, was refused or was not answered.
type history struct {
	damaged  []byte                // the octets, if they are no valid record
	reason   error                 // why it is to be set aside; nil: it is not
	setAside uint64                // its number in the queue of records that were set aside
	progress retry.Progress        // where it stands in its own schedule with method
	method   accounting.MethodName // the method of progress
	tries    int                   // sends that ended without an answer
	rounds   int                   // times that it went through its whole route without an answer
	attempts []attempts            // with each method of its route, in order
}

// attempts counts what one method did with an item.
type attempts struct {
	exhausted     bool   // in this round, the method left it unanswered
	tries         int    // sends to it that ended without an answer
	missed        int    // of these, sends during which the method answered others
	sends         int    // transmissions of the missed sends
	rounds        int    // schedules that ended with a miss
	missedNow     bool   // there was a miss in the present schedule
	answersBefore uint64 // health.answers of the method when it was last sent
}

// ensureHistory returns the item's history. The first call creates it.
func (it *item) ensureHistory() *history {
	if it.history == nil {
		it.history = &history{}
		if it.route != nil {
			it.history.attempts = make([]attempts, len(it.route.names))
		}
	}
	return it.history
}

// isFresh reports whether no method has left the item unanswered, and none has refused it.
func (it *item) isFresh() bool {
	return it.history == nil || it.history.tries == 0 && it.history.reason == nil
}

// reason returns why the item is to be set aside, nil if it is not.
func (it *item) reason() error {
	if it.history == nil {
		return nil
	}
	return it.history.reason
}

// isInSchedule reports whether the item waits for the next transmission of its own schedule.
func (h *history) isInSchedule() bool { return h != nil && h.progress != retry.Progress{} }

// isAnyExhausted reports whether a method has left the item unanswered in this round.
func (h *history) isAnyExhausted() bool {
	for i := range h.attempts {
		if h.attempts[i].exhausted {
			return true
		}
	}
	return false
}

// newRound lets all methods be tried again.
func (h *history) newRound() {
	for i := range h.attempts {
		h.attempts[i].exhausted = false
	}
	h.progress = retry.Progress{}
}

// progress returns where the item stands in its schedule with a method.
func (it *item) progress(m *method) retry.Progress {
	if it.history == nil || it.history.method != m.name {
		return retry.Progress{}
	}
	return it.history.progress
}

// missed returns how often the method left the item unanswered while it answered others.
func (it *item) missed(m *method) int {
	if i := it.route.index(m); it.history != nil && i >= 0 {
		return it.history.attempts[i].missed
	}
	return 0
}

// forgetMethod removes a method that was replaced from the item's history.
func (it *item) forgetMethod(m *method) {
	h := it.history
	if h == nil || h.reason != nil || it.route == nil {
		return
	}
	i := it.route.index(m)
	if i < 0 {
		return
	}
	h.tries -= h.attempts[i].tries
	h.attempts[i] = attempts{}
	if h.method == m.name {
		h.progress = retry.Progress{}
	}
	if h.tries <= 0 && it.sentTo == nil {
		it.history, it.firstSent = nil, 0
	}
}

// isLoaded reports whether the item's octets are in memory.
func (it *item) isLoaded() bool {
	return it.rec != nil || it.history != nil && it.history.damaged != nil
}
