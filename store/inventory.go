package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// inventory is a small file that lists the logs that must exist and the length of the engine's
// MANIFEST. The engine itself takes a missing log, or a MANIFEST that ends too early, for the
// result of a crash. The file is one line, overwritten in place and synced: a checksum in hex, the
// name and synced length of the MANIFEST, and the numbers of the logs, padded to whole sectors. A
// partly written line is ignored.
type inventory struct {
	mu       sync.Mutex
	fsys     vfs.FS
	file     string
	manifest string // "" if unknown
	length   int64
	logs     map[uint64]bool
}

const (
	inventoryName = "inventory"
	sector        = 512
	noManifest    = "-"
)

func (v *inventory) load() error {
	v.logs = make(map[uint64]bool)
	b, err := readFile(v.fsys, v.file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EIO) {
		return nil
	}
	if err != nil {
		return err
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	sum, text, _ := strings.Cut(string(line), " ")
	words := strings.Fields(text)
	if n, err := strconv.ParseUint(sum, 16, 32); err != nil || uint32(n) != crc32.Checksum([]byte(text), castagnoli) || len(words) < 2 {
		return nil // partly written, or damaged
	}
	if v.manifest = words[0]; v.manifest == noManifest {
		v.manifest = ""
	}
	v.length, _ = strconv.ParseInt(words[1], 10, 64) // the checksum proves that they are numbers
	for _, word := range words[2:] {
		n, _ := strconv.ParseUint(word, 10, 64)
		v.logs[n] = true
	}
	return nil
}

func readFile(fsys vfs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return nil, err
	}
	b := make([]byte, info.Size())
	_, err = f.ReadAt(b, 0)
	return b, err
}

// write makes the inventory durable. If that fails, it removes the file, because a wrong inventory
// must not be left.
func (v *inventory) write() {
	text := fmt.Sprintf("%s %d", cmp.Or(v.manifest, noManifest), v.length)
	for _, n := range slices.Sorted(maps.Keys(v.logs)) {
		text += " " + strconv.FormatUint(n, 10)
	}
	text = fmt.Sprintf("%08x %s\n", crc32.Checksum([]byte(text), castagnoli), text)
	b := make([]byte, (len(text)+sector-1)/sector*sector)
	copy(b, text)
	f, err := v.fsys.OpenReadWrite(v.file, vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = f.WriteAt(b, 0)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil && v.fsys.Remove(v.file) == nil {
		_ = syncDir(v.fsys, v.fsys.PathDir(v.file)) // otherwise a power cut brings the file back
	}
}

func syncDir(fsys vfs.FS, name string) error {
	dir, err := fsys.OpenDir(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// logNumber returns the number of a log file; false for any other file.
func logNumber(name string) (uint64, bool) {
	name, ok := strings.CutSuffix(path.Base(name), ".log")
	n, err := strconv.ParseUint(name, 10, 64)
	return n, ok && err == nil
}

// addLog adds a log. Call it after the log was created. removeLog removes one; call it before the
// file is removed.
func (v *inventory) addLog(name string) {
	if n, ok := logNumber(name); ok {
		v.mu.Lock()
		defer v.mu.Unlock()
		// The log's entry in the folder must be durable first, or a power cut would make it look lost.
		if syncDir(v.fsys, v.fsys.PathDir(name)) == nil {
			v.logs[n] = true
			v.write()
		}
	}
}

// has reports whether a log is listed. A log of a version without an inventory is not.
func (v *inventory) has(name string) bool {
	n, ok := logNumber(name)
	v.mu.Lock()
	defer v.mu.Unlock()
	return ok && v.logs[n]
}

// forgetIfOlder clears the inventory if the engine has a newer MANIFEST. Then a version without an
// inventory has run since: with one, the name of a MANIFEST is durable in the inventory before the
// engine uses it.
func (v *inventory) forgetIfOlder(manifest string) {
	number := func(name string) int {
		n, _ := strconv.Atoi(strings.TrimPrefix(name, "MANIFEST-"))
		return n
	}
	if v.manifest != "" && number(manifest) > number(v.manifest) {
		v.manifest, v.length = "", 0
		clear(v.logs)
	}
}

func (v *inventory) removeLog(name string) {
	if n, ok := logNumber(name); ok {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.logs[n] {
			delete(v.logs, n)
			v.write()
		}
	}
}

// setManifest sets the durable length of a MANIFEST. Call it after each sync.
func (v *inventory) setManifest(name string, length int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.manifest, v.length = path.Base(name), length
	v.write()
}

// manifest is a MANIFEST that is being written.
type manifest struct {
	vfs.File
	name      string
	length    int64
	inventory *inventory
}

func (m *manifest) Write(p []byte) (int, error) {
	n, err := m.File.Write(p)
	m.length += int64(n)
	return n, err
}

func (m *manifest) Sync() error     { return m.synced(m.File.Sync()) }
func (m *manifest) SyncData() error { return m.synced(m.File.SyncData()) }

func (m *manifest) synced(err error) error {
	if err == nil {
		m.inventory.setManifest(m.name, m.length)
	}
	return err
}
