package store

import "errors"

// Errors of Accepting and of Commit callbacks.
var (
	// ErrBusy is returned when Config.MaxPending changes wait for the disk.
	ErrBusy = errors.New("store: too many changes pending")
	// ErrNoSpace is returned when the free disk space is below Config.MinFree or the store is above
	// Config.MaxSize. Open returns it when there is too little space to open at all.
	ErrNoSpace = errors.New("disk space is short")
	// ErrFailed is returned, wrapped around the cause, after a fatal error of the engine. Only a
	// new process recovers from it.
	ErrFailed = errors.New("store: failed")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("store: closed")
	// ErrInvalid is returned when a change has an invalid queue name or key, or is too large.
	ErrInvalid = errors.New("store: invalid change")
)

// Errors of Open, besides ErrNoSpace.
var (
	// ErrLocked is returned when another store has the directory open.
	ErrLocked = errors.New("in use by another process")
	// ErrFormat is returned when a newer version of this program wrote the directory.
	ErrFormat = errors.New("unknown format")
	// ErrCorrupt is returned when the files contain something that this package never writes.
	ErrCorrupt = errors.New("corrupt")
	// ErrDamaged is returned when part of the state or of the log is missing or cannot be read, so
	// that going on would lose it. Load returns it too. With Config.AcceptLoss that part is
	// discarded instead.
	ErrDamaged = errors.New("damaged")
)
