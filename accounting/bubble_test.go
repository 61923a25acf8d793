package accounting

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/sessions"
	"aaasess/store"

	"github.com/google/go-cmp/cmp"
)

// fakeMethod answers as it is told to, and keeps what it was sent.
type fakeMethod struct {
	window int
	answer func(rec *Record, done func(error)) // nil: delivered, at once

	mu   sync.Mutex
	sent []string // "session type" and when, since the method was made
	from time.Time
}

func newFake(window int, answer func(*Record, func(error))) *fakeMethod {
	return &fakeMethod{window: window, answer: answer, from: time.Now()}
}

func (f *fakeMethod) Window() int { return f.window }

func (f *fakeMethod) Send(rec *Record, _ Progress, done func(error)) {
	f.mu.Lock()
	f.sent = append(f.sent, fmt.Sprintf("%d %s %v", rec.Session, rec.Type, time.Since(f.from)))
	f.mu.Unlock()
	if f.answer == nil {
		done(nil)
		return
	}
	f.answer(rec, done)
}

// all is what was sent so far.
func (f *fakeMethod) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sent)
}

// answering always gives the same answer.
func answering(err error) func(*Record, func(error)) {
	return func(_ *Record, done func(error)) { done(err) }
}

// bubble is a store and what runs on it, in fake time.
type bubble struct {
	*testing.T
	store   *store.Store
	disk    *store.Disk
	log     bytes.Buffer
	end     context.CancelFunc
	ctx     context.Context
	running sync.WaitGroup
}

// inBubble runs a test in fake time on a store in memory.
func inBubble(t *testing.T, test func(b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{T: t, disk: store.NewDisk()}
		b.begin()
		b.store = openStore(t, b.disk)
		test(b)
		b.stop()
	})
}

// stop ends what runs.
func (b *bubble) stop() {
	b.end()
	b.running.Wait()
}

// restart opens the store again, as a new process would.
func (b *bubble) restart() {
	b.stop()
	if err := b.store.Close(); err != nil {
		b.Fatal(err)
	}
	b.store = openStore(b.T, b.disk)
	b.begin()
}

func (b *bubble) begin() { b.ctx, b.end = context.WithCancel(b.Context()) }

// deliver runs a deliverer.
func (b *bubble) deliver(cfg DelivererConfig, name MethodName, m Method) *Deliverer {
	d := NewDeliverer(cfg, b.store, name, m, slog.New(slog.NewTextHandler(&b.log, nil)))
	b.run(d)
	return d
}

func (b *bubble) run(d *Deliverer) {
	ctx := b.ctx
	b.running.Go(func() {
		if err := d.Run(ctx); err != nil {
			b.Error(err)
		}
	})
}

// add puts records into a queue.
func (b *bubble) add(queue string, recs ...*Record) {
	b.Helper()
	var c store.Change
	for _, r := range recs {
		c.Appends = append(c.Appends, store.Append{Queue: queue, Data: AppendRecord(nil, r)})
	}
	b.commit(c)
}

func (b *bubble) commit(c store.Change) {
	b.Helper()
	done := make(chan error, 1)
	b.store.Commit(c, func(err error) { done <- err })
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// after lets time pass until everything has come to rest.
func (b *bubble) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bubble) sent(m *fakeMethod, want ...string) {
	b.Helper()
	if diff := cmp.Diff(want, m.all()); diff != "" {
		b.Errorf("sent: want (-) and got (+):\n%s", diff)
	}
}

func (b *bubble) pending(queue string, want int) {
	b.Helper()
	if got := len(records(b, b.store, queue)); got != want {
		b.Errorf("%d records left in %s, want %d", got, queue, want)
	}
}

func rec(id sessions.ID, typ sessions.EventType, next ...MethodName) *Record {
	return &Record{Session: id, Type: typ, At: time.Unix(1, 0), List: "network/default", Next: next}
}

const start, interim, stop = sessions.Start, sessions.Interim, sessions.Stop
