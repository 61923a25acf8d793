package client

import (
	"errors"
)

// The ends of a [Request] without an answer, besides [retry.Later].
var (
	// ErrNoResponse is returned when no server answered, to the end of the schedules.
	ErrNoResponse = errors.New("radius: no server answers")
	// ErrStopped is returned when the group ended before an answer came.
	ErrStopped = errors.New("radius: group was closed")
	// ErrOverflow is returned when Send is called for more requests than Window at once: nothing was sent.
	ErrOverflow = errors.New("radius: too many requests in flight")
)

// errRunning is returned when Run is called a second time.
var errRunning = errors.New("radius: group has already run or was closed")

// ErrForeign is returned by a [Conn] when a packet came from elsewhere than its server.
var ErrForeign = errors.New("radius: packet from an address other than the server's")

// errForged is what is wrong with an answer that another secret made, or nobody who has one.
var errForged = errors.New("radius: wrong authenticator or Message-Authenticator")
