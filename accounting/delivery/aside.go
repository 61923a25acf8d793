package delivery

import (
	"errors"
	"fmt"
	"time"

	"aaasess/accounting"
	"aaasess/internal/throttle"
	"aaasess/store"
)

// asides is the records that are to be set aside, and what was.
type asides struct {
	lanes   deque         // whose first record is to be
	storing int           // records on their way into another queue
	at      time.Time     // when it is tried again, if the store has no room
	logged  throttle.Line // one a second: each is of another record, with what is wrong with it
	total   uint64        // all that ever were
}

// neverAnswered is why a record was set aside that its methods never answered.
type neverAnswered struct {
	tries  int           // sends that went unanswered
	rounds int           // rounds that they made
	took   time.Duration // since the first
}

// Error says for how long, and how often, it was tried.
func (e *neverAnswered) Error() string {
	return fmt.Sprintf("never answered in %v, tried %d times in %d rounds, while others were answered",
		e.took.Round(time.Second), e.tries, e.rounds)
}

// giveUpOn has a record set aside: its methods answer others, but not it.
func (d *Delivery) giveUpOn(it *item, now time.Time) {
	h := it.history
	h.reason = &neverAnswered{tries: h.tries, rounds: h.rounds + 1, took: now.Sub(d.made) - it.first}
}

// putAside takes the records that are to be set aside to where people can look at them.
func (d *Delivery) putAside(now time.Time) error {
	room := d.transferRoom()
	for d.aside.lanes.len() > 0 && room > 0 {
		l := d.aside.lanes.pop(false)
		if len(l.items) == 0 {
			l.queue.forget(l)
			continue
		}
		it := l.head()
		if it.reason() == nil { // the one that belonged here was superseded
			d.place(l)
			continue
		}
		switch ok, err := d.reload(it, now); {
		case err != nil:
			return err
		case ok:
			room--
			d.transfer(it, d.asideRecord(it, now))
		}
	}
	if d.aside.lanes.len() > 0 {
		d.aside.at = now.Add(d.cfg.RetryMin)
	}
	return nil
}

// aside is what is appended to [accounting.RefusedQueue] for an item.
func (d *Delivery) asideRecord(it *item, now time.Time) store.Append {
	reason, q := it.reason(), it.lane.queue
	data := it.history.damaged
	who := []any{"queue", q.name, "seq", it.seq}
	if it.rec != nil {
		data = accounting.AppendRecord(nil, it.rec)
		who = append(who, "session", it.rec.SessionName(), "type", it.rec.TypeName(), "list", it.rec.List)
	}
	d.aside.total++
	if _, ok := d.aside.logged.Allow(now); ok { // a server that refuses everything must not fill the disk with this
		what := "accounting record refused, set aside"
		if errors.As(reason, new(*neverAnswered)) {
			what = "accounting record never answered, set aside"
		}
		d.logger.Error(what, append(who, "err", reason, "set_aside_total", d.aside.total)...)
	}
	refused := accounting.Refused{From: q.name, At: now, Reason: reason.Error(), Data: data}
	return store.Append{Queue: accounting.RefusedQueue, Data: accounting.AppendRefused(nil, &refused)}
}
