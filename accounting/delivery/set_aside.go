package delivery

import (
	"errors"
	"fmt"
	"time"

	"aaasess/accounting"
	"aaasess/internal/throttle"
	"aaasess/store"
)

// setAsideState tracks the records that are to be set aside, and those that were.
type setAsideState struct {
	lanes   deque         // their first item is to be set aside
	moving  int           // records on their way into another queue
	retryAt time.Time     // when to try again, if the store has no space
	logged  throttle.Line // one line a second: each is about another record and its error
	total   uint64        // records set aside since the start
}

// neverAnswered is the reason of a record that was set aside because its methods never answered it.
type neverAnswered struct {
	tries    int           // sends without an answer
	rounds   int           // rounds through the route
	duration time.Duration // since the first transmission
}

// Error says for how long and how often the record was tried.
func (e *neverAnswered) Error() string {
	return fmt.Sprintf("never answered in %v, tried %d times in %d rounds, while others were answered",
		e.duration.Round(time.Second), e.tries, e.rounds)
}

// markNeverAnswered marks a record to be set aside because its methods answer others, but not this
// one.
func (d *Delivery) markNeverAnswered(it *item, now time.Time) {
	h := it.history
	h.reason = &neverAnswered{tries: h.tries, rounds: h.rounds + 1, duration: now.Sub(d.created) - it.firstSent}
}

// setAsideReady moves the records that are to be set aside into [accounting.SetAsideQueue].
func (d *Delivery) setAsideReady(now time.Time) error {
	room := d.moveRoom()
	for d.setAside.lanes.len() > 0 && room > 0 {
		l := d.setAside.lanes.pop(false)
		if len(l.items) == 0 {
			l.queue.removeLane(l)
			continue
		}
		it := l.head()
		if it.reason() == nil { // the item that was to be set aside was superseded
			d.place(l)
			continue
		}
		switch ok, err := d.reload(it, now); {
		case err != nil:
			return err
		case ok:
			room--
			d.move(it, d.setAsideAppend(it, now))
		}
	}
	if d.setAside.lanes.len() > 0 {
		d.setAside.retryAt = now.Add(d.cfg.RetryMin)
	}
	return nil
}

// setAsideAppend returns the record for [accounting.SetAsideQueue].
func (d *Delivery) setAsideAppend(it *item, now time.Time) store.Append {
	data := it.history.damaged
	if it.rec != nil {
		data = accounting.AppendRecord(nil, it.rec)
	}
	entry := accounting.SetAsideEntry{From: it.lane.queue.name, At: now, Reason: it.reason().Error(), Data: data}
	return store.Append{Queue: accounting.SetAsideQueue, Data: accounting.AppendSetAsideEntry(nil, &entry), Seq: &it.history.setAside}
}

// logSetAside logs a record that is in [accounting.SetAsideQueue] now, with its number there: the
// number in "aaasess spool".
func (d *Delivery) logSetAside(it *item, now time.Time) {
	d.setAside.total++
	if _, ok := d.setAside.logged.Allow(now); !ok { // a server that refuses everything must not fill the disk with log lines
		return
	}
	who := []any{"record", it.history.setAside, "queue", it.lane.queue.name}
	if it.rec != nil {
		who = append(who, "session", it.rec.SessionText(), "type", it.rec.TypeName(), "list", it.rec.List)
	}
	what := `accounting record refused and set aside; see "aaasess spool list"`
	if errors.As(it.reason(), new(*neverAnswered)) {
		what = `accounting record never answered and set aside; see "aaasess spool list"`
	}
	d.logger.Error(what, append(who, "err", it.reason(), "set_aside_total", d.setAside.total)...)
}
