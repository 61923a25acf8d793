package notify

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
)

// common is shared by all targets of a notifier. Only sent changes.
type common struct {
	engine  *usm.Engine
	maxSize int32 // of the largest message, in octets
	queue   int   // how many notifications may wait for a target
	log     *slog.Logger
	dial    dialFunc
	newID   func() int32
	sent    atomic.Uint64 // sum of counts.sent over all targets, including removed ones
}

// sender is a target with its queue and its state. machine and trap belong to the goroutine of run.
type sender struct {
	common   *common
	receiver *receiver
	queue    *queue
	report   report
	machine  *machine // for informs, else nil
	trap     *trap    // for traps, else nil

	limit atomic.Int32       // largest message for the receiver in octets, as far as known
	stop  context.CancelFunc // ends run; guarded by Notifier.mu, nil before run starts

	mu       sync.Mutex // guards the fields below, copies for Stats
	counts   counts
	underWay int
	engineID []byte
	refused  uint64 // rejected by offer
	dropped  uint64 // dropped while in flight
}

func newSender(c *common, t Target) (*sender, error) {
	own := c.engine.ID()
	r, err := newReceiver(t, own)
	if err != nil {
		return nil, err
	}
	s := &sender{
		common: c, receiver: r, queue: newQueue(c.queue),
		report: report{log: c.log.With("target", t.Name, "address", t.Address)},
	}
	s.limit.Store(c.maxSize)
	if t.Inform {
		s.machine, err = newMachine(r, own, c.maxSize, c.newID)
	} else {
		s.trap, err = newTrap(r, c)
	}
	return s, err
}

// offer queues a notification. It never blocks.
func (s *sender) offer(note *notification, now time.Time) error {
	if !s.receiver.mayGet(note) {
		return ErrNotInView
	}
	defer s.queue.wakeUp()
	limit := int(s.limit.Load())
	if size := s.receiver.size(len(note.varbinds), len(s.common.engine.ID())); size > limit {
		s.mu.Lock()
		s.refused++
		s.mu.Unlock()
		err := fmt.Errorf("%w: %d octets, the limit is %d", ErrTooLarge, size, limit)
		s.report.fail(err, now)
		return err
	}
	err := s.queue.push(note)
	if err != nil {
		s.report.fail(err, now)
	}
	return err
}

// ofTarget adds the name of the target to an error.
func (s *sender) ofTarget(err error) error {
	return fmt.Errorf("notify: target %q: %w", s.receiver.Name, err)
}

// publish copies the state of the goroutine for other goroutines.
func (s *sender) publish(now time.Time) {
	s.mu.Lock()
	before := s.counts.sent
	if m := s.machine; m != nil {
		s.counts, s.underWay, s.engineID = m.counts, len(m.pending), nil
		if m.remote != nil {
			s.engineID = m.remote.id // the id is never modified
			s.limit.Store(m.limit())
		}
	} else {
		s.counts = s.trap.counts
	}
	s.common.sent.Add(s.counts.sent - before) // counts that machine.undoSend reverted were never published
	s.mu.Unlock()
	if m := s.machine; m != nil && m.err != nil {
		s.report.fail(m.err, now)
		m.err = nil
	}
	s.report.flush(now)
}

// abandon drops the waiting notifications, and counts those in flight as dropped.
func (s *sender) abandon(underWay int, now time.Time) {
	left := s.queue.close(now) + underWay
	s.mu.Lock()
	s.dropped += uint64(underWay)
	s.mu.Unlock()
	if left > 0 {
		s.report.fail(fmt.Errorf("%w: %d", ErrNotSent, left), now)
	}
}

func (s *sender) stats() TargetStats {
	waiting, dropped := s.queue.counts()
	at, lastError := s.report.lastError()
	s.mu.Lock()
	defer s.mu.Unlock()
	return TargetStats{
		Name: s.receiver.Name, Waiting: waiting, UnderWay: s.underWay,
		Sent: s.counts.sent, Retransmitted: s.counts.retransmitted, Acknowledged: s.counts.acknowledged,
		TimedOut: s.counts.timedOut, Refused: s.counts.refused + s.refused, Dropped: dropped + s.dropped,
		Ignored: s.counts.ignored, EngineID: bytes.Clone(s.engineID), LastError: lastError, LastErrorAt: at,
	}
}

// trap builds the traps for a target. Our engine is authoritative for them (RFC 3414 section
// 1.5.1). It belongs to the target's goroutine.
type trap struct {
	receiver *receiver
	engine   *usm.Engine
	encoder  *encoder
	keys     *usm.Keys // v3
	newID    func() int32
	counts   counts
}

func newTrap(r *receiver, c *common) (*trap, error) {
	t := &trap{receiver: r, engine: c.engine, newID: c.newID}
	t.encoder = &encoder{maxSize: c.maxSize, context: c.engine.ID()}
	var err error
	if r.Version == wire.Version3 {
		t.keys, err = r.User.Keys(t.encoder.context)
	}
	return t, err
}

// encode returns the message for a notification.
func (t *trap) encode(note *notification) []byte {
	if t.receiver.Version == wire.Version2c {
		return t.encoder.community(wire.SNMPv2Trap, t.receiver.Community, t.newID(), note.varbinds)
	}
	boots, seconds := t.engine.BootsTime()
	a := authority{
		engineID: t.encoder.context, boots: boots, time: seconds,
		user: t.receiver.User.Name, level: t.receiver.User.Level(), keys: t.keys,
	}
	return t.encoder.usm(wire.SNMPv2Trap, &a, t.newID(), t.newID(), note.varbinds)
}
