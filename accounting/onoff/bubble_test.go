package onoff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"

	"github.com/google/go-cmp/cmp"
)

// round is how long fakeAnnouncer's servers are tried.
const round = 20 * time.Second

// answer is the result that fakeAnnouncer gives for a round, and when.
type answer struct {
	after  time.Duration
	server string
	err    error
}

// bubbleStart is the time at the start of a bubble (testing/synctest).
var bubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// fakeAnnouncer answers rounds by its script, and repeats the last line of it. Without a script it
// answers nothing.
type fakeAnnouncer struct {
	mu     sync.Mutex
	from   time.Time // start of the times in sent
	script []answer
	sent   []string // when, type and id
	recs   []*accounting.Record
	dones  []func(string, error)
}

func newAnnouncer(script ...answer) *fakeAnnouncer {
	return &fakeAnnouncer{from: bubbleStart, script: script}
}

var (
	yes     = answer{after: time.Second, server: "server-1"}
	no      = answer{after: round, err: fmt.Errorf("group: %w", accounting.ErrNoResponse)}
	stopped = answer{err: accounting.ErrStopped}
)

func (f *fakeAnnouncer) Announce(rec *accounting.Record, done func(string, error)) {
	f.mu.Lock()
	typ, _ := rec.Attrs.Uint32(radius.AcctStatusType)
	f.sent = append(f.sent, fmt.Sprintf("%v %s %s", time.Since(f.from), radius.Standard().ValueName(radius.AcctStatusType, typ), rec.Attrs.Text(radius.AcctSessionID)))
	f.recs, f.dones = append(f.recs, rec), append(f.dones, done)
	if len(f.script) == 0 {
		f.mu.Unlock()
		return
	}
	a := f.script[0]
	if len(f.script) > 1 {
		f.script = f.script[1:]
	}
	f.mu.Unlock()
	if a.after == 0 {
		done(a.server, a.err)
		return
	}
	time.AfterFunc(a.after, func() { done(a.server, a.err) })
}

func (f *fakeAnnouncer) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sent)
}

// bubble is a Sender that runs in fake time.
type bubble struct {
	*testing.T
	*Sender
	from time.Time
	log  bytes.Buffer
	end  func() // ends Run and waits for it

	mu       sync.Mutex
	statuses []string // when, state, block and server
}

// inBubble runs a test of a Sender that blocks its group. Its ids are S1, S2 and so on, one for
// each requested On and Off.
func inBubble(t *testing.T, announce Announce, test func(o *bubble), change ...func(*Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := &bubble{T: t, from: time.Now()}
		ids := 0
		cfg := Config{
			Group: "g", Blocks: true, Attributes: identity(), Logger: slog.New(slog.NewTextHandler(&o.log, nil)),
			Changed:      o.changed,
			NewSessionID: func() string { ids++; return fmt.Sprintf("S%d", ids) },
		}
		for _, c := range change {
			c(&cfg)
		}
		var err error
		if o.Sender, err = New(cfg, announce); err != nil {
			t.Fatal(err)
		}
		o.run()
		test(o)
		o.end()
	})
}

func (b *bubble) run() {
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := b.Sender.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	b.end = func() {
		cancel()
		running.Wait()
	}
}

func (b *bubble) changed(s Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	line := fmt.Sprintf("%v %s %s", time.Since(b.from), s.State, s.Block)
	if s.NoResponse {
		line += " NoResponse"
	}
	if s.Server != "" {
		line += " " + s.Server
	}
	b.statuses = append(b.statuses, line)
}

// after lets time pass, then waits until nothing happens any more.
func (b *bubble) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bubble) want(what string, got []string, want ...string) {
	b.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("%s: want (-) and got (+):\n%s", what, diff)
	}
}

func (b *bubble) perform(on, force bool, cause uint32, want error) {
	b.Helper()
	if err := b.Perform(on, force, cause); !errors.Is(err, want) {
		b.Errorf("perform: %v, want %v", err, want)
	}
}
