package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/cmd/aaasessd/internal/crashtest"
	"aaasess/sessions"
)

// orderScene is a daemon with the methods group z, group g, both silent, and a NAS without ways.
type orderScene struct {
	*crashCampaign
	z, g  *crashServer
	nas   *crashNAS
	began int // sessions
}

func newOrderScene(t *testing.T, sending string) *orderScene {
	t.Helper()
	c := &crashCampaign{t: t, history: newCrashHistory(), seed: 1}
	z, g := &crashGroup{name: "z", size: 1, sending: "timeout: 100ms, retransmit: 0"}, &crashGroup{name: "g", size: 1, sending: sending}
	var serving sync.WaitGroup
	for i, group := range []*crashGroup{z, g} {
		group.listen(t, c.history, func() *rand.Rand { return c.random(uint64(i)) })
		s := group.servers[0]
		s.recover()
		s.setOut(true)
		serving.Go(s.serve)
	}
	d := newCrashDaemon(t, c.history)
	c.daemon = d
	d.configure(crashConfig(t, d.addr, []*crashGroup{z, g}))
	n := newCrashNAS(t, 0, d.addr, c.history, new(atomic.Bool), c.random(9))
	n.ways = crashWays{}
	t.Cleanup(func() {
		n.close()
		_, _ = z.servers[0].conn.Close(), g.servers[0].conn.Close()
		serving.Wait()
	})
	d.start()
	if !d.awaitUp() {
		t.Fatal(c.history.report(), d.logs())
	}
	return &orderScene{crashCampaign: c, z: z.servers[0], g: g.servers[0], nas: n}
}

// session is the next one of the NAS, not begun.
func (o *orderScene) session() *crashSession {
	o.began++
	name := fmt.Sprint("s", o.began)
	return &crashSession{nas: o.nas, rng: rand.New(rand.NewPCG(1, uint64(o.began))), id: name + "#1", name: name, began: time.Now()}
}

// report has a record answered.
func (o *orderScene) report(s *crashSession, kind sessions.EventType) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), limit)
	defer cancel()
	if !s.report(ctx, kind) {
		o.t.Fatalf("no answer to the %s\n%s", kind, o.daemon.logs())
	}
}

// drain waits until all has arrived, and judges it.
func (o *orderScene) drain() {
	o.t.Helper()
	for deadline := time.Now().Add(settleLimit); len(o.history.missing()) > 0 && time.Now().Before(deadline) && !o.violated(); {
		pause(o.t.Context(), 20*time.Millisecond)
	}
	o.daemon.ask()
	if !o.violated() {
		o.history.add(crashtest.Observation{Kind: crashtest.Drained})
	}
	o.daemon.end()
	if o.violated() {
		o.t.Errorf("%s%s", o.history.report(), o.daemon.logs())
	}
}

// TestOrderOverMethods: a session's start waits at the second method when the first is back, so its
// interim and stop wait too, or all of them go by the first.
func TestOrderOverMethods(t *testing.T) {
	tests := []struct {
		name     string
		sending  string // of g: how long it has the start
		zIs, gIs bool   // back
		unasked  string // the group that must have got nothing
	}{
		{"both return", "timeout: 3s, retransmit: 1", true, true, ""},
		{"only the first returns", "timeout: 200ms, retransmit: 0", true, false, "g"},
		{"only the second returns", "timeout: 200ms, retransmit: 0", false, true, "z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrderScene(t, tt.sending)
			s := o.session()
			o.report(s, sessions.Start)
			eventually(t, "the start is with the second method", o.g.isAsked)
			o.report(s, sessions.Interim)
			o.z.setOut(!tt.zIs)
			o.g.setOut(!tt.gIs)
			for o.history.counted("arrivals at z") == 0 && o.history.counted("arrivals at g") == 0 { // till one is seen to be there
				o.report(o.session(), sessions.Start)
				pause(t.Context(), 20*time.Millisecond)
			}
			o.report(s, sessions.Stop)
			o.drain()
			if tt.unasked != "" && o.history.counted("arrivals at "+tt.unasked) > 0 {
				t.Errorf("records arrived at %s, which is dead", tt.unasked)
			}
		})
	}
}
