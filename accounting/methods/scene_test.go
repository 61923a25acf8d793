package methods

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/logtest"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/accounting/onoff"
	"aaasess/sessions"
	"aaasess/store"
)

// scene is a Set on a store in memory, in fake time.
type scene struct {
	*testing.T
	*Set
	transport
	disk    *store.Disk
	store   *store.Store
	log     logtest.Buffer
	live    []string // routes of live sessions
	ctx     context.Context
	cancel  context.CancelFunc
	started bool
}

// inBubble runs a test in fake time, and ends what the test started.
func inBubble(t *testing.T, test func(s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &scene{T: t, disk: store.NewDisk()}
		s.open()
		test(s)
		s.end()
	})
}

// open opens the store, as a new process does.
func (s *scene) open() {
	s.Helper()
	var err error
	if s.store, err = store.Open("state", store.Config{Disk: s.disk, MinFree: -1, Ballast: -1}); err != nil {
		s.Fatal(err)
	}
	s.ctx, s.cancel = context.WithCancel(s.Context())
	s.started = false
	s.Set = New(s.store, func() []string { return s.live }, slog.New(slog.NewTextHandler(&s.log, nil)))
	err = s.store.Load(func(key, value []byte) error {
		s.LoadReroute(key, value)
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
}

// end ends the Set and closes the store.
func (s *scene) end() {
	s.Helper()
	s.cancel()
	s.Wait()
	if err := s.store.Close(); err != nil && !errors.Is(err, store.ErrFailed) {
		s.Error(err)
	}
}

// apply configures these Specs. The list network/default has their methods, in order.
func (s *scene) apply(specs ...accounting.Spec) {
	s.Helper()
	var cfg Config
	var names []accounting.MethodName
	for _, spec := range specs {
		names = append(names, spec.Name())
	}
	cfg.Specs, cfg.Lists = specs, map[string][]accounting.MethodName{"network/default": names}
	s.configure(cfg)
}

// configure prepares and applies a Config, the first as at a start.
func (s *scene) configure(cfg Config) {
	s.Helper()
	c, err := s.Prepare(cfg)
	if err != nil {
		s.Fatal(err)
	}
	trigger := onoff.TriggerConfigChange
	if !s.started {
		trigger = onoff.TriggerStartUp
	}
	s.Apply(s.ctx, c, trigger)
	if !s.started {
		s.started = true
		s.Deliver(s.ctx)
	}
	synctest.Wait()
}

// spec returns an invented Spec on this transport.
func (s *scene) spec(name string, version int) invented {
	return invented{transport: &s.transport, name: name, version: version}
}

// announcing returns a Spec that sends an Accounting-On, and blocks its records until that is
// answered.
func (s *scene) announcing(name string, version int) invented {
	i := s.spec(name, version)
	i.announces = &accounting.OnOff{Attributes: identity.Attributes, Blocks: true}
	return i
}

// add appends a record to the queue of a group, with these further methods.
func (s *scene) add(name string, session sessions.ID, next ...accounting.MethodName) {
	s.Helper()
	rec := &accounting.Record{Session: session, Type: sessions.Start, At: time.Unix(1, 0), List: "network/default", Next: next}
	done := make(chan error, 1)
	s.store.Commit(store.Change{Appends: []store.Append{
		{Queue: accounting.Group(name).Queue(), Data: accounting.AppendRecord(nil, rec)},
	}}, func(err error) { done <- err })
	if err := <-done; err != nil {
		s.Fatal(err)
	}
	synctest.Wait()
}

// startSession adds a live session that names these groups.
func (s *scene) startSession(names ...string) {
	r := accounting.Route{List: "network/default", Record: accounting.StartStop}
	for _, name := range names {
		r.Methods = append(r.Methods, accounting.Group(name))
	}
	s.live = append(s.live, r.Text())
}

// advance lets time pass, with the calls that are due, then waits until nothing happens any more.
func (s *scene) advance(d time.Duration) {
	for ; d > 0; d -= time.Second {
		time.Sleep(time.Second)
		synctest.Wait()
		s.CheckRemoved(s.ctx)
	}
	synctest.Wait()
}

// want compares the events since the last call.
func (s *scene) want(what string, want ...string) {
	s.Helper()
	s.compare(what, want, s.newEvents())
}

// wantSorted is want for events that may happen in any order.
func (s *scene) wantSorted(what string, want ...string) {
	s.Helper()
	s.compare(what, want, slices.Sorted(slices.Values(s.newEvents())))
}

func (s *scene) compare(what string, want, got []string) {
	s.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("%s: want (-) and got (+):\n%s", what, diff)
	}
}

// queue returns the status of a group's queue; the zero Queue if it is not listed.
func (s *scene) queue(name string) Queue {
	for _, q := range s.Queues() {
		if q.Queue == accounting.Group(name).Queue() {
			return q
		}
	}
	return Queue{}
}
