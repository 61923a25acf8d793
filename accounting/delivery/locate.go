package delivery

import (
	"context"
	"time"

	"aaasess/accounting"
	"aaasess/sessions"
)

// PlaceState says what an unsettled record waits for.
type PlaceState uint8

// The states of a Place.
const (
	Ready     PlaceState = iota + 1 // its turn at Method
	InFlight                        // an answer of Method
	Behind                          // an earlier record of its session
	Retrying                        // the time Next, after it was not answered
	NoMethod                        // a method of its route that is available
	Leaving                         // the store: it is being set aside
	NoAddress                       // the address of its user, until Next at the latest
)

// Place says where an unsettled record stands.
type Place struct {
	Seq    uint64 // sequence number in its queue
	State  PlaceState
	Method accounting.MethodName // "" if no method has it or is next
	Next   time.Time             // zero unless State is Retrying or NoAddress
	Tries  int                   // sends that ended without an answer
}

// question asks Run for the places of the records of a lane.
type question struct {
	queue  string
	lane   sessions.ID
	answer chan []Place // has room for the answer
}

// Locate returns where the records of a lane ([accounting.Record.InLane]) in one queue stand, in
// their order. Records that Run has not read yet are not among them. It waits until Run has answered
// or ctx is done.
func (d *Delivery) Locate(ctx context.Context, queue string, lane sessions.ID) ([]Place, error) {
	q := question{queue, lane, make(chan []Place, 1)}
	d.inbox.mu.Lock()
	d.inbox.questions = append(d.inbox.questions, q)
	d.inbox.mu.Unlock()
	d.inbox.wakeRun()
	select {
	case places := <-q.answer:
		return places, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// answerQuestions answers all callers of Locate.
func (d *Delivery) answerQuestions() {
	d.inbox.mu.Lock()
	questions := d.inbox.questions
	d.inbox.questions = nil
	d.inbox.mu.Unlock()
	for _, ask := range questions {
		ask.answer <- d.places(ask.queue, ask.lane)
	}
}

func (d *Delivery) places(queue string, lane sessions.ID) (all []Place) {
	for _, q := range d.queues {
		l := q.lanes[lane]
		if q.name != queue || l == nil {
			continue
		}
		for i, it := range l.items {
			p := Place{Seq: it.seq, State: Behind}
			if it.history != nil {
				p.Tries = it.history.tries
			}
			if i == 0 {
				p.locateHead(it)
			}
			all = append(all, p)
		}
	}
	return all
}

// locateHead sets the state of the first item of a lane.
func (p *Place) locateHead(it *item) {
	switch next := it.route.next(it.history); {
	case it.reason() != nil || it.moving:
		p.State = Leaving
	case it.sentTo != nil:
		p.State, p.Method = InFlight, it.sentTo.name
	case it.lane.withheld:
		p.State, p.Next = NoAddress, it.lane.retry.At()
	case it.lane.retry.IsWaiting():
		p.State, p.Next = Retrying, it.lane.retry.At()
	case next == nil:
		p.State = NoMethod
	default:
		p.State, p.Method = Ready, next.name
	}
}
