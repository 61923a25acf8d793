package agentx

import (
	"context"
	"io"
	"net"
	"time"
)

const (
	firstRetry = 50 * time.Millisecond
	// maxRetry fulfils R15: a restarted master is served again within two seconds, one for this
	// pause and one for the connection.
	maxRetry = time.Second
	// maxRefusedRetry is the longest pause once a master has refused us for longRefusal. It writes a
	// line or two to its log for each attempt. If another subagent has our subtree, we take over at
	// most this long after it has gone. A master that has just returned and refuses us for a moment
	// is contacted as often as an absent one, for R15. It is noticed during the pause too: see wait.
	maxRefusedRetry = 5 * time.Second
	longRefusal     = time.Minute
	// settled is how long a connection must have lasted for its loss to restart the pauses at
	// firstRetry. A master that accepts and drops connections is not contacted twenty times a
	// second.
	settled = 5 * time.Second
	// afterRefusal is how many octets a master may send after a session that it has refused. One that
	// sends more counts as gone.
	afterRefusal = 64 << 10
)

// backoff decides the pauses between attempts.
type backoff struct {
	attempts int       // failed ones since a connection that settled
	refusals int       // the last of these that the master refused
	refused  time.Time // when the first of the refusals was
}

// next returns the pause after an attempt that failed for a reason, and that was connected for up.
// The pause after a refusal starts at firstRetry, however long the master was away before.
func (b *backoff) next(reason Reason, up time.Duration, now time.Time) time.Duration {
	if up > settled {
		*b = backoff{}
	}
	n, longest := b.attempts, maxRetry
	b.attempts++
	if reason != DuplicateRegistration && reason != Refused {
		b.refusals = 0
		return min(longest, firstRetry<<min(n, 10))
	}
	if b.refusals == 0 {
		b.refused = now
	}
	if now.Sub(b.refused) >= longRefusal {
		longest = maxRefusedRetry
	}
	n = b.refusals
	b.refusals++
	return min(longest, firstRetry<<min(n, 10))
}

// masterGone notes that the master has ended the connection during a pause: its successor is
// contacted as often as one that refuses us for the first time.
func (b *backoff) masterGone(now time.Time) { b.refused = now }

// wait waits for a pause, or until ctx ends. refused is the connection whose session the master has
// refused, or nil; wait closes it. A master that ends it has stopped. It may return at any time, so
// the rest of the pause is at most maxRetry then, and wait returns true.
func wait(ctx context.Context, pause time.Duration, refused net.Conn) (masterGone bool) {
	end := time.Now().Add(pause)
	if refused != nil {
		masterGone = watch(ctx, end, refused)
		refused.Close()
	}
	rest := time.Until(end)
	if masterGone {
		rest = min(rest, maxRetry)
	}
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return masterGone
}

// watch reads until the master ends a connection, and reports whether it does so before a time.
func watch(ctx context.Context, until time.Time, conn net.Conn) bool {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if conn.SetReadDeadline(time.Time{}) == nil {
		defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
		_, _ = io.Copy(io.Discard, io.LimitReader(conn, afterRefusal)) // any error is an end
	}
	return ctx.Err() == nil
}
