package onoff

import "errors"

// Errors of [Sender], besides [accounting.ErrNoResponse] and [accounting.ErrStopped].
var (
	// ErrAcknowledged is returned when what is to be sent was answered before: it is sent again only
	// if forced (S3).
	ErrAcknowledged = errors.New("onoff: acknowledged already, force is needed to send it again")
	// ErrSuperseded is returned when an Accounting-On took the place of an Accounting-Off that was
	// being sent.
	ErrSuperseded = errors.New("onoff: superseded by an Accounting-On")
)

// ErrConfig is returned when a Config or Groups cannot be used.
var ErrConfig = errors.New("onoff: bad acct-on-off")
