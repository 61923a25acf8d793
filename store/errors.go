package store

import "errors"

// Errors that Accepting and Commit callbacks give.
var (
	// ErrBusy is returned when Config.MaxPending changes wait for the disk.
	ErrBusy = errors.New("store: too many changes pending")
	// ErrNoSpace is returned when the free disk space is below Config.MinFree
	// or the store above Config.MaxSize, and by Open when there is too little
	// space to open at all.
	ErrNoSpace = errors.New("disk space is short")
	// ErrFailed is returned, wrapped around the cause, after a fatal error of
	// the engine. Only a new process recovers from it.
	ErrFailed = errors.New("store: failed")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("store: closed")
	// ErrInvalid is returned when a change names a bad queue or key, or is too large.
	ErrInvalid = errors.New("store: invalid change")
)

// Errors that Open gives, besides ErrNoSpace.
var (
	// ErrLocked is returned when another store has the directory open.
	ErrLocked = errors.New("in use by another process")
	// ErrFormat is returned when a newer program wrote the directory.
	ErrFormat = errors.New("unknown format")
	// ErrCorrupt is returned when the files hold what this package never writes.
	ErrCorrupt = errors.New("corrupt")
	// ErrDamaged is returned, by Load too, when part of the state or of the log can't be read or is
	// missing: to go on would lose it. With Config.AcceptLoss it is given up instead.
	ErrDamaged = errors.New("damaged")
)
