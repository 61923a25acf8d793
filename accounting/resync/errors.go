package resync

import "errors"

var (
	// ErrRunning is returned by Start while a resync of the method runs.
	ErrRunning = errors.New("resync: a resync of the method is running")
	// ErrNotRunning is returned by Cancel if no resync of the method runs.
	ErrNotRunning = errors.New("resync: no resync of the method is running")
	// ErrNotStored is returned by Cancel if the end of the resync cannot be stored: the next daemon
	// continues it.
	ErrNotStored = errors.New("resync: the end of the resync cannot be stored")
	// ErrState is returned when a stored state cannot be read.
	ErrState = errors.New("resync: stored state is damaged")
)
