package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/wire"
	"aaasess/mib"
)

const (
	// DefaultQueue is used if Config.Queue is 0.
	DefaultQueue = 256
	// DefaultMaxMessageSize is used if Config.MaxMessageSize is 0: the capacity of a UDP datagram
	// over IPv4 (RFC 3417 section 3.1).
	DefaultMaxMessageSize = 65507
)

// Notifications of SNMPv2-MIB (RFC 3418).
var (
	ColdStart             = mib.MustOID("1.3.6.1.6.3.1.1.5.1")
	AuthenticationFailure = mib.MustOID("1.3.6.1.6.3.1.1.5.5")

	sysUpTime   = mib.MustOID("1.3.6.1.2.1.1.3.0")
	snmpTrapOID = mib.MustOID("1.3.6.1.6.3.1.1.4.1.0")
)

// Config configures a Notifier.
type Config struct {
	// Engine is our engine: its id is the context of all notifications, its boots and time are used
	// in v3 traps.
	Engine *usm.Engine
	// Targets are the initial receivers; SetTargets replaces them.
	Targets []Target
	// Queue is how many notifications may wait for each target. 0 means DefaultQueue.
	Queue int
	// MaxMessageSize is the largest message in octets, 484..65507. 0 means DefaultMaxMessageSize.
	// In v3 it is also msgMaxSize.
	MaxMessageSize int
	// Logger receives a line when a target has a problem, and another when it works again, each at
	// most once a minute for each target. nil discards them.
	Logger *slog.Logger
}

// Notifier sends notifications to targets. Its methods may be called from any goroutine.
type Notifier struct {
	common *common
	ready  chan struct{}

	mu      sync.Mutex // guards the fields below; never held over I/O
	senders []*sender
	start   func(*sender) // starts a target's goroutine; nil unless Run runs
	stopped bool          // Run has ended or is ending
}

// New creates a Notifier. Notifications wait until Run sends them.
func New(cfg Config) (*Notifier, error) {
	switch {
	case cfg.Engine == nil:
		return nil, errors.New("notify: no engine")
	case cfg.Queue < 0:
		return nil, fmt.Errorf("notify: queue size is %d, want 0 or more", cfg.Queue)
	case cfg.MaxMessageSize != 0 && (cfg.MaxMessageSize < wire.MinMaxSize || cfg.MaxMessageSize > DefaultMaxMessageSize):
		return nil, fmt.Errorf("notify: maximum message size is %d, want %d..%d octets", cfg.MaxMessageSize, wire.MinMaxSize, DefaultMaxMessageSize)
	}
	c := &common{
		engine: cfg.Engine, maxSize: int32(cmp.Or(cfg.MaxMessageSize, DefaultMaxMessageSize)), queue: cmp.Or(cfg.Queue, DefaultQueue),
		log: cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)), dial: dialUDP(nil), newID: newID,
	}
	n := &Notifier{common: c, ready: make(chan struct{})}
	if err := n.SetTargets(cfg.Targets); err != nil {
		return nil, err
	}
	return n, nil
}

// newID returns an unpredictable request-id or msgID.
func newID() int32 {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return int32(binary.BigEndian.Uint32(b[:]) >> 1)
}

// SetTargets replaces the targets. A target whose configuration does not change keeps its queue,
// its statistics and the state of its receiver. A removed or changed one ends as at the end of Run.
// An error names the target, and nothing has changed.
func (n *Notifier) SetTargets(targets []Target) error {
	senders := make([]*sender, 0, len(targets))
	names := make(map[string]bool, len(targets))
	for i, t := range targets {
		s, err := newSender(n.common, t)
		if err != nil {
			return fmt.Errorf("notify: target %d (%q): %w", i+1, t.Name, err)
		}
		if names[t.Name] {
			return fmt.Errorf("notify: target %d (%q): another target has the same name", i+1, t.Name)
		}
		names[t.Name] = true
		senders = append(senders, s)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	old := make(map[string]*sender, len(n.senders))
	for _, s := range n.senders {
		old[s.receiver.Name] = s
	}
	for i, s := range senders {
		if was := old[s.receiver.Name]; was != nil && was.receiver.same(s.receiver) {
			senders[i] = was
			delete(old, s.receiver.Name)
		} else if n.start != nil {
			n.start(s)
		}
	}
	for _, s := range old {
		if s.stop != nil {
			s.stop()
		}
	}
	n.senders = senders
	return nil
}

// String names the Notifier for a log.
func (n *Notifier) String() string { return "snmp notifications" }

// Ready is closed when Run sends what [Notifier.Notify] queues. It does not wait for a receiver to
// answer.
func (n *Notifier) Ready() <-chan struct{} { return n.ready }

// Run sends notifications until ctx ends. Then it sends the waiting ones and waits for the
// acknowledgement of informs, for at most one second. It returns nil. Call it once.
func (n *Notifier) Run(ctx context.Context) error {
	var running sync.WaitGroup
	n.mu.Lock()
	n.start = func(s *sender) {
		var own context.Context
		own, s.stop = context.WithCancel(ctx)
		running.Go(func() { s.run(own) })
	}
	for _, s := range n.senders {
		n.start(s)
	}
	n.mu.Unlock()
	close(n.ready)

	<-ctx.Done()
	n.mu.Lock()
	n.start, n.stopped = nil, true
	for _, s := range n.senders {
		s.stop()
	}
	n.mu.Unlock()
	running.Wait()
	return nil
}

// Notify sends a notification to all targets: sysUpTime.0, snmpTrapOID.0 with the value trap, then
// vbs, which are copied. Targets whose View does not have them get nothing. It never blocks. The
// error joins the errors of the targets that do not get it ([ErrQueueFull], [ErrTooLarge]), or is
// [ErrStopped], or says that the notification is invalid.
func (n *Notifier) Notify(trap mib.OID, vbs ...mib.Varbind) error {
	note, err := n.encode(trap, vbs)
	if err != nil {
		return err
	}
	senders, err := n.current()
	if err != nil {
		return err
	}
	now := time.Now()
	var errs []error
	for _, s := range senders {
		if err := s.offer(note, now); err != nil && !errors.Is(err, ErrNotInView) {
			errs = append(errs, s.ofTarget(err))
		}
	}
	return errors.Join(errs...)
}

// current returns the senders of the targets, in their order. The caller must not modify the slice.
func (n *Notifier) current() ([]*sender, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped {
		return nil, fmt.Errorf("notify: %w", ErrStopped)
	}
	return n.senders, nil
}

// encode checks and encodes a notification (RFC 3416 section 4.2.6).
func (n *Notifier) encode(trap mib.OID, vbs []mib.Varbind) (*notification, error) {
	head := make([]mib.Varbind, 2)
	head[0].Name = sysUpTime
	head[0].Value.SetTimeTicks(uint32(n.common.engine.UpTime() / (10 * time.Millisecond)))
	head[1].Name = snmpTrapOID
	head[1].Value.SetOID(trap)
	var f wire.Frame
	f.Reset()
	for i, vb := range append(head, vbs...) {
		if err := checkVarbind(&vb); err != nil {
			return nil, fmt.Errorf("notify: variable %d: %w", i+1, err)
		}
		f.AppendVarbind(&vb)
	}
	note := &notification{varbinds: bytes.Clone(f.Bytes()), oids: []mib.OID{slices.Clone(trap)}}
	for _, vb := range vbs {
		note.oids = append(note.oids, slices.Clone(vb.Name))
	}
	return note, nil
}

func checkVarbind(vb *mib.Varbind) error {
	if err := checkOID(vb.Name); err != nil {
		return fmt.Errorf("name %s: %w", vb.Name, err)
	}
	switch vb.Value.Type {
	case mib.Integer32, mib.OctetString, mib.IpAddress, mib.Counter32, mib.Gauge32, mib.TimeTicks, mib.Opaque, mib.Counter64:
		return nil
	case mib.ObjectIdentifier:
		if err := checkOID(vb.Value.OID); err != nil {
			return fmt.Errorf("value %s: %w", vb.Value.OID, err)
		}
		return nil
	}
	return fmt.Errorf("value type %s is not allowed in a notification", vb.Value.Type)
}

// checkOID returns an error if BER cannot encode an OID (X.690 section 8.19).
func checkOID(o mib.OID) error {
	if len(o) < 2 || len(o) > mib.MaxSubIDs || o[0] > 2 || o[0] < 2 && o[1] > 39 {
		return errors.New("not an OBJECT IDENTIFIER")
	}
	return nil
}

// Sent is how many notifications were sent since New, over all targets, including removed ones. It
// never decreases. An inform counts once, however often it is retransmitted. snmpOutTraps (RFC
// 3418) shows it.
func (n *Notifier) Sent() uint64 { return n.common.sent.Load() }

// Stats returns the statistics of the targets, in their order.
func (n *Notifier) Stats() []TargetStats {
	n.mu.Lock()
	senders := n.senders
	n.mu.Unlock()
	stats := make([]TargetStats, len(senders))
	for i, s := range senders {
		stats[i] = s.stats()
	}
	return stats
}
