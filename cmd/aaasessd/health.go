package main

import (
	"errors"
	"time"
)

// health is what the watchdog and /healthz ask about the daemon. It must detect a daemon that only a kill and a
// new start can help: one that waits for a lock that nobody releases, or for a callback that does
// not return. It must not detect a slow or full disk, a missing server or master agent, or a short
// limit: a new start would not help against these. So it never waits for the disk.
type health struct {
	daemon    *daemon
	callbacks callbacks
	// patience is how long the callbacks of a batch may run, from the probe that sees them first. The
	// watchdog probes so seldom that it needs none.
	patience time.Duration
}

var errCallback = errors.New("a callback of the store does not return")

// probe returns an error, or does not return, if the daemon hangs. It is called by one goroutine at
// a time.
func (h *health) probe() error {
	h.locks()
	durable, finished := h.daemon.store.Batches()
	if h.callbacks.hang(durable, finished, time.Now(), h.patience) && h.daemon.store.Err() == nil {
		return errCallback
	}
	return nil
}

// locks takes the locks of the table, of the logins, of the methods, of the delivery and of the store's
// queues, and those of the relay's conversations and servers. None of them is ever held over I/O.
func (h *health) locks() {
	h.daemon.table.Routes()
	h.daemon.admissions.Stats()
	h.daemon.methods.Queues()
	if a := h.daemon.authentication; a != nil {
		a.relay.Stats()
		a.groups.Statuses()
	}
}

// callbacks is what the last probe saw of the store's callbacks.
type callbacks struct {
	finished uint64
	behind   bool      // a batch on disk was not finished
	since    time.Time // when that was first seen
}

// hang reports whether the callbacks of the same batch run since an earlier call, and for as long as
// patience. Batches that wait for the disk do not matter.
func (c *callbacks) hang(durable, finished uint64, now time.Time, patience time.Duration) bool {
	last := *c
	*c = callbacks{finished, durable > finished, now}
	if !last.behind || !c.behind || last.finished != finished {
		return false
	}
	c.since = last.since
	return now.Sub(c.since) >= patience
}
