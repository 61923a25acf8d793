package store

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"aaasess/internal/throttle"
)

// Store is an open directory. See the package comment for who owns what.
type Store struct {
	dir string
	cfg Config
	log *slog.Logger
	db  *pebble.DB
	// lock keeps other processes out. It is not released after a failure.
	lock *pebble.Lock

	mu      sync.Mutex
	queues  map[string]*queue
	open    *batch   // takes new changes
	sealed  []*batch // full, for the writer, in order
	flight  []*batch // with the writer or the committer, in order
	idle    []*batch
	asleep  bool // the writer (after a failure, the committer) must be woken
	closed  bool
	reading sync.WaitGroup // added to under mu, while not closed

	after     func()
	wake      chan struct{} // to the writer, coalesced
	applied   chan *batch   // writer to committer, closed when nothing more comes
	committed chan struct{} // closed when the committer ends

	pending atomic.Int64 // changes whose callback has not run
	stopped atomic.Bool  // is closed, without mu

	damage map[string]*Damage // by key; under mu
	repairs
	inventory *inventory

	trouble        trouble
	backgroundLine throttle.Line // of background work that fails again and again

	failOnce sync.Once
	cause    error         // set before failed is closed; what Err gives wraps it
	failed   chan struct{} // closed on a fatal error of the engine

	spaceWatcher
}

// newStore makes a store that has everything but its engine.
func newStore(dir string, cfg Config) *Store {
	cfg = cfg.withDefaults()
	s := &Store{
		dir: dir, cfg: cfg, log: cfg.Logger,
		queues:    make(map[string]*queue),
		damage:    make(map[string]*Damage),
		wake:      make(chan struct{}, 1),
		applied:   make(chan *batch, 1),
		committed: make(chan struct{}),
		failed:    make(chan struct{}),
	}
	s.suspects = make(map[uint64]*suspect)
	s.trouble.patience = backgroundPatience
	s.spaceWatcher.init(cfg)
	s.inventory = &inventory{fsys: s.fsys, file: s.fsys.PathJoin(dir, inventoryName)}
	return s
}

// Failed is closed on a fatal error of the engine. Nothing can be committed or
// read any more; a new process that opens the directory recovers.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Err is nil until Failed is closed, then an error that wraps ErrFailed and the cause.
func (s *Store) Err() error {
	if s.hasFailed() {
		return fmt.Errorf("%w: %s: %w", ErrFailed, s.dir, s.cause)
	}
	return nil
}

func (s *Store) hasFailed() bool {
	select {
	case <-s.failed:
		return true
	default:
		return false
	}
}

// fail records the first fatal error. It takes no lock: the engine calls it
// with its own locks held.
func (s *Store) fail(err error) {
	s.failOnce.Do(func() {
		s.cause = err
		close(s.failed)
		s.log.Error("store failed", "dir", s.dir, "err", err)
	})
}

// Close waits until everything committed is durable and answered, and gives
// the directory free. After a failure it returns the error at once.
// A second Close returns ErrClosed. Not to be called from a callback.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.closed = true
	s.stopped.Store(true)
	s.mu.Unlock()
	s.poke()
	<-s.committed
	s.stopWatch()

	err := s.engine(func() error {
		s.reading.Wait()
		return s.db.Close()
	})
	if errors.Is(err, ErrFailed) {
		return err
	}
	if err != nil {
		return fmt.Errorf("store: close %s: %w", s.dir, err)
	}
	return s.lock.Close()
}

// engine runs a call into the engine on a goroutine that the engine may park
// for ever, so that the caller gets away when it fails.
func (s *Store) engine(fn func() error) error {
	if s.hasFailed() {
		return s.Err()
	}
	result := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				result <- asError(r)
			}
		}()
		result <- fn()
	}()
	select {
	case err := <-result:
		return err
	case <-s.failed:
		return s.Err()
	}
}
