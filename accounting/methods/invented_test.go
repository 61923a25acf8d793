package methods

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/retry"
)

// transport is one that only these tests know. It has servers of one name each, which answer unless they are
// silent, and keeps what happened.
type transport struct {
	mu     sync.Mutex
	events []string
	silent map[string]bool          // names of servers
	told   map[string]chan struct{} // closed when this happens
}

func (tr *transport) note(format string, args ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	event := fmt.Sprintf(format, args...)
	tr.events = append(tr.events, event)
	if ch := tr.told[event]; ch != nil {
		close(ch)
		delete(tr.told, event)
	}
}

// take gives what happened since the last call.
func (tr *transport) take() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	events := tr.events
	tr.events = nil
	return events
}

func (tr *transport) setSilent(name string, silent bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.silent == nil {
		tr.silent = map[string]bool{}
	}
	tr.silent[name] = silent
}

func (tr *transport) isSilent(name string) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.silent[name]
}

// invented is its Spec.
type invented struct {
	*transport
	name        string // of the group and its server
	version     int    // what makes another method
	description string
	announces   *accounting.OnOff
	bare        bool  // it can nothing but send
	fault       error // of Open
	ends        error // of Run, if it is not nil then at once
}

func (i invented) Name() accounting.MethodName { return accounting.Group(i.name) }

func (i invented) Equal(other accounting.Spec) bool {
	o, ok := other.(invented)
	return ok && i.name == o.name && i.version == o.version
}

func (i invented) Delivery() accounting.MethodConfig { return accounting.MethodConfig{} }
func (i invented) OnOff() *accounting.OnOff          { return i.announces }

func (i invented) Open(func(), *slog.Logger) (*accounting.Opened, error) {
	if i.fault != nil {
		return nil, i.fault
	}
	server := &inventedServer{invented: i}
	server.say("open")
	ready := make(chan struct{})
	close(ready)
	o := &accounting.Opened{Method: server, Run: server.run, Ready: ready}
	if !i.bare {
		o.Announce, o.Abandon = server.announce, server.abandon
		o.Reopen = func() { server.say("reopen") }
	}
	return o, nil
}

// inventedServer is what it opens. A silent one keeps what it gets.
type inventedServer struct {
	invented
	mu      sync.Mutex
	waiting []func(error) // records
	asked   []func(string, error)
}

func (s *inventedServer) say(what string) {
	if s.version > 0 {
		what += fmt.Sprintf(" v%d", s.version)
	}
	s.note("%s: %s", s.name, what)
}

func (s *inventedServer) Window() int { return 8 }

func (s *inventedServer) Send(rec *accounting.Record, _ retry.Progress, done func(error)) {
	s.say(fmt.Sprintf("%s %d", rec.Type, rec.Session))
	if !s.isSilent(s.name) {
		done(nil)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, done)
}

func (s *inventedServer) announce(rec *accounting.Record, done func(string, error)) {
	status, _ := rec.Attrs.Uint32(radius.AcctStatusType)
	s.say(radius.Standard().ValueName(radius.AcctStatusType, status))
	if !s.isSilent(s.name) {
		done("server of "+s.name, nil)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, done)
}

// unanswered has nobody answer what waits.
func (s *inventedServer) unanswered() {
	s.settle(accounting.ErrNoResponse)
	s.mu.Lock()
	asked := s.asked
	s.asked = nil
	s.mu.Unlock()
	for _, done := range asked {
		done("", accounting.ErrNoResponse)
	}
}

func (s *inventedServer) settle(err error) {
	s.mu.Lock()
	waiting := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	for _, done := range waiting {
		done(err)
	}
}

func (s *inventedServer) abandon() {
	s.say("abandon")
	s.settle(accounting.ErrStopped)
}

func (s *inventedServer) run(ctx context.Context) error {
	if s.ends != nil {
		return s.ends
	}
	<-ctx.Done()
	s.say("end")
	s.settle(accounting.ErrStopped)
	return nil
}

// identity is what the invented ones announce.
var identity = &accounting.OnOff{Attributes: radius.Attributes(radius.AppendAttribute(nil, radius.NASIdentifier, "aaasess"))}

// opened is the server of a method that runs.
func (s *scene) opened(name string) *inventedServer {
	all := s.Statuses()
	i := slices.IndexFunc(all, func(st Status) bool { return st.Spec.Name() == accounting.Group(name) })
	if i < 0 {
		s.Fatalf("there is no %s", name)
	}
	return all[i].Method.(*inventedServer)
}
