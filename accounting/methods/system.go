package methods

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"aaasess/accounting"
	"aaasess/accounting/onoff"
	"aaasess/sessions"
)

// next returns the methods that an Accounting-On or -Off of a method goes to, one after the other,
// if none of its servers answers: those behind it in the system list (R42). The caller holds the
// lock.
func (s *Set) next(name accounting.MethodName) []accounting.MethodName {
	if list := s.config.System; len(list) > 0 && list[0] == name {
		return list[1:]
	}
	return nil
}

// firstBefore returns the first method of the system list, if the list has another one at a later
// place; else "". The caller holds the lock.
func (s *Set) firstBefore(name accounting.MethodName) accounting.MethodName {
	if list := s.config.System; len(list) > 0 && slices.Contains(list[1:], name) {
		return list[0]
	}
	return ""
}

// announcer returns how an instance sends an Accounting-On or -Off: a round is one through its own
// servers, and then through the next methods, until a server answers.
func (s *Set) announcer(in *instance) onoff.Announce {
	return func(rec *accounting.Record, done func(string, error)) {
		in.Announce(rec, func(server string, err error) {
			if !errors.Is(err, accounting.ErrNoResponse) {
				done(server, err)
				return
			}
			s.mu.Lock()
			next := s.next(in.name)
			if isClosed(in.replaced) {
				next = in.formerNext
			}
			s.mu.Unlock()
			s.announceNext(next, rec, err, done)
		})
	}
}

// announceNext sends an Accounting-On or -Off to the first of these methods that answers. A method
// that cannot send it now counts as one that does not answer: the others are tried, and an On is
// repeated. before is the result of the methods before these: [accounting.ErrNoResponse], or
// [accounting.ErrNotAccepted] if a server of one of them has answered.
func (s *Set) announceNext(next []accounting.MethodName, rec *accounting.Record, before error, done func(string, error)) {
	s.mu.Lock()
	for len(next) > 0 && (s.running[next[0]] == nil || s.running[next[0]].Announce == nil) {
		next = next[1:]
	}
	if len(next) == 0 {
		s.mu.Unlock()
		done("", before)
		return
	}
	in := s.running[next[0]]
	s.mu.Unlock()
	if rec.Type == sessions.Off && isClosed(s.deliveryEnded) && in.Abandon != nil {
		in.Abandon() // no record may follow the Off of the end
	}
	in.Announce(rec, func(server string, err error) {
		if err == nil {
			done(server, nil)
			return
		}
		if errors.Is(err, accounting.ErrNotAccepted) {
			before = err
		}
		s.announceNext(next[1:], rec, before, done)
	})
}

// keepNext has the instances that a change replaces keep the methods behind them in the former system
// list: one of these may have answered the On. Those that announce for themselves from now on, or
// are in the new list, are left out, because an Off could come after their On. The caller holds the
// lock.
func (s *Set) keepNext(c Change) {
	for _, in := range c.opened {
		old := s.running[in.name]
		if old == nil {
			continue
		}
		old.formerNext = slices.DeleteFunc(slices.Clone(s.next(in.name)), func(name accounting.MethodName) bool {
			spec := c.specs[name]
			return spec == nil || spec.OnOff() != nil || slices.Contains(c.config.System, name)
		})
	}
}

// awaitListOff waits for the Off of the system list, which the last servers of a method may have to
// answer.
func (s *Set) awaitListOff(name accounting.MethodName) {
	s.mu.Lock()
	off := s.lastOff[s.firstBefore(name)] // nil without one
	s.mu.Unlock()
	if off != nil {
		<-off
	}
}

// formerListOff is for a change that makes another method the first of the system list. It returns
// a channel that is closed when the Off of the former first method is over. The On of the new one
// waits for that. nil: there is nothing to wait for.
func (s *Set) formerListOff(c Change) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, is := s.config.System, c.config.System
	if len(was) == 0 || len(is) == 0 || was[0] == is[0] || !slices.ContainsFunc(c.opened, func(in *instance) bool { return in.name == was[0] }) {
		return nil
	}
	return s.lastOff[was[0]]
}

// isSuppressed reports whether the end and the start of the daemon send nothing to a method, because
// sessions of it are live ([Config].SuppressSystem; R52).
func (s *Set) isSuppressed(name accounting.MethodName) bool {
	s.mu.Lock()
	suppress, methods := s.config.SuppressSystem, append([]accounting.MethodName{name}, s.next(name)...)
	s.mu.Unlock()
	if !suppress {
		return false
	}
	live := s.liveMethods()
	return slices.ContainsFunc(methods, func(m accounting.MethodName) bool { return live[m] })
}

// share returns an instance for the method that m runs. It has an Accounting-On and -Off of its own.
func (s *Set) share(m *instance, spec accounting.Spec) (*instance, error) {
	in := newInstance(m.Opened, spec)
	in.shared = true
	return in, s.addSender(in)
}

// sameOnOff reports whether two Specs send the same.
func sameOnOff(a, b accounting.Spec) bool { return reflect.DeepEqual(a.OnOff(), b.OnOff()) }

// runMethod runs the method of an instance, or takes it over from the instance before. The caller
// holds the lock.
func (s *Set) runMethod(ctx context.Context, in, old *instance) {
	if in.shared {
		in.endMethod, old.endMethod = old.endMethod, func() {}
		return
	}
	ctx, in.endMethod = context.WithCancel(ctx)
	s.tasks.Go(func() { s.report(in, in.Run(ctx)) })
}
