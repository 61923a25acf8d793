package notify

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// farewell is how long Run, or the end of a target, waits for what is still to be sent and acknowledged.
const farewell = time.Second

// doubt is how long nothing must be heard against a trap before it shows that a target works again.
const doubt = time.Second

// loop is a target's goroutine.
type loop struct {
	*sender
	link    *link
	closing time.Time // when it ends at the latest; zero: its context has not ended
	lost    bool      // something stayed unanswered since the link was checked
	proof   time.Time // when the first trap left after a problem; zero: none did, or it was refused
}

// run serves a target until ctx ends, and then for as long as farewell allows.
func (s *sender) run(ctx context.Context) {
	// Goodbyes are still sent when ctx has ended.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	l := &loop{sender: s, link: newLink(life, s.common.dial, s.receiver.SourceAddress, s.receiver.Address)}
	defer func() {
		end()
		l.link.close()
		l.leave(time.Now())
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
			l.closing = time.Now().Add(farewell)
		}
	}
}

// idle reports whether there is nothing left to do.
func (l *loop) idle() bool {
	return l.queue.peek() == nil && (l.machine == nil || len(l.machine.pending) == 0)
}

// work does what can be done now, and tells when there is more to do; zero: when something happens.
func (l *loop) work(now time.Time) time.Time {
	if l.machine != nil {
		l.machine.expire(now)
		l.lost = l.lost || l.machine.lost
		l.machine.lost = false
	}
	if !l.idle() {
		l.link.ensure(now, l.lost)
	}
	if l.link.conn != nil {
		if l.machine != nil {
			l.sendInforms(now)
		} else {
			l.sendTraps(now)
		}
	}
	if !l.proof.IsZero() && now.Sub(l.proof) >= doubt {
		l.report.worked(l.proof)
		l.proof = time.Time{}
	}
	l.publish(now)
	return l.wakeAt()
}

// wakeAt is the next time at which work has something to do by itself.
func (l *loop) wakeAt() time.Time {
	at := earlier(l.closing, l.report.due())
	if !l.proof.IsZero() {
		at = earlier(at, l.proof.Add(doubt))
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

// earlier gives the earlier of two times; zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// sendTraps sends all that waits.
func (l *loop) sendTraps(now time.Time) {
	for note := l.queue.peek(); note != nil; note = l.queue.peek() {
		err := l.link.write(l.trap.encode(note), now)
		switch {
		case err == nil:
			l.trap.counts.sent++
			l.prove(now)
		case errors.Is(err, syscall.EMSGSIZE):
			l.trap.counts.refused++
			l.report.fail(errTooLong, now)
		default:
			l.fail(err, now)
			return // it stays the first in the queue
		}
		l.queue.pop()
	}
}

// prove notes that a trap left. Nobody acknowledges it, but it may be refused.
func (l *loop) prove(now time.Time) {
	if (l.proof.IsZero() || l.link.refused) && l.report.isAway() {
		l.proof = now
	}
}

// fail notes an error of the network.
func (l *loop) fail(err error, now time.Time) {
	l.proof = time.Time{}
	l.report.fail(err, now)
}

// sendInforms takes as many informs under way as there is room for, and sends what is due.
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
			m.unsent()
			m.refuse(m.last, errTooLong)
			continue
		}
		m.unsent()
		l.fail(err, now)
		return
	}
}

// connect takes the end of an attempt to open a socket.
func (l *loop) connect(d dialed, now time.Time) {
	l.lost = false
	before := l.link.conn
	if err := l.link.take(d, now); err != nil {
		l.fail(err, now)
	}
	if l.link.conn != before {
		l.proof = time.Time{} // whether traps of the socket before are refused is not heard any more
	}
}

// receive takes what came in at a socket.
func (l *loop) receive(r received, now time.Time) {
	if r.conn != l.link.conn {
		return // of a socket that we have left
	}
	if r.err != nil {
		l.fail(r.err, now)
		l.lost = true
	}
	switch {
	case r.ended:
		l.link.drop()
		l.link.postpone(now)
	case r.err == nil && l.machine != nil:
		before := l.machine.counts.acknowledged
		l.machine.receive(r.octets, now)
		if l.machine.counts.acknowledged > before {
			l.report.worked(now)
		}
	case r.err == nil:
		l.trap.counts.ignored++
	}
}

// leave counts what will not be sent or acknowledged any more.
func (l *loop) leave(now time.Time) {
	left := 0
	if l.machine != nil {
		left = len(l.machine.pending)
		l.machine.pending = nil
	}
	l.abandon(left, now)
	l.publish(now) // last: it writes to the log
}
