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

// orderScene is a daemon with the methods group z and group g, both silent, and a NAS with the
// default behavior.
type orderScene struct {
	*crashCampaign
	z, g  *crashServer
	nas   *crashNAS
	began int // number of sessions
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
	n.behavior = crashBehavior{}
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

// session returns the next session of the NAS, which is not started yet.
func (o *orderScene) session() *crashSession {
	o.began++
	name := fmt.Sprint("s", o.began)
	return &crashSession{nas: o.nas, rng: rand.New(rand.NewPCG(1, uint64(o.began))), id: name + "#1", name: name, began: time.Now()}
}

// report sends a record until it is answered.
func (o *orderScene) report(s *crashSession, kind sessions.EventType) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), limit)
	defer cancel()
	if !s.report(ctx, kind) {
		o.t.Fatalf("no answer to the %s\n%s", kind, o.daemon.logs())
	}
}

// drain waits until everything has arrived, and checks the history.
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

// TestOrderOverMethods: a session's start waits at the second method when the first one recovers.
// Its interim and stop must then wait too, or the first method must deliver all three.
func TestOrderOverMethods(t *testing.T) {
	tests := []struct {
		name     string
		sending  string // timeout and retransmit of g, which is how long g has the start
		zIs, gIs bool   // the groups that recover
		unasked  string // the group that must receive nothing
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
			for o.history.counted("arrivals at z") == 0 && o.history.counted("arrivals at g") == 0 { // until one record has arrived
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
