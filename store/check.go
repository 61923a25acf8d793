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

// openDB opens the engine. What it would take for the traces of a crash, and is not, is refused before.
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
		// The first log of a new store is begun before its format is set, without the synced offsets.
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
	case !desc.Exists && v.manifest != "" && len(v.logs) > 0: // a first start that a crash ended had no log yet
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
		s.log.Error("store goes on without a log, as accepted: what was in it only is lost", "dir", s.dir, "file", name)
		v.logGone(name)
	}
	return nil
}

// checkManifest reads the MANIFEST, which must be whole as far as it was durable.
func (s *Store) checkManifest(name string) error {
	b, err := readFile(s.fsys, name)
	if err != nil {
		return err
	}
	end, err := eachRecord(b, 0, func([]byte) error { return nil })
	if size := int64(len(b)); size < s.inventory.length || err != nil && end < s.inventory.length {
		return lossError(fmt.Errorf("%s is damaged behind octet %d of %d", name, min(end, size), s.inventory.length))
	}
	return nil
}

// eachRecord calls fn for each record of a log or MANIFEST, until one is damaged or not there. It returns
// where the last good one ends, and an error unless that is the end in order.
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

// numberAs is a number in the engine's type of file numbers, which it does not export.
func numberAs[T ~uint64](_ T, n uint64) T { return T(n) }

// checkLogs looks which logs are damaged, and says so in an error; with Config.AcceptLoss it cuts them off where
// they are, and returns true.
func (s *Store) checkLogs() (mended bool, err error) {
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
		if !damaged && (err == nil || i == len(logs)-1 && errors.Is(err, record.ErrUnexpectedEOF)) {
			continue // a crash's end, at most
		}
		if err == nil {
			err = errEarly
		}
		if !s.cfg.AcceptLoss {
			return false, lossError(fmt.Errorf("log %s is damaged behind octet %d of %d: %w", name, end, len(b), err))
		}
		if err := s.cutLog(name, records); err != nil {
			return false, err
		}
		mended = true
		s.log.Error("store goes on without the rest of a damaged log, as accepted", "dir", s.dir, "file", name,
			"octets_kept", end, "octets", len(b), "changes_kept", len(records), "err", err)
	}
	return mended, nil
}

// errEarly is the reason for a log that seems to end in order before what is known to be durable.
var errEarly = errors.New("it seems to end there")

// cutLog writes a log anew, with some records only.
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
