package onoff

import "errors"

// Errors of [Sender], besides [accounting.ErrNoResponse] and [accounting.ErrStopped].
var (
	// ErrAcknowledged is returned when the Accounting-On or -Off was answered already. It is sent
	// again only if forced (S3).
	ErrAcknowledged = errors.New("onoff: a server has acknowledged it already; use force to send it again")
	// ErrSuperseded is returned when an Accounting-On replaced the Accounting-Off that was being
	// sent.
	ErrSuperseded = errors.New("onoff: superseded by an Accounting-On")
)

// ErrConfig is returned when a Config or Groups cannot be used.
var ErrConfig = errors.New("onoff: bad acct-on-off")
