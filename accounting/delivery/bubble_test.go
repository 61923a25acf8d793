package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/logtest"

	"aaasess/accounting"
	"aaasess/sessions"
	"aaasess/store"

	"aaasess/internal/retry"

	"github.com/google/go-cmp/cmp"
)

// fakeMethod gives the answers that the test wants, and records what it was sent.
type fakeMethod struct {
	window int
	answer func(rec *accounting.Record, done func(error)) // nil: delivered at once

	mu   sync.Mutex
	sent []string // "session type", and when, since the method was created
	from time.Time
}

func newFake(window int, answer func(*accounting.Record, func(error))) *fakeMethod {
	return &fakeMethod{window: window, answer: answer, from: time.Now()}
}

func (f *fakeMethod) Window() int { return f.window }

func (f *fakeMethod) Send(rec *accounting.Record, _ retry.Progress, done func(error)) {
	f.record(rec)
	if f.answer == nil {
		done(nil)
		return
	}
	f.answer(rec, done)
}

// record notes that a record was sent.
func (f *fakeMethod) record(rec *accounting.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, fmt.Sprintf("%d %s %v", rec.Session, rec.Type, time.Since(f.from)))
}

// all returns what was sent so far.
func (f *fakeMethod) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sent)
}

// scheduled is a method that transmits by a schedule, to a server that answers at once or not at
// all. Its sent list holds the transmissions.
type scheduled struct {
	fakeMethod
	schedule retry.Schedule
	answers  func(rec *accounting.Record) bool
}

// s4 is the example of S4.
var s4 = retry.Schedule{Timeout: 5 * time.Second, Retransmit: 3, MaxDelay: time.Hour, BackoffRetry: 32}

func newScheduled(s retry.Schedule, answers func(rec *accounting.Record) bool) *scheduled {
	return &scheduled{fakeMethod: fakeMethod{window: 8, from: time.Now()}, schedule: s, answers: answers}
}

func (m *scheduled) Send(rec *accounting.Record, at retry.Progress, done func(error)) {
	m.transmit(rec, int(at.Transmissions), int(at.Transmissions) < m.schedule.Retransmit, done)
}

// transmit makes transmission n. If it is one of the normal retransmissions, it also makes those
// after it.
func (m *scheduled) transmit(rec *accounting.Record, n int, goesOn bool, done func(error)) {
	m.record(rec)
	if m.answers(rec) {
		done(nil)
		return
	}
	time.AfterFunc(m.schedule.Timeout, func() {
		switch {
		case goesOn:
			m.transmit(rec, n+1, n+1 < m.schedule.Retransmit, done)
		case n+1 < m.schedule.Transmissions():
			done(fmt.Errorf("fake: %w", &retry.Later{
				After: m.schedule.Interval(n) - m.schedule.Timeout, At: retry.Progress{Transmissions: uint16(n + 1)},
			}))
		default:
			done(fmt.Errorf("fake: %w", accounting.ErrNoResponse))
		}
	})
}

// answering always gives the same answer.
func answering(err error) func(*accounting.Record, func(error)) {
	return func(_ *accounting.Record, done func(error)) { done(err) }
}

// bubble is a store and a Delivery that runs on it, in fake time.
type bubble struct {
	*testing.T
	store   *store.Store
	disk    *store.Disk
	log     logtest.Buffer
	end     context.CancelFunc
	ctx     context.Context
	running sync.WaitGroup

	delivery *Delivery // created by the first member
	runs     bool
}

// inBubble runs a test in fake time on a store in memory.
func inBubble(t *testing.T, test func(b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{T: t, disk: store.NewDisk()}
		b.newProcess()
		b.store = openStore(t, b.disk)
		test(b)
		b.stop()
	})
}

// stop ends the Delivery.
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
	b.newProcess()
}

func (b *bubble) newProcess() {
	b.ctx, b.end = context.WithCancel(b.Context())
	b.delivery, b.runs = nil, false
}

// setup configures a member. The part that is Config takes effect when the Delivery is created,
// with the first member.
type setup struct {
	RetryMin, RetryMax, Drain time.Duration
	Loaded, Waiting, Rounds   int
	DrainRate                 float64
}

func (s setup) method() accounting.MethodConfig {
	return accounting.MethodConfig{Rounds: s.Rounds, DrainRate: s.DrainRate}
}

func (s setup) delivery() Config {
	return Config{RetryMin: s.RetryMin, RetryMax: s.RetryMax, StopWait: s.Drain, Loaded: s.Loaded, Waiting: s.Waiting}
}

// member is one method of a Delivery, and the queue that is named after it.
type member struct {
	*Delivery
	name accounting.MethodName
}

// Stats are the counters of a method and of its queue.
type Stats struct {
	Queue                            string
	Pending                          uint64
	InFlight                         int
	Delivered, Elsewhere, NoResponse uint64
	Superseded, Refused, SetAside    uint64
	Oldest, DownSince, NextProbe     time.Time
	Hold                             Hold
	Draining, Lost                   bool
}

func (m *member) Stats() Stats {
	q, s := m.Delivery.Queue(m.name.Queue()), m.Method(m.name)
	return Stats{
		Queue: q.Queue, Pending: q.Pending, InFlight: q.InFlight, Delivered: q.Delivered, Elsewhere: q.Elsewhere,
		NoResponse: q.NoResponse, Superseded: q.Superseded, Refused: q.Refused, SetAside: q.SetAside, Oldest: q.Oldest,
		DownSince: s.DownSince, NextProbe: s.NextProbe, Hold: s.Hold, Draining: s.Draining, Lost: q.Lost,
	}
}

func (m *member) SetMethod(impl accounting.Method, cfg setup) {
	m.Delivery.SetMethod(m.name, impl, cfg.method())
}
func (m *member) SetHold(h Hold) { m.Delivery.SetHold(m.name, h) }
func (m *member) Answered()      { m.Delivery.Answered(m.name) }

// queue and method return Run's own state. Use them only when Run has ended or waits.
func (m *member) queue() *queue {
	return m.queues[slices.IndexFunc(m.queues, func(q *queue) bool { return q.name == m.name.Queue() })]
}

func (m *member) method() *method {
	return m.methods[slices.IndexFunc(m.methods, func(other *method) bool { return other.name == m.name })]
}

// member adds a method to the Delivery. The first member creates the Delivery without running it.
func (b *bubble) member(cfg setup, name accounting.MethodName, m accounting.Method) *member {
	if b.delivery == nil {
		b.delivery = New(cfg.delivery(), b.store, slog.New(slog.NewTextHandler(&b.log, nil)))
	}
	d := &member{b.delivery, name}
	d.SetMethod(m, cfg)
	return d
}

// deliver adds a method to the Delivery, and runs the Delivery.
func (b *bubble) deliver(cfg setup, name accounting.MethodName, m accounting.Method) *member {
	d := b.member(cfg, name, m)
	b.run()
	return d
}

// run starts the Delivery unless it runs already.
func (b *bubble) run() {
	if b.runs {
		return
	}
	b.runs = true
	ctx, d := b.ctx, b.delivery
	b.running.Go(func() {
		if err := d.Run(ctx); err != nil {
			b.Error(err)
		}
	})
}

// add appends records to a queue.
func (b *bubble) add(queue string, recs ...*accounting.Record) {
	b.Helper()
	var c store.Change
	for _, r := range recs {
		c.Appends = append(c.Appends, store.Append{Queue: queue, Data: accounting.AppendRecord(nil, r)})
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

// advance lets time pass, then waits until nothing happens any more.
func (b *bubble) advance(d time.Duration) {
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

func rec(id sessions.ID, typ sessions.EventType, next ...accounting.MethodName) *accounting.Record {
	return &accounting.Record{Session: id, Type: typ, At: time.Unix(1, 0), List: "network/default", Next: next}
}

const start, interim, stop, other = sessions.Start, sessions.Interim, sessions.Stop, sessions.Other

// openStore opens a store on a disk in memory and closes it with the test.
func openStore(t testing.TB, disk *store.Disk) *store.Store {
	t.Helper()
	s, err := store.Open("state", store.Config{Disk: disk, MinFree: -1, Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// records returns all records of a queue.
func records(t testing.TB, s *store.Store, queue string) (all []*accounting.Record) {
	t.Helper()
	entries, err := s.Read(queue, 0, 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		rec, err := accounting.ParseRecord(e.Data)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec)
	}
	return all
}

var quiet = slog.New(slog.DiscardHandler)
