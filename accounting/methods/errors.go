package methods

import "errors"

// ErrConfig is returned for a [Config] that contradicts itself.
var ErrConfig = errors.New("methods: bad configuration")

// Errors of [Set.Perform], besides those of [aaasess/accounting/onoff.Sender.Perform].
var (
	// ErrNoMethod is returned for a method that is not configured.
	ErrNoMethod = errors.New("methods: no such method")
	// ErrNoOnOff is returned for a method that sends no Accounting-On and -Off.
	ErrNoOnOff = errors.New("methods: the method sends no Accounting-On and -Off")
)

// Errors of [Set.Reroute], besides those of the store.
var (
	// ErrNoQueue is returned for a queue that has neither records nor a method.
	ErrNoQueue = errors.New("methods: no such queue")
	// ErrNoList is returned for a method list that is not configured, or records nothing.
	ErrNoList = errors.New("methods: no such method list")
	// ErrConfigured is returned for a queue whose method is configured.
	ErrConfigured = errors.New("methods: the method of the queue is configured")
)
