package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"aaasess/accounting"
	"aaasess/internal/folder"
	"aaasess/internal/radius"
	"aaasess/internal/retry"
)

// window is how many records may wait for the disk: some megabytes at most.
const window = 1024

// Writer is the method "local". It implements [accounting.Method].
type Writer struct {
	path   string
	logger *slog.Logger
	names  func() *radius.Dictionary
	wake   chan struct{} // to Run, coalesced
	file   *os.File      // only Run uses it once it runs; nil after an error
	ready  chan struct{}

	mu      sync.Mutex
	lines   []byte
	dones   []func(error)
	reopen  bool
	stopped bool
}

// Open opens the file, or creates it with mode 0640, and its folder with mode 0750. names returns
// the names of attributes. The error names the file.
func Open(path string, names func() *radius.Dictionary, logger *slog.Logger) (*Writer, error) {
	w := &Writer{path: path, names: names, logger: logger, wake: make(chan struct{}, 1), ready: make(chan struct{})}
	if err := folder.MakeAll(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("local: %w", err)
	}
	if err := w.open(); err != nil {
		return nil, err
	}
	return w, nil
}

// String describes the task for logs.
func (w *Writer) String() string { return "accounting to " + w.path }

// Ready is closed when Run writes.
func (w *Writer) Ready() <-chan struct{} { return w.ready }

// Window returns how many records may be in flight.
func (w *Writer) Window() int { return window }

// Send adds a record to the next write. It calls done with nil when the record is on the disk, and
// with [accounting.ErrNoResponse] when it could not be written and must be sent again.
func (w *Writer) Send(rec *accounting.Record, _ retry.Progress, done func(error)) {
	w.mu.Lock()
	if w.stopped {
		w.mu.Unlock()
		done(accounting.ErrStopped)
		return
	}
	w.lines = appendLine(w.lines, rec, w.names(), time.Now())
	w.dones = append(w.dones, done)
	w.mu.Unlock()
	w.wakeRun()
}

// Announce writes the line of an Accounting-On or -Off, see [accounting.Opened].
func (w *Writer) Announce(rec *accounting.Record, done func(server string, err error)) {
	w.Send(rec, retry.Progress{}, func(err error) {
		if err != nil {
			done("", err)
			return
		}
		done(string(accounting.Local), nil)
	})
}

// Reopen closes the file, and opens or creates the file that has its name then. Call it after the
// file was renamed (logrotate).
func (w *Writer) Reopen() {
	w.mu.Lock()
	w.reopen = true
	w.mu.Unlock()
	w.wakeRun()
}

func (w *Writer) wakeRun() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run writes until ctx is done, and then the records that it still has. Later records get
// [accounting.ErrStopped]. Run is called once.
func (w *Writer) Run(ctx context.Context) error {
	close(w.ready)
	var lines []byte
	var dones []func(error)
	for over := false; !over; {
		select {
		case <-ctx.Done():
			over = true
		case <-w.wake:
		}
		w.mu.Lock()
		w.lines, lines = lines[:0], w.lines
		w.dones, dones = dones[:0], w.dones
		reopen := w.reopen
		w.reopen, w.stopped = false, over
		w.mu.Unlock()

		if reopen {
			w.close()
			if err := w.open(); err != nil {
				w.logger.Error("accounting file cannot be reopened; records wait", "file", w.path, "err", err)
			}
		}
		var err error
		if len(dones) > 0 {
			err = w.write(lines)
		}
		for _, done := range dones {
			done(err)
		}
		clear(dones)
	}
	w.close()
	return nil
}

// write makes lines durable. After an error none of them is in the file, if that is possible.
func (w *Writer) write(lines []byte) error {
	if w.file != nil && isDeleted(w.file) {
		w.logger.Warn("accounting file was deleted; creating it again", "file", w.path)
		w.close()
	}
	if w.file == nil {
		if err := w.open(); err != nil {
			return fmt.Errorf("%w: %w", accounting.ErrNoResponse, err)
		}
	}
	end, err := w.file.Seek(0, io.SeekEnd)
	if err == nil {
		if _, err = w.file.Write(lines); err == nil {
			err = w.file.Sync()
		}
		if err != nil {
			// A partial line would spoil the file, and whole lines would be written twice.
			err = errors.Join(err, w.file.Truncate(end))
		}
	}
	if err != nil {
		w.close() // after a failed sync the state of the kernel's cache is unknown
		return fmt.Errorf("%w: local: %w", accounting.ErrNoResponse, err)
	}
	return nil
}

// open opens the file for appending, after a complete line.
func (w *Writer) open() error {
	f, err := os.OpenFile(w.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("local: %w", err)
	}
	if err := errors.Join(endLine(f), folder.Sync(filepath.Dir(w.path))); err != nil {
		return errors.Join(fmt.Errorf("local: %w", err), f.Close())
	}
	w.file = f
	return nil
}

// isDeleted reports whether the file has no name any more. Anything written to it would be lost.
func isDeleted(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false // the write will return the error
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 0
}

// endLine ends a partial line that a crash left.
func endLine(f *os.File) error {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil {
		return err
	}
	if last[0] == '\n' {
		return nil
	}
	_, err = f.Write([]byte{'\n'})
	return err
}

func (w *Writer) close() {
	if w.file != nil {
		if err := w.file.Close(); err != nil {
			w.logger.Warn("accounting file cannot be closed", "file", w.path, "err", err)
		}
		w.file = nil
	}
}
