package store

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"aaasess/internal/throttle"
)

// Store is an open directory. The package comment says which goroutine owns what.
type Store struct {
	dir  string
	cfg  Config
	log  *slog.Logger
	fsys vfs.FS // the file system below the layer that handles a full disk
	db   *pebble.DB
	// lock keeps other processes out. It is not released after a failure.
	lock *pebble.Lock

	mu      sync.Mutex
	queues  map[string]*queue
	filling *batch   // the batch that takes new changes
	sealed  []*batch // full batches for the writer, in order
	writing *batch   // the batch at the writer
	idle    []*batch
	asleep  bool // the writer (after a failure, refuseAfterFailure) waits on wake
	closed  bool
	readers sync.WaitGroup // added to under mu, while not closed

	afterBatch func()
	finishing  sync.Mutex    // held while the callbacks of a durable batch run; locked before mu
	wake       chan struct{} // to the writer, coalesced
	drained    chan struct{} // closed when the writer has finished the last batch; never after a failure
	answered   chan struct{} // closed when every change that was committed before Close has its answer

	opener *opener // opens wait in it while file descriptors are short

	opening  atomic.Bool   // Open is opening the engine
	pending  atomic.Int64  // changes whose callback has not run
	durable  atomic.Uint64 // batches whose callbacks run or have run
	finished atomic.Uint64 // batches whose callbacks have run
	stopped  atomic.Bool   // copy of closed that needs no mu

	damage map[string]*Damage // by key; under mu
	repairs
	inventory *inventory
	pacer     pacer

	backgroundFailures backgroundFailures
	backgroundLine     throttle.Line // background work that fails again and again

	failOnce sync.Once
	cause    error         // set before failed is closed; Err wraps it
	failed   chan struct{} // closed on a fatal error of the engine

	space spaceWatcher
}

// newStore returns a store that lacks only its engine.
func newStore(dir string, cfg Config) *Store {
	cfg = cfg.withDefaults()
	s := &Store{
		dir: dir, cfg: cfg, log: cfg.Logger,
		queues:   make(map[string]*queue),
		damage:   make(map[string]*Damage),
		wake:     make(chan struct{}, 1),
		drained:  make(chan struct{}),
		answered: make(chan struct{}),
		failed:   make(chan struct{}),
	}
	s.opener = &opener{log: s.log}
	s.fsys = private{vfs.Default, s.opener}
	if cfg.Disk != nil {
		s.fsys = cfg.Disk.fsys
	}
	s.suspects = make(map[uint64]*suspect)
	s.backgroundFailures.patience = backgroundPatience
	s.pacer.memtable = uint64(s.memTableSize())
	s.space.init(cfg.MaxSize)
	s.inventory = &inventory{fsys: s.fsys, file: s.fsys.PathJoin(dir, inventoryName)}
	return s
}

// Failed is closed after a fatal error of the engine. From then on nothing can be committed or
// read. A new process that opens the directory recovers.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Err returns nil until Failed is closed, then an error that wraps ErrFailed and the cause.
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

// fail records the first fatal error. It takes no lock, because the engine calls it with its own
// locks held.
func (s *Store) fail(err error) {
	s.failOnce.Do(func() {
		s.cause = err
		close(s.failed)
		s.log.Error("store failed; only a restart of the process recovers it", "dir", s.dir, "err", err)
	})
}

// Close waits until every committed change is durable and its callback has run, then unlocks the
// directory. After a failure it returns the error at once. A second Close returns ErrClosed. A
// callback must not call Close.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.closed = true
	s.stopped.Store(true)
	s.opener.waiting.Store(false)
	s.mu.Unlock()
	s.wakeWriter()
	<-s.answered
	s.stopWatch()

	err := s.callEngine(func() error {
		s.readers.Wait()
		defer s.pacer.wait()()
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

// callEngine runs a call into the engine on a goroutine of its own. When the engine fails, it may
// block that goroutine for ever, but not the caller.
func (s *Store) callEngine(fn func() error) error {
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
