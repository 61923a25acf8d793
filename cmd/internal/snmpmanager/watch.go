package snmpmanager

import (
	"context"
	"iter"
	"time"
)

// The values of Change.Event.
const (
	Began   = "new"
	Ended   = "ended"
	Ending  = "terminating" // casnDisconnect has become true
	Changed = "changed"     // another user or address
)

// Change is what has become of a session between two answers of its agent.
type Change struct {
	Event   string
	Session Session // as it is now; for Ended, as it was
}

// Changes compares two answers, both in the order of the numbers. casnIdleTime is no change.
func Changes(before, after []Session) (changes []Change) {
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].Number < after[0].Number:
			changes = append(changes, Change{Ended, before[0]})
			before = before[1:]
		case len(before) == 0 || after[0].Number < before[0].Number:
			changes = append(changes, Change{Began, after[0]})
			after = after[1:]
		default:
			old, s := before[0], after[0]
			if s.Terminating && !old.Terminating {
				changes = append(changes, Change{Ending, s})
			} else if s.User != old.User || s.Address != old.Address {
				changes = append(changes, Change{Changed, s})
			}
			before, after = before[1:], after[1:]
		}
	}
	return changes
}

// Report is what [Watch] has seen of an agent. Exactly one of Err, First and Change is set.
type Report struct {
	Target Target
	Time   time.Time
	Err    error // the agent does not answer any more, or never did
	First  bool  // it answers for the first time, or again
	Live   int   // sessions that match now
	Change Change
}

// Watch asks an agent again and again, with a pause of interval between an answer and the next
// question, and yields what changes. It ends with ctx.
func Watch(ctx context.Context, t Target, interval time.Duration, ask func(context.Context, Target) Answer) iter.Seq[Report] {
	return func(yield func(Report) bool) {
		var known []Session
		began, failed := false, false
		for {
			answer := ask(ctx, t)
			if ctx.Err() != nil {
				return
			}
			report := Report{Target: t, Time: time.Now(), Live: len(answer.Sessions)}
			if answer.Err != nil {
				report.Err = answer.Err
				if !failed && !yield(report) {
					return
				}
				failed = true
			} else {
				if !began || failed {
					first := report
					first.First = true
					if !yield(first) {
						return
					}
				}
				if began {
					for _, c := range Changes(known, answer.Sessions) {
						report.Change = c
						if !yield(report) {
							return
						}
					}
				}
				known, began, failed = answer.Sessions, true, false
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(interval):
			}
		}
	}
}
