package notify

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// drainTime is how long Run, or the end of a target, waits for notifications to be sent and
// acknowledged.
const drainTime = time.Second

// confirmTime is how long a trap must not be refused before the target counts as working again.
const confirmTime = time.Second

// loop is the state of a target's goroutine.
type loop struct {
	*sender
	link       *link
	closing    time.Time // when it ends at the latest; zero while its context has not ended
	unanswered bool      // something was not answered since the link was last checked
	firstTrap  time.Time // time of the first trap after a problem; zero: none was sent, or it was refused
}

// run serves a target until ctx ends, and then for at most drainTime.
func (s *sender) run(ctx context.Context) {
	// Notifications are still sent after ctx has ended.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	l := &loop{sender: s, link: newLink(life, s.common.dial, s.receiver.SourceAddress, s.receiver.Address)}
	defer func() {
		end()
		l.link.close()
		l.abandonAll(time.Now())
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	ended := ctx.Done()
	for {
		now := time.Now()
		wakeAt := l.work(now)
		if !l.closing.IsZero() && (l.idle() || !now.Before(l.closing)) {
			return
		}
		if wakeAt.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(wakeAt.Sub(now))
		}
		select {
		case <-l.queue.wake:
		case <-timer.C:
		case d := <-l.link.dialed:
			l.connect(d, time.Now())
		case r := <-l.link.received:
			l.receive(r, time.Now())
		case <-ended:
			ended = nil
			l.closing = time.Now().Add(drainTime)
		}
	}
}

// idle reports whether there is nothing to do.
func (l *loop) idle() bool {
	return l.queue.peek() == nil && (l.machine == nil || len(l.machine.pending) == 0)
}

// work does what is possible now. It returns the time of its next action; zero means that it waits
// for an event.
func (l *loop) work(now time.Time) time.Time {
	if l.machine != nil {
		l.machine.expire(now)
		l.unanswered = l.unanswered || l.machine.unanswered
		l.machine.unanswered = false
	}
	if !l.idle() {
		l.link.ensure(now, l.unanswered)
	}
	if l.link.conn != nil {
		if l.machine != nil {
			l.sendInforms(now)
		} else {
			l.sendTraps(now)
		}
	}
	if !l.firstTrap.IsZero() && now.Sub(l.firstTrap) >= confirmTime {
		l.report.recovered(l.firstTrap)
		l.firstTrap = time.Time{}
	}
	l.publish(now)
	return l.wakeAt()
}

// wakeAt returns the next time at which work has something to do without an event.
func (l *loop) wakeAt() time.Time {
	at := earlier(l.closing, l.report.due())
	if !l.firstTrap.IsZero() {
		at = earlier(at, l.firstTrap.Add(confirmTime))
	}
	if l.idle() {
		return at
	}
	if l.link.conn == nil && !l.link.dialing {
		at = earlier(at, l.link.retryAt)
	}
	if l.machine != nil && l.link.conn == nil {
		at = earlier(at, l.machine.deadline())
	} else if l.machine != nil {
		at = earlier(at, l.machine.wakeAt())
	}
	return at
}

// earlier returns the earlier of two times; zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// sendTraps sends all waiting traps.
func (l *loop) sendTraps(now time.Time) {
	for note := l.queue.peek(); note != nil; note = l.queue.peek() {
		err := l.link.write(l.trap.encode(note), now)
		switch {
		case err == nil:
			l.trap.counts.sent++
			l.noteTrapSent(now)
			note.end(nil, now)
		case errors.Is(err, syscall.EMSGSIZE):
			l.trap.counts.refused++
			l.report.fail(errTooLong, now)
			note.end(errTooLong, now)
		default:
			l.fail(err, now)
			return // it stays first in the queue
		}
		l.queue.pop()
	}
}

// noteTrapSent records that a trap was sent. Nobody acknowledges it, but it may be refused.
func (l *loop) noteTrapSent(now time.Time) {
	if (l.firstTrap.IsZero() || l.link.refused) && l.report.isFailing() {
		l.firstTrap = now
	}
}

func (l *loop) fail(err error, now time.Time) {
	l.firstTrap = time.Time{}
	l.report.fail(err, now)
}

// sendInforms moves as many informs in flight as there is room for, and sends those that are due.
func (l *loop) sendInforms(now time.Time) {
	m := l.machine
	for note := l.queue.peek(); note != nil && m.hasRoom(); note = l.queue.peek() {
		m.add(note, now)
		l.queue.pop()
	}
	for b := m.next(now); b != nil; b = m.next(now) {
		err := l.link.write(b, now)
		switch {
		case err == nil:
			continue
		case errors.Is(err, syscall.EMSGSIZE) && m.last != nil:
			m.undoSend()
			m.reject(m.last, errTooLong, now)
			continue
		}
		m.undoSend()
		l.fail(err, now)
		return
	}
}

// connect handles the result of an attempt to open a socket.
func (l *loop) connect(d dialed, now time.Time) {
	l.unanswered = false
	before := l.link.conn
	if err := l.link.setConn(d, now); err != nil {
		l.fail(err, now)
	}
	if l.link.conn != before {
		l.firstTrap = time.Time{} // refusals of traps of the old socket are not reported any more
	}
}

// receive handles a datagram or an error of a socket.
func (l *loop) receive(r received, now time.Time) {
	if r.conn != l.link.conn {
		return // a socket that was replaced
	}
	if r.err != nil {
		l.fail(r.err, now)
		l.unanswered = true
	}
	switch {
	case r.ended:
		l.link.drop()
		l.link.postpone(now)
	case r.err == nil && l.machine != nil:
		before := l.machine.counts.acknowledged
		l.machine.receive(r.octets, now)
		if l.machine.counts.acknowledged > before {
			l.report.recovered(now)
		}
	case r.err == nil:
		l.trap.counts.ignored++
	}
}

// abandonAll counts the notifications that will not be sent or acknowledged.
func (l *loop) abandonAll(now time.Time) {
	left := 0
	if l.machine != nil {
		left = len(l.machine.pending)
		for _, in := range l.machine.pending {
			in.note.end(ErrNotSent, now)
		}
		l.machine.pending = nil
	}
	l.abandon(left, now)
	l.publish(now) // last, because it writes to the log
}
