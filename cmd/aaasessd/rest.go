package main

import (
	"context"
	"errors"
	"os"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"

	"aaasess/store"
)

const (
	// restEvery is how often rest looks.
	restEvery = 10 * time.Second
	// restAllocates is how much a daemon at rest allocates at most in that time, in bytes.
	restAllocates = 8 << 20
	// restWorth is how much must have been allocated since the last return, in bytes, so that
	// another one is worth its collection.
	restWorth = 64 << 20
	// restForgets is how many requests the listener must have forgotten since the last return to be
	// worth one: 12 MB or more.
	restForgets = 1 << 17
)

// rest decides when memory is returned to the system. The Go runtime keeps a heap of twice the live
// data, and collects an idle process only every two minutes. So after a million starts the daemon
// would keep 400 MiB of garbage. While it is busy, that is what makes it fast; at rest, it is of no
// use.
type rest struct {
	seen      uint64 // bytes allocated so far, at the last look
	returned  uint64 // bytes allocated so far, at the last return
	forgotten int    // requests that the listener forgot since then
}

// isDue reports whether memory should be returned now. allocated and live are bytes: what was
// allocated since the start of the process, and what was live after the last collection. forgotten
// is how many requests the listener has forgotten since the last look.
func (r *rest) isDue(allocated, live uint64, forgotten int) bool {
	since := allocated - r.seen
	r.seen = allocated
	r.forgotten += forgotten
	if since > restAllocates || allocated-r.returned < max(restWorth, live/2) && r.forgotten < restForgets {
		return false
	}
	r.returned, r.forgotten = allocated, 0
	return true
}

// returnMemory returns memory to the system when the daemon comes to rest. If GOGC is set, the
// operator decides about collections.
func (d *daemon) returnMemory(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		<-ctx.Done()
		return nil
	}
	samples := []runtimemetrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	r := &rest{}
	tick := time.NewTicker(restEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		runtimemetrics.Read(samples)
		forgotten := d.listener.ForgetAnswered(time.Now()) + d.authentication.forgetAnswered(time.Now()) + d.dynAuth.forgetAnswered(time.Now())
		if r.isDue(samples[0].Value.Uint64(), samples[1].Value.Uint64(), forgotten) {
			if err := d.store.ReleaseMemory(ctx); err != nil && !errors.Is(err, store.ErrFailed) {
				d.log.Error("the store keeps memory", "err", err)
			}
			debug.FreeOSMemory()
			runtimemetrics.Read(samples[:1])
			r.seen = samples[0].Value.Uint64()
		}
	}
}
