package snmpmanager

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"
)

// Manager asks agents.
type Manager struct {
	Credentials Credentials
	Timeout     time.Duration // of each request, see Open
}

// Answer is what an agent has answered, or why it has not.
type Answer struct {
	Target   Target
	Totals   Totals
	Sessions []Session // those that match, in the order of their numbers
	Err      error     // then Totals and Sessions are empty
}

// Ask asks an agent for the sessions that match f.
func (m *Manager) Ask(ctx context.Context, t Target, f *Filter) Answer {
	answer := Answer{Target: t}
	a, err := Open(ctx, t, m.Credentials, m.Timeout)
	if err != nil {
		answer.Err = err
		return answer
	}
	defer a.Close()
	totals, err := a.Totals()
	if err != nil && !errors.Is(err, ErrNoTable) {
		answer.Err = err
		return answer
	}
	noTotals := err
	var rows []Session
	if len(f.Numbers) > 0 {
		rows, err = a.Rows(f.Numbers)
	} else {
		rows, err = a.Table()
	}
	switch {
	case err != nil:
		answer.Err = err
		return answer
	case len(rows) == 0 && noTotals != nil:
		answer.Err = noTotals
		return answer
	}
	answer.Totals = totals
	for _, s := range rows {
		s.Host = t.Name
		if f.matches(&s) {
			answer.Sessions = append(answer.Sessions, s)
		}
	}
	return answer
}

// Result is the outcome of a SET for one session.
type Result struct {
	Session
	// Err is nil if the agent ends the session; [ErrNotTried] if an earlier SET got no answer.
	Err error
}

// ErrNotTried is the outcome for a session whose agent did not answer the SET for another one.
var ErrNotTried = errors.New("not tried: the agent does not answer")

// Disconnect makes an agent end sessions, one SET for each, and yields each outcome. A SET of several
// would be all or nothing.
func (m *Manager) Disconnect(ctx context.Context, t Target, sessions []Session) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		a, err := Open(ctx, t, m.Credentials, m.Timeout)
		if err == nil {
			defer a.Close()
		}
		fatal := err
		for _, s := range sessions {
			result := Result{Session: s, Err: fatal}
			if fatal == nil {
				result.Err = a.Disconnect(s.Number)
				if status := (*StatusError)(nil); result.Err != nil && !errors.As(result.Err, &status) {
					fatal = ErrNotTried
				}
			}
			if !yield(result) {
				return
			}
		}
	}
}

// Each calls do for all targets at the same time, and yields the results as they come. A loop that ends
// early cancels the calls and waits for them.
func Each[T any](ctx context.Context, targets []Target, do func(context.Context, Target) iter.Seq[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		ctx, cancel := context.WithCancel(ctx)
		results := make(chan T)
		var group sync.WaitGroup
		for _, t := range targets {
			group.Go(func() {
				for r := range do(ctx, t) {
					select {
					case results <- r:
					case <-ctx.Done():
						return
					}
				}
			})
		}
		go func() { group.Wait(); close(results) }()
		defer func() {
			cancel()
			for range results { // until all calls have ended
				continue
			}
		}()
		for {
			select {
			case r, more := <-results:
				if !more || !yield(r) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// One returns a sequence of one value.
func One[T any](v T) iter.Seq[T] { return func(yield func(T) bool) { yield(v) } }
