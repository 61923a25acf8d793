package delivery

import (
	"time"

	"aaasess/accounting"
	"aaasess/internal/retry"
)

// item is a record that was read and is not settled.
type item struct {
	seq     uint64
	lane    *lane              // nil once it is settled, and of a copy that is sent as a probe
	rec     *accounting.Record // nil: to be read again when it is wanted, or damaged
	route   *route
	history *history // nil for most: what is known of it if it is not simply sent and answered
	when    int64    // the record's At, nanoseconds since 1970; 0 if damaged

	to            *method       // who has it; nil: nobody, or the store
	answersAtSend uint64        // answers of the method when it was sent
	first         time.Duration // when it was sent first, on the Delivery's clock; 0: not yet
	gen           int32         // generation of the method that it was sent with
	storing       bool          // under way into another queue, not to a method
	retry         bool          // counted in method.retrying
	probing       bool          // sent by the schedule of the method, not by its own
}

// history is what is known of an item that is damaged, refused or was not answered.
type history struct {
	damaged []byte                // what is no record
	reason  error                 // why it is to be set aside; nil: it is not
	at      retry.Progress        // where in its schedule with a method it stands
	of      accounting.MethodName // that method
	tries   int                   // times that nobody answered it
	rounds  int                   // times that it had gone through its route without an answer
	by      []attempts            // with each method of its route
}

// attempts is how an item fared with one method.
type attempts struct {
	asked         bool   // in this round it was left unanswered
	tries         int    // times that it was left unanswered
	missed        int    // of these, those while the method answered others
	sends         int    // transmissions of those
	rounds        int    // schedules that ended with such a try
	recent        bool   // there was one in the present schedule
	answersBefore uint64 // answers of the method when it was sent the time before
}

// known returns the item's history, which the first call makes.
func (it *item) known() *history {
	if it.history == nil {
		it.history = &history{}
		if it.route != nil {
			it.history.by = make([]attempts, len(it.route.names))
		}
	}
	return it.history
}

// isFresh reports whether no method has left the item unanswered, and none has refused it.
func (it *item) isFresh() bool {
	return it.history == nil || it.history.tries == 0 && it.history.reason == nil
}

// reason is why the item is to be set aside, nil if it is not.
func (it *item) reason() error {
	if it.history == nil {
		return nil
	}
	return it.history.reason
}

// isInSchedule reports whether it waits for the next transmission of its own schedule.
func (h *history) isInSchedule() bool { return h != nil && h.at != retry.Progress{} }

// isAsked reports whether methods have left the item unanswered in this round.
func (h *history) isAsked() bool {
	for i := range h.by {
		if h.by[i].asked {
			return true
		}
	}
	return false
}

// newRound lets all methods be asked again.
func (h *history) newRound() {
	for i := range h.by {
		h.by[i].asked = false
	}
	h.at = retry.Progress{}
}

// progress is where in its schedule with a method the item stands.
func (it *item) progress(m *method) retry.Progress {
	if it.history == nil || it.history.of != m.name {
		return retry.Progress{}
	}
	return it.history.at
}

// missed is how often the method left the item unanswered while it answered others.
func (it *item) missed(m *method) int {
	if i := it.route.index(m); it.history != nil && i >= 0 {
		return it.history.by[i].missed
	}
	return 0
}

// forget forgets how the item fared with a method that was replaced.
func (it *item) forget(m *method) {
	h := it.history
	if h == nil || h.reason != nil || it.route == nil {
		return
	}
	i := it.route.index(m)
	if i < 0 {
		return
	}
	h.tries -= h.by[i].tries
	h.by[i] = attempts{}
	if h.of == m.name {
		h.at = retry.Progress{}
	}
	if h.tries <= 0 && it.to == nil {
		it.history, it.first = nil, 0
	}
}

// isLoaded reports whether the item's octets are in memory.
func (it *item) isLoaded() bool {
	return it.rec != nil || it.history != nil && it.history.damaged != nil
}
