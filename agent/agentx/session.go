package agentx

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"aaasess/internal/throttle"
	"aaasess/mib"
)

const (
	defaultTimeout   = 10 * time.Second
	defaultPingAfter = 15 * time.Second
	// dialTimeout limits one attempt to connect. A host that restarts does not answer the SYN sent
	// before, and the next SYN of the same attempt comes late.
	dialTimeout = time.Second
)

// Config configures a Subagent.
type Config struct {
	// Network is "unix" or "tcp".
	Network string
	// Address is the path of a socket or host:port, as in the master's agentXSocket. snmpd's
	// default is unix /var/agentx/master; the assigned port is 705.
	Address string
	// Description names the subagent in the master's AGENTX-MIB and log; at most 255 octets are
	// used.
	Description string
	// ID identifies the subagent (o.id of the Open); empty means none.
	ID mib.OID
	// Timeout is how long the master may leave a PDU of ours unanswered, or read nothing, before
	// the connection counts as lost. 0 means 10 s. It should be longer than the master waits for
	// another subagent (snmpd: agentXTimeout times agentXRetries plus one, 6 s).
	Timeout time.Duration
	// Logger receives a line when the session with the master is lost and when it is back, and when
	// the [Reason] of its absence changes (one line a minute for each reason), and when a SET is
	// refused or fails (one line a minute each). nil discards them.
	Logger *slog.Logger
	// Dial connects; nil means net.Dialer. It must return when its context ends.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Subagent serves a tree to a master agent whenever it is reachable.
type Subagent struct {
	cfg   Config
	tree  *mib.Tree
	order byteOrder
	ready chan struct{} // closed at the first registration
	queue chan *notification
	// pingAfter is how long the master may be silent before a Ping. A master on another host can
	// disappear silently.
	pingAfter time.Duration

	counters    counters
	operations  *operations
	lines       throttle.Lines[Reason] // of the log
	capsLine    throttle.Line          // of the log: AddAgentCaps refused
	setLine     throttle.Line          // of the log: a SET failed
	refusedLine throttle.Line          // of the log: a SET was refused

	mu      sync.Mutex // guards the fields below; never held over I/O
	stats   Stats      // without the counters
	conn    net.Conn   // the current one, for waking its loop; nil if none
	stopped bool       // Run has ended
}

// New creates a subagent for a tree. It does nothing until Run.
func New(cfg Config, tree *mib.Tree) *Subagent {
	cfg.Timeout = cmp.Or(max(0, cfg.Timeout), defaultTimeout)
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	return &Subagent{
		cfg: cfg, tree: tree, order: bigEndian, pingAfter: defaultPingAfter,
		ready: make(chan struct{}), queue: make(chan *notification, notifyQueue), operations: newOperations(),
		stats: Stats{Since: time.Now()},
	}
}

// Ready is closed when all subtrees are registered with a master for the first time.
func (s *Subagent) Ready() <-chan struct{} { return s.ready }

func (s *Subagent) String() string { return "agentx " + s.cfg.Network + ":" + s.cfg.Address }

// Run serves the master, and reconnects whenever the connection is lost. It returns nil when ctx
// ends, after a Close to the master. Call it once.
func (s *Subagent) Run(ctx context.Context) error {
	defer s.stop()
	log := s.cfg.Logger.With("network", s.cfg.Network, "address", s.cfg.Address)
	lost, last := time.Now(), Reason("")
	var pauses backoff
	for {
		up, conn, err := s.attempt(ctx, func() {
			log.Info("agentx: connected to the master agent", "attempts", pauses.attempts+1, "away", time.Since(lost).Round(time.Millisecond))
		})
		if ctx.Err() != nil {
			if conn != nil {
				conn.Close()
			}
			return nil
		}
		reason := reasonOf(err)
		s.setDisconnected(err, reason, up)
		isLost := up > 0 || last == ""
		if isLost {
			lost = time.Now()
		}
		if isLost || reason != last {
			s.logFailure(log, err, reason, isLost)
		}
		last = reason
		if wait(ctx, pauses.next(reason, up, time.Now()), conn) {
			pauses.masterGone(time.Now())
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// logFailure writes the line for an attempt that failed. The loss of a session always has one;
// reasons that only alternate have one a minute each.
func (s *Subagent) logFailure(log *slog.Logger, err error, reason Reason, isLost bool) {
	v := s.lines.Allow(reason, time.Now())
	if !v.Write && !isLost {
		return
	}
	if v.Suppressed > 0 {
		log = log.With("suppressed", v.Suppressed)
	}
	log.Warn(reason.message(), "err", err)
}

// logCapsRefused writes a line if the master does not want our modules in its sysORTable. We serve
// them all the same.
func (s *Subagent) logCapsRefused(err error) {
	if _, ok := s.capsLine.Allow(time.Now()); ok {
		s.cfg.Logger.Warn("agentx: the master agent does not list our modules in sysORTable",
			"network", s.cfg.Network, "address", s.cfg.Address, "err", err)
	}
}

// logSetFailed writes a line for a SET that failed after its test, at most one a minute. The master
// does not say who has sent the SET.
func (s *Subagent) logSetFailed(err error) {
	if suppressed, ok := s.setLine.Allow(time.Now()); ok {
		s.cfg.Logger.Warn("agentx: a SET failed", "network", s.cfg.Network, "address", s.cfg.Address, "err", err, "suppressed", suppressed)
	}
}

// attempt makes one connection and serves it until it ends. It returns how long the subtrees were
// registered, or 0 if they never were. If the master refused the session, the connection is still
// open, and refused.
func (s *Subagent) attempt(ctx context.Context, connected func()) (up time.Duration, refused net.Conn, err error) {
	dialCtx, cancel := context.WithTimeout(ctx, dialTimeout)
	conn, err := s.cfg.Dial(dialCtx, s.cfg.Network, s.cfg.Address)
	cancel()
	if err != nil {
		return 0, nil, err
	}
	var since time.Time
	l := newLoop(s, conn, func(sessionID uint32) {
		since = time.Now()
		s.setConnected(since, sessionID)
		connected()
	})
	err = l.run(ctx)
	if !since.IsZero() {
		up = max(time.Since(since), 1)
	}
	if _, ok := errors.AsType[*RefusedError](err); ok {
		return up, conn, err
	}
	conn.Close()
	return up, nil, err
}

// setConnected records that the subtrees are registered.
func (s *Subagent) setConnected(now time.Time, sessionID uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Connected, s.stats.Since, s.stats.SessionID, s.stats.Reason = true, now, sessionID, ""
	s.stats.Connects++
	if s.stats.Connects == 1 {
		close(s.ready)
	}
}

// setDisconnected records why a connection or an attempt ended. up is how long the subtrees were
// registered.
func (s *Subagent) setDisconnected(err error, reason Reason, up time.Duration) {
	if errors.Is(err, ErrMalformed) {
		s.counters.malformed.Add(1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.LastError, s.stats.Reason = err, reason
	if up > 0 {
		s.stats.Connected, s.stats.Since = false, time.Now()
	}
}

// attach sets the connection that wake interrupts; nil means none.
func (s *Subagent) attach(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = conn
}

// wake makes the loop call tick: its read fails with a timeout.
func (s *Subagent) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeLocked()
}

func (s *Subagent) wakeLocked() {
	if s.conn != nil {
		_ = s.conn.SetReadDeadline(time.Unix(1, 0)) // fails only if the connection is closed
	}
}

// stop rejects waiting and later notifications.
func (s *Subagent) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	s.stats.Connected = false
	for {
		select {
		case n := <-s.queue:
			n.done <- ErrStopped
		default:
			return
		}
	}
}
