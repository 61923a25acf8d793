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
	f.note(rec)
	if f.answer == nil {
		done(nil)
		return
	}
	f.answer(rec, done)
}

// note keeps what was sent.
func (f *fakeMethod) note(rec *Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, fmt.Sprintf("%d %s %v", rec.Session, rec.Type, time.Since(f.from)))
}

// all is what was sent so far.
func (f *fakeMethod) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sent)
}

// scheduled is a method with the transmissions of a schedule, to a server that answers at once or
// not at all. Its sent are the transmissions.
type scheduled struct {
	fakeMethod
	schedule Schedule
	answers  func(rec *Record) bool
}

// s4 is the example of S4.
var s4 = Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Hour, BackoffRetry: 32}

func newScheduled(s Schedule, answers func(rec *Record) bool) *scheduled {
	return &scheduled{fakeMethod: fakeMethod{window: 8, from: time.Now()}, schedule: s, answers: answers}
}

func (m *scheduled) Send(rec *Record, at Progress, done func(error)) {
	m.transmit(rec, int(at.Attempt), int(at.Attempt) < m.schedule.Retransmit, done)
}

// transmit makes transmission n and, if the normal ones are not over, those after it.
func (m *scheduled) transmit(rec *Record, n int, goesOn bool, done func(error)) {
	m.note(rec)
	if m.answers(rec) {
		done(nil)
		return
	}
	time.AfterFunc(m.schedule.Timeout, func() {
		switch {
		case goesOn:
			m.transmit(rec, n+1, n+1 < m.schedule.Retransmit, done)
		case n+1 < m.schedule.Transmissions():
			done(fmt.Errorf("fake: %w", &Later{
				After: m.schedule.Interval(n) - m.schedule.Timeout, At: Progress{Attempt: uint16(n + 1)},
			}))
		default:
			done(fmt.Errorf("fake: %w", ErrNoResponse))
		}
	})
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
	log     logBuffer
	end     context.CancelFunc
	ctx     context.Context
	running sync.WaitGroup
}

// logBuffer keeps what is logged.
type logBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
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

var quiet = slog.New(slog.DiscardHandler)
