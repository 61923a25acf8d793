package overlay

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"aaasess/internal/atomicfile"
	"aaasess/internal/servers"
)

// maxSize is the size of the largest file that is read, in octets. Names of servers that were
// destroyed are what can be many.
const maxSize = 16 << 20

// Damaged is what the name of a file has at its end when the file could not be read: it is renamed,
// so that an operator can look at it. Only the latest one is kept.
const Damaged = ".damaged"

// File keeps an overlay and casServerStateChangeEnable.
type File struct {
	name string

	stateChange atomic.Bool // that of kept, for readers that must not wait for the disk

	mu   sync.Mutex // guards the following; held while the file is written
	kept content    // what counts
	// differs says that the file may differ from kept, because a write failed.
	differs bool
}

// content is what the file has.
type content struct {
	overlay     servers.Overlay
	stateChange bool // casServerStateChangeEnable
}

// Open reads a file; a missing one has nothing, and casServerStateChangeEnable is false. A file that
// cannot be read is renamed, with an error in the log, and counts as missing. The error is that of
// the renaming: the file would be lost at the next change.
func Open(name string, log *slog.Logger) (*File, error) {
	f := &File{name: name}
	b, err := atomicfile.Read(name, maxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		f.kept, err = parse(b)
		f.stateChange.Store(f.kept.stateChange)
	}
	if err != nil {
		if err2 := os.Rename(name, name+Damaged); err2 != nil {
			return nil, fmt.Errorf("file of the servers that SNMP managers have changed: %w", errors.Join(err, err2))
		}
		log.Error("snmp: what managers have changed of the servers cannot be read and is not in use; the file is set aside", "file", name+Damaged, "err", err)
	}
	return f, nil
}

// Overlay returns the servers that the file has. The caller must not change them.
func (f *File) Overlay() servers.Overlay {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.kept.overlay
}

// StateChangeEnabled returns casServerStateChangeEnable. It does not wait for the disk.
func (f *File) StateChangeEnabled() bool { return f.stateChange.Load() }

// SetOverlay replaces the overlay. It is on the disk when SetOverlay returns; after an error the old
// one counts.
func (f *File) SetOverlay(o servers.Overlay) error {
	return f.set(func(c *content) { c.overlay = o })
}

// SetStateChangeEnabled sets casServerStateChangeEnable, as SetOverlay.
func (f *File) SetStateChangeEnabled(on bool) error {
	return f.set(func(c *content) { c.stateChange = on })
}

func (f *File) set(change func(*content)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := f.kept
	change(&next)
	if !f.differs && f.kept.equal(&next) {
		return nil
	}
	if err := f.write(&next); err != nil {
		return err
	}
	f.kept = next
	f.stateChange.Store(next.stateChange)
	return nil
}

// Restore replaces the overlay even if the disk does not accept it: then the file has another one
// until [File.Retry] returns nil.
func (f *File) Restore(o servers.Overlay) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept.overlay = o
	return f.write(&f.kept)
}

// Retry writes the file again if it may have something else than what counts, because the last write
// failed.
func (f *File) Retry() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.differs {
		return nil
	}
	return f.write(&f.kept)
}

// write writes the file. After an error it may have its old or its new content. The caller holds mu.
func (f *File) write(c *content) error {
	b, err := c.append(nil)
	if err == nil {
		err = atomicfile.Replace(f.name, b)
	}
	f.differs = err != nil
	return err
}

func (c *content) equal(other *content) bool {
	return c.stateChange == other.stateChange && slices.Equal(c.overlay.Created, other.overlay.Created) &&
		slices.Equal(c.overlay.Destroyed, other.overlay.Destroyed)
}
