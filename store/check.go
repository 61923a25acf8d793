package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// openDB opens the engine. Before that, it refuses damage that the engine would take for the result
// of a crash.
func (s *Store) openDB() (*pebble.DB, error) {
	if err := s.checkFiles(); err != nil {
		return nil, err
	}
	desc, err := pebble.Peek(s.dir, s.fsys)
	if err != nil {
		return nil, err
	}
	db, err := s.openPebble()
	if err == nil && !desc.Exists {
		// The first log of a new store is created before its format is set, so it lacks the synced
		// offsets.
		if err := db.Close(); err != nil {
			return nil, err
		}
		return s.openPebble()
	}
	if pebble.IsCorruptionError(err) {
		damaged, err2 := s.checkLogs()
		if err2 != nil {
			return nil, errors.Join(err, err2)
		}
		if damaged {
			db, err = s.openPebble()
		}
	}
	if err != nil && desc.Exists {
		err = fmt.Errorf("%w (with %s and %s)", err, desc.ManifestFilename, desc.OptionsFilename)
	}
	return db, err
}

func (s *Store) openPebble() (*pebble.DB, error) {
	opts := s.options()
	opts.Lock = s.lock
	return pebble.Open(s.dir, opts)
}

// checkFiles compares the files with the inventory.
func (s *Store) checkFiles() error {
	v := s.inventory
	if err := v.load(); err != nil {
		return err
	}
	desc, err := pebble.Peek(s.dir, s.fsys)
	if err != nil {
		return err
	}
	if desc.Exists {
		v.forgetIfOlder(s.fsys.PathBase(desc.ManifestFilename))
	}
	switch {
	case !desc.Exists && v.manifest != "" && len(v.logs) > 0: // without logs, a crash ended the first Open
		return lossError(fmt.Errorf("the marker file that names %s is missing", v.manifest))
	case desc.Exists && s.fsys.PathBase(desc.ManifestFilename) == v.manifest:
		if err := s.checkManifest(desc.ManifestFilename); err != nil {
			return err
		}
	}
	for _, n := range slices.Sorted(maps.Keys(v.logs)) {
		name := fmt.Sprintf("%06d.log", n)
		if _, err := s.fsys.Stat(s.fsys.PathJoin(s.dir, name)); err == nil {
			continue
		}
		if !s.cfg.AcceptLoss {
			return lossError(fmt.Errorf("log %s is missing", name))
		}
		s.log.Error("store continues without a missing log, as --accept-loss allows; changes that were only in it are lost", "dir", s.dir, "file", name)
		v.removeLog(name)
	}
	return nil
}

// checkManifest reads the MANIFEST. Everything in it that was durable must be readable.
func (s *Store) checkManifest(name string) error {
	b, err := readFile(s.fsys, name)
	if err != nil {
		return err
	}
	end, err := eachRecord(b, 0, func([]byte) error { return nil })
	if size := int64(len(b)); size < s.inventory.length || err != nil && end < s.inventory.length {
		return lossError(fmt.Errorf("%s is damaged after octet %d of %d", name, min(end, size), s.inventory.length))
	}
	return nil
}

// eachRecord calls fn for each record of a log or MANIFEST, up to the end or to a damaged record.
// It returns where the last good record ends, and an error unless that is a regular end.
func eachRecord(b []byte, number uint64, fn func(record []byte) error) (end int64, err error) {
	r := record.NewReader(bytes.NewReader(b), numberAs(pebble.SSTableInfo{}.BackingSSTNum, number))
	for {
		one, err := r.Next()
		var data []byte
		if err == nil {
			data, err = io.ReadAll(one)
		}
		if err == nil {
			err = fn(data)
		}
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return end, err
		}
		end = r.Offset()
	}
}

// numberAs converts a number to the engine's type of file numbers, which the engine does not
// export.
func numberAs[T ~uint64](_ T, n uint64) T { return T(n) }

// checkLogs returns an error that names a damaged log. With Config.AcceptLoss it instead truncates
// damaged logs at the damage, and returns true.
func (s *Store) checkLogs() (repaired bool, err error) {
	names, err := s.fsys.List(s.dir)
	if err != nil {
		return false, err
	}
	var logs []uint64
	for _, name := range names {
		if n, ok := logNumber(name); ok {
			logs = append(logs, n)
		}
	}
	slices.Sort(logs)
	for i, n := range logs {
		name := s.fsys.PathJoin(s.dir, fmt.Sprintf("%06d.log", n))
		b, err := readFile(s.fsys, name)
		if err != nil {
			return false, err
		}
		var records [][]byte
		end, err := eachRecord(b, n, func(data []byte) error {
			records = append(records, data)
			return nil
		})
		_, damaged, err2 := logDamage(bytes.NewReader(b), n)
		if err2 != nil {
			return false, err2
		}
		mayEnd := i == len(logs)-1 || len(bytes.TrimLeft(b[end:], "\x00")) == 0
		if !damaged && (err == nil || mayEnd && errors.Is(err, record.ErrUnexpectedEOF)) {
			continue // at most the end that a crash leaves; an older log that is still there ends with zeros
		}
		if err == nil {
			err = errEndsEarly
		}
		if !s.cfg.AcceptLoss {
			return false, lossError(fmt.Errorf("log %s is damaged after octet %d of %d: %w", name, end, len(b), err))
		}
		if err := s.cutLog(name, records); err != nil {
			return false, err
		}
		repaired = true
		s.log.Error("store continues without the rest of a damaged log, as --accept-loss allows", "dir", s.dir, "file", name,
			"octets_kept", end, "octets", len(b), "changes_kept", len(records), "err", err)
	}
	return repaired, nil
}

// errEndsEarly is the reason of a log that seems to end regularly, but before data that is known to
// be durable.
var errEndsEarly = errors.New("it seems to end there, but later data was durable")

// cutLog rewrites a log with only the given records.
func (s *Store) cutLog(name string, records [][]byte) error {
	f, err := s.fsys.Create(name+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	w := record.NewWriter(f)
	for _, data := range records {
		if _, err := w.WriteRecord(data); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err := errors.Join(w.Close(), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := s.fsys.Rename(name+".new", name); err != nil {
		return err
	}
	return syncDir(s.fsys, s.dir)
}
