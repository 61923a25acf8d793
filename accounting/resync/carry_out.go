package resync

import (
	"context"
	"fmt"
	"time"

	"aaasess/sessions"
)

const (
	// maxRecords is how many records a part has at most. Making them holds the table's lock for about
	// a quarter of a millisecond.
	maxRecords = 128
	// maxRows is how many sessions a part looks at at most, if most of them are left out.
	maxRows = 1024
	// partsPerSecond is in how many parts the records of a second are divided, at least.
	partsPerSecond = 50
	// minPause is the least time between the beginnings of two parts, so that others get the table.
	minPause = time.Millisecond
	// maxUnderWay is how many parts may wait for the disk.
	maxUnderWay = 8
	// maxBehind is how much time is made up for after a part that was late.
	maxBehind = 200 * time.Millisecond
	// The resync waits while the queue has the records of holdSeconds at its rate, and at least
	// minHold records: more than a group has under way by default.
	holdSeconds = 2
	minHold     = 2000
	// holdCheck is how often a resync that waits checks whether it can continue.
	holdCheck = 100 * time.Millisecond
)

// carryOut makes the parts of a resync until it is done or canceled, or ctx is done.
func (r *Resyncs) carryOut(ctx context.Context, j *job) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer close(j.over)
	defer context.AfterFunc(j.canceled, stop)()
	due := time.Now()
	for j.progress.State == Running && ctx.Err() == nil {
		err := r.mayContinue(j)
		made := 0
		if err == nil {
			made, err = r.makePart(ctx, j)
		}
		r.setWaiting(j, err)
		due = due.Add(max(minPause, time.Duration(made)*time.Second/time.Duration(j.progress.Rate)))
		if err != nil {
			due = time.Now().Add(holdCheck)
		}
		if behind := time.Now().Add(-maxBehind); due.Before(behind) {
			due = behind
		}
		sleepUntil(ctx, due)
	}
	r.setWaiting(j, nil)
	if j.progress.State == Running && j.canceled.Err() == nil { // the daemon ends; the next one continues
		return
	}
	for j.pending > 0 {
		if !j.awaitPart(context.Background()) { // the store has failed, so the daemon ends
			return
		}
	}
	p := &j.progress
	if p.State == Running {
		p.State, p.Ended = Canceled, now()
		if r.store(j) != nil {
			return
		}
	}
	r.cfg.Logger.Info("resync ended", "method", string(j.method), "state", p.State.String(), "records", p.Records, "sessions", p.Sessions)
}

// mayContinue returns why no records can be made now, nil if they can.
func (r *Resyncs) mayContinue(j *job) error {
	waiting, configured := r.cfg.Waiting(j.method)
	switch {
	case !configured:
		return fmt.Errorf("%s is not configured", j.method)
	case waiting >= max(minHold, holdSeconds*uint64(j.progress.Rate)):
		return fmt.Errorf("%d records wait in the queue %s", waiting, j.method.Queue())
	}
	return nil
}

func (r *Resyncs) setWaiting(j *job, err error) {
	why := ""
	if err != nil {
		why = err.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	j.waiting = why
}

// makePart makes the next part, and returns its number of records. It waits while too many parts are
// not durable. An error says why the journal accepts nothing.
func (r *Resyncs) makePart(ctx context.Context, j *job) (records int, err error) {
	for j.pending == maxUnderWay {
		if !j.awaitPart(ctx) {
			<-ctx.Done() // the store has failed
			return 0, nil
		}
	}
	p := j.progress
	part := &sessions.Resync{
		Method: string(j.method), From: p.Next, Before: p.Before, Rows: maxRows,
		Notices: int(min(max(1, p.Rate/partsPerSecond), maxRecords)),
		Type: func(s *sessions.Session) sessions.EventType {
			return p.count(r.cfg.Decide(s, j.method, p.Type))
		},
		State: func(next sessions.ID) sessions.Put {
			if p.Next = next; next == 0 {
				p.State, p.Ended = Done, now()
			}
			return j.put(&p)
		},
	}
	err = r.cfg.Table.Resync(part, func(err error) {
		if err == nil {
			r.setDurable(j, p)
		}
		j.underWay <- err
	})
	if err != nil {
		return 0, err
	}
	j.pending++
	records = int(p.Records - j.progress.Records)
	j.progress = p
	return records, nil
}

// awaitPart waits until the oldest part is durable. It returns false if the store has failed, or if
// ctx is done.
func (j *job) awaitPart(ctx context.Context) bool {
	select {
	case err := <-j.underWay:
		if err != nil {
			return false
		}
		j.pending--
		return true
	case <-ctx.Done():
		return false
	}
}

// sleepUntil waits until a moment, or until ctx is done.
func sleepUntil(ctx context.Context, at time.Time) {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
