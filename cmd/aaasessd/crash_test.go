package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/cmd/aaasessd/internal/crashtest"
)

// These environment variables configure TestCrash. The seed determines what NASes, servers and the
// killer do, but not the scheduling, so a failure may need several runs to occur again.
const (
	crashSeed = "AAASESS_CRASH_SEED" // seed of the first campaign; the following ones count up. Default: a random seed
	crashTime = "AAASESS_CRASH_TIME" // such as 2h: run campaigns for this time. Default: one campaign of each kind

	// The program of an older version. It runs in the first lives of each campaign, and the present
	// version continues with its state.
	crashBefore = "AAASESS_CRASH_BEFORE"
)

const (
	crashNASes  = 32
	crashLines  = 3                // lines of a NAS, each with one session at a time
	crashSettle = 60 * time.Second // limit for all records to be answered and delivered at the end
)

// TestCrash kills and pauses the daemon at random moments under load, and starts it again. No
// answered record may be lost, doubled or out of order; package crashtest has all rules.
func TestCrash(t *testing.T) {
	seed, lasting := crashPlan(t)
	for began, first := time.Now(), true; first || time.Since(began) < lasting; first = false {
		for _, kind := range crashKinds {
			if !t.Run(fmt.Sprintf("seed=%d/%s", seed, kind.name), func(t *testing.T) { testCampaign(t, kind, seed) }) {
				return
			}
		}
		seed++
	}
}

// crashPlan returns the settings in the environment variables.
func crashPlan(t *testing.T) (seed uint64, lasting time.Duration) {
	t.Helper()
	seed, err := uint64(time.Now().UnixNano()%1e9), error(nil)
	if text := os.Getenv(crashSeed); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", crashSeed, err)
		}
	}
	if text := os.Getenv(crashTime); text != "" {
		if lasting, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", crashTime, err)
		}
	}
	if deadline, ok := t.Deadline(); ok && time.Until(deadline) < lasting {
		t.Fatalf("%s=%v needs -timeout 0", crashTime, lasting)
	}
	return seed, lasting
}

// crashCampaign is one state of the daemon, with many kills.
type crashCampaign struct {
	t       *testing.T
	kind    crashKind
	seed    uint64
	rng     *rand.Rand // for the killer
	rounds  int
	history *crashHistory
	groups  []*crashGroup
	listed  []*crashGroup // the groups in the configuration, in the order of the list
	nases   []*crashNAS
	closing atomic.Bool
	daemon  *crashDaemon
	lines   sync.WaitGroup
}

// random returns the random numbers of one actor.
func (c *crashCampaign) random(actor uint64) *rand.Rand { return rand.New(rand.NewPCG(c.seed, actor)) }

func testCampaign(t *testing.T, kind crashKind, seed uint64) {
	c := newCampaign(t, kind, seed)
	c.runBefore(os.Getenv(crashBefore))
	for c.history.counted("kills") < kind.kills && !c.violated() {
		c.round()
	}
	if !c.violated() {
		c.settle()
	}
	if c.violated() {
		t.Fatalf("%s=%d\n%s%s", crashSeed, seed, c.history.report(), c.daemon.logs())
	}
	t.Logf("%s=%d: %s", crashSeed, seed, c.history.summary())
	for _, what := range append([]string{
		"retransmissions of NASes", "requests lost", "answers lost", "answers late",
		"crashes of NASes", "moves of NASes", "steps of NASes' clocks", "stops that the daemon made", "copies that are late", "pauses",
	}, kind.proofs...) {
		if c.history.counted(what) == 0 {
			t.Errorf("there were no %s: this campaign proves little", what)
		}
	}
}

// TestCrashCanFail: the test detects that a daemon has lost its state. The tests of package
// crashtest have the other violations.
func TestCrashCanFail(t *testing.T) {
	c := newCampaign(t, crashKinds[0], 1)
	c.round()
	if c.violated() {
		t.Fatal(c.history.report())
	}
	if err := os.RemoveAll(filepath.Join(c.daemon.dir, "state")); err != nil {
		t.Fatal(err)
	}
	c.round()
	for _, want := range []string{"whose start was answered", "casnTotalSessions fell to"} {
		if !c.history.found(want) {
			t.Errorf("the lost table was not detected: no violation has the text %q", want)
		}
	}
}

func (c *crashCampaign) violated() bool {
	select {
	case <-c.history.bad:
		return true
	default:
		return false
	}
}

// newCampaign starts the servers and the NASes, but not the daemon.
func newCampaign(t *testing.T, kind crashKind, seed uint64) *crashCampaign {
	t.Helper()
	c := &crashCampaign{t: t, kind: kind, seed: seed}
	c.rng = c.random(0)
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	actor := uint64(0) // less than the numbers of the NASes
	random := func() *rand.Rand { actor++; return c.random(actor) }
	c.groups = kind.groups(c.random(99))
	var branches []string
	for _, g := range c.groups {
		if kind.broadcast {
			branches = append(branches, g.name)
		}
	}
	c.history = newCrashHistory(branches...)
	c.listed = c.groups
	for _, g := range c.groups {
		g.listen(t, c.history, random)
	}
	for _, g := range c.groups {
		g.live(ctx, &serving, c.history, random(), c.isList())
	}
	c.daemon = newCrashDaemon(c.t, c.history)
	c.daemon.configure(c.config())
	for i := range crashNASes {
		random := func(actor int) func(int) *rand.Rand {
			return func(use int) *rand.Rand { return c.random(uint64(100 + actor*(crashLines+2) + use)) }
		}(i)
		n := newCrashNAS(c.t, i, c.daemon.addr, c.history, &c.closing, random(crashLines+1))
		c.nases = append(c.nases, n)
		c.lines.Go(func() { n.live(ctx, random) })
	}
	c.t.Cleanup(func() {
		cancel()
		c.lines.Wait()
		for _, n := range c.nases {
			n.close()
		}
		c.eachServer(func(s *crashServer) { _ = s.conn.Close() })
		serving.Wait()
	})
	return c
}

// runBefore runs an older version for the first third of the lives. It does nothing if program is
// "", or with a broadcast, which older versions do not have.
func (c *crashCampaign) runBefore(program string) {
	if program == "" || c.kind.broadcast {
		return
	}
	c.daemon.older = program
	if c.isList() { // with several methods, an older version keeps order only within a queue
		c.history.add(crashtest.Observation{Kind: crashtest.Older})
	}
	for c.history.counted("kills") < c.kind.kills/3 && !c.violated() {
		c.round()
	}
	c.daemon.older = ""
	c.history.add(crashtest.Observation{Kind: crashtest.Present})
}

func (c *crashCampaign) eachServer(do func(*crashServer)) {
	for _, g := range c.groups {
		for _, s := range g.servers {
			do(s)
		}
	}
}

// wait waits for a random time up to hi.
func (c *crashCampaign) wait(hi time.Duration) {
	pause(c.t.Context(), time.Duration(c.rng.Int64N(int64(hi)+1)))
}

// round runs one or more lives. Each ends with a kill.
func (c *crashCampaign) round() {
	early := 0
	switch n := c.rng.IntN(10); {
	case n < 3:
		early = 1
	case n < 5:
		early = 2 // two lives that are killed early
	}
	for range early {
		c.daemon.start()
		c.wait(c.daemon.startUp * 5 / 4)
		c.daemon.kill()
	}
	if c.changes() && c.rng.IntN(4) == 0 {
		c.change()
	}
	c.daemon.start()
	if !c.daemon.awaitUp() {
		return
	}
	c.daemon.ask()
	c.rounds++
	c.reload()
	paused := false
	switch {
	case c.rounds%10 == 5:
		paused = c.pause()
	case c.rng.IntN(6) == 0:
		c.outage()
	default:
		c.wait(c.kind.life)
	}
	if c.violated() {
		return
	}
	if !paused {
		c.daemon.ask()
		c.wait(20 * time.Millisecond)
	}
	c.daemon.kill()
	c.setOut(false)
	if c.rng.IntN(12) == 0 { // long enough to change Acct-Delay-Time
		c.wait(1500 * time.Millisecond)
	}
}

// outage makes all servers silent for a time. Half of the outages end before the daemon is killed.
func (c *crashCampaign) outage() {
	c.setOut(true)
	c.wait(1500 * time.Millisecond)
	if c.rng.IntN(2) == 0 {
		c.setOut(false)
		c.wait(1500 * time.Millisecond)
	}
}

// pause pauses the process for some seconds. It returns true if the process is still paused.
func (c *crashCampaign) pause() bool {
	c.wait(200 * time.Millisecond)
	c.daemon.stop()
	c.wait(4 * time.Second)
	if c.rng.IntN(4) == 0 {
		return true
	}
	c.daemon.resume()
	c.wait(800 * time.Millisecond)
	return false
}

func (c *crashCampaign) setOut(out bool) { c.eachServer(func(s *crashServer) { s.setOut(out) }) }

// settle starts the daemon for the last time, and waits until the NASes have ended and the daemon
// has delivered everything.
func (c *crashCampaign) settle() {
	c.listed = c.groups // records would wait for a group that is not configured
	c.daemon.configure(c.config())
	c.daemon.start()
	if !c.daemon.awaitUp() {
		return
	}
	c.daemon.ask()
	c.eachServer((*crashServer).recover)
	c.closing.Store(true)
	ended := make(chan struct{})
	go func() { c.lines.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-c.history.bad:
		return
	case <-time.After(crashSettle):
		c.t.Logf("NASes still wait for answers")
	}
	for deadline := time.Now().Add(crashSettle); len(c.history.missing()) > 0 && time.Now().Before(deadline) && !c.violated(); {
		pause(c.t.Context(), 20*time.Millisecond)
	}
	c.daemon.ask()
	c.daemon.logSetAside()
	c.history.add(crashtest.Observation{Kind: crashtest.Drained})
	c.daemon.end()
}
