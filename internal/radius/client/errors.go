package client

import (
	"errors"
)

// The results of a [Request] without an answer, besides [retry.Later].
var (
	// ErrNoResponse is returned if no server answered by the end of the schedules.
	ErrNoResponse = errors.New("radius: no server answers")
	// ErrStopped is returned if the group was closed before an answer.
	ErrStopped = errors.New("radius: group was closed")
	// ErrOverflow is returned if more than Window requests are in flight: nothing was sent.
	ErrOverflow = errors.New("radius: too many requests in flight")
)

// errRunning is returned if Run is called a second time.
var errRunning = errors.New("radius: group has already run or was closed")

// ErrForeign is returned by a [Conn] if a packet has another source address than its server.
var ErrForeign = errors.New("radius: packet from an address other than the server's")

// errUnsigned describes an answer that has no Message-Authenticator although it needs one.
var errUnsigned = errors.New("radius: no Message-Authenticator; if the server cannot send one, set its message-authenticator to auto or legacy")

// errForged describes an answer that was made without the right secret.
var errForged = errors.New("radius: wrong authenticator or Message-Authenticator")
