package client

import (
	"errors"
	"fmt"
)

// The results of a [Request] without an answer, besides [retry.Later].
var (
	// ErrNoResponse is returned if no server accepted the request by the end of the schedules.
	ErrNoResponse = errors.New("tacacs: no server accepts the record")
	// ErrRefused is an ErrNoResponse of a request to which a server has answered ERROR or FOLLOW.
	ErrRefused = fmt.Errorf("%w: ERROR or FOLLOW", ErrNoResponse)
	// ErrStopped is returned if the group was closed before an answer.
	ErrStopped = errors.New("tacacs: group was closed")
	// ErrOverflow is returned if more than Window requests are in flight: nothing was sent.
	ErrOverflow = errors.New("tacacs: too many requests in flight")
	// ErrUnsendable is returned if a request does not fit into a packet.
	ErrUnsendable = errors.New("tacacs: record does not fit into a packet")
)

// errRunning is returned if Run is called a second time.
var errRunning = errors.New("tacacs: group has already run or was closed")
