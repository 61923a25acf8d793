package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Open opens the directory and restores what was durable. It creates the directory if there is
// none. It gives the directory mode 0700 and its files mode 0600, whatever they had before, unless
// the directory has files of others (Config.Beside). Its errors name the directory and wrap
// ErrLocked, ErrNoSpace, ErrFormat, ErrCorrupt, ErrDamaged or an error of the operating system.
func Open(dir string, cfg Config) (*Store, error) {
	s := newStore(dir, cfg)
	if err := s.openDir(); err != nil {
		return nil, fmt.Errorf("store: %s: %w", dir, err)
	}
	s.opening.Store(true)
	isOpen := s.pacer.wait()
	err := s.openEngine()
	s.opening.Store(false)
	if err == nil {
		s.pacer.opened(s.db.Metrics().Levels[0].TablesSize)
	}
	isOpen()
	if err != nil {
		if s.hasFailed() {
			err = s.cause // the engine may still use the files, so they stay locked
		} else {
			_ = s.lock.Close()
		}
		return nil, fmt.Errorf("store: %s: %w", dir, err)
	}
	s.opener.waiting.Store(true)
	s.makeBallast()
	s.checkSpace()
	s.startWatch()
	go s.write()
	go s.refuseAfterFailure()
	return s, nil
}

// openDir makes sure that the directory exists, is writable and is ours, and that the disk is not
// so full that the engine would retry without end.
func (s *Store) openDir() error {
	fsys := s.fsys
	if err := fsys.MkdirAll(s.dir, folderMode); err != nil {
		return err
	}
	if names, err := fsys.List(s.dir); err == nil && len(names) == 0 {
		s.restrict() // otherwise the umask could keep us from writing there
	}
	probe := fsys.PathJoin(s.dir, fmt.Sprintf("probe-%d", os.Getpid()))
	f, err := fsys.Create(probe, vfs.WriteCategoryUnspecified)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return fmt.Errorf("not writable: %w", err)
		}
		return err
	}
	if err := errors.Join(f.Close(), fsys.Remove(probe)); err != nil {
		return err
	}
	lock, err := pebble.LockDirectory(s.dir, fsys)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrLocked, err)
	}
	s.lock = lock
	s.restrict()
	// The ballast is created again after the engine is open, because opening it needs space.
	s.dropBallast()
	if err := s.checkRoomToOpen(); err != nil {
		_ = lock.Close()
		return err
	}
	return nil
}

// openEngine opens the engine and reads the positions of the queues.
func (s *Store) openEngine() error {
	err := s.callEngine(func() error {
		db, err := s.openDB()
		if err != nil {
			return err
		}
		s.db = db
		err = s.restore()
		for pebble.IsCorruptionError(err) {
			if err = s.acceptLoss(err); err == nil {
				clear(s.queues)
				clear(s.damage)
				err = s.restore()
			}
		}
		if err != nil {
			return errors.Join(err, db.Close())
		}
		return nil
	})
	if pebble.IsCorruptionError(err) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// restore finishes a cut that a crash interrupted, checks the format, and loads the positions of
// all queues. In an empty store it writes the format.
func (s *Store) restore() error {
	// If the engine refuses the cut, it will report the damage again.
	if _, err := s.finishCut(); err != nil {
		return err
	}
	if err := s.restoreFormat(); err != nil {
		return err
	}
	if err := s.eachKey(prefixDamage, s.restoreDamage); err != nil {
		return err
	}
	if err := s.eachKey(prefixQueue, s.restoreQueue); err != nil {
		return err
	}
	if s.lossAccepted {
		if err := s.restorePositions(); err != nil {
			return err
		}
	}
	return s.eachKey(prefixAcked, s.restoreChunk)
}

func (s *Store) restoreFormat() error {
	value, closer, err := s.db.Get([]byte{prefixFormat})
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		if !s.lossAccepted {
			if err := s.mustBeEmpty(); err != nil {
				return err
			}
		}
		return s.db.Set([]byte{prefixFormat}, appendFormat(nil, format), pebble.Sync)
	case err != nil:
		return err
	}
	v, err := parseFormat(value)
	if err := errors.Join(err, closer.Close()); err != nil {
		return err
	}
	if v != format {
		return fmt.Errorf("%w: the files have format %d, this program supports %d", ErrFormat, v, format)
	}
	return nil
}

func (s *Store) mustBeEmpty() error {
	return s.eachKey(0, func(key, _ []byte) error {
		return fmt.Errorf("key %s is there, but no format: %w", hex.EncodeToString(key), ErrCorrupt)
	})
}

// eachKey calls fn for all keys that start with the byte prefix, or for all keys if prefix is 0. It
// is used only before other goroutines know the store.
func (s *Store) eachKey(prefix byte, fn func(key, value []byte) error) error {
	opts := &pebble.IterOptions{LowerBound: []byte{prefix}, UpperBound: []byte{prefix + 1}}
	if prefix == 0 {
		opts.UpperBound = nil
	}
	it, err := s.db.NewIter(opts)
	if err != nil {
		return err
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		var value []byte
		if value, err = it.ValueAndErr(); err == nil {
			err = fn(it.Key(), value)
		}
	}
	return errors.Join(err, it.Close())
}

func (s *Store) restoreQueue(key, value []byte) error {
	name, err := parseQueueKey(key)
	if err != nil {
		return err
	}
	q := s.queue(name)
	q.low, q.next, err = parsePosition(value)
	q.durable = q.next
	// Records below low may not have been deleted yet. trimmed stays 0, so that the first range
	// deletion starts from the beginning.
	return err
}

func (s *Store) restoreChunk(key, value []byte) error {
	name, n, err := parseNumberedKey(key, prefixAcked)
	if err != nil {
		return err
	}
	var words [chunkWords]uint64
	if err := parseBitmap(value, &words); err != nil {
		return err
	}
	q := s.queues[name]
	if q == nil || !q.restore(n, &words) {
		if s.lossAccepted { // the position of its queue was lost, or was restored from the remaining records
			return s.db.Delete(key, pebble.Sync)
		}
		return fmt.Errorf("queue %q: bitmap of chunk %d outside the queue: %w", name, n, ErrCorrupt)
	}
	return nil
}
