package methods

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/internal/retry"
)

// transport is a transport that only these tests know. Each of its groups has one server of the
// same name, which answers unless it is silent. It records what happens.
type transport struct {
	mu     sync.Mutex
	events []string
	silent map[string]bool          // by name of server
	ids    []string                 // of what single hosts got
	told   []string                 // type and reason of each Accounting-On and -Off
	once   map[string]chan struct{} // closed when this event happens
}

func (tr *transport) note(format string, args ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	event := fmt.Sprintf(format, args...)
	tr.events = append(tr.events, event)
	if ch := tr.once[event]; ch != nil {
		close(ch)
		delete(tr.once, event)
	}
}

// newEvents returns the events since the last call.
func (tr *transport) newEvents() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	events := tr.events
	tr.events = nil
	return events
}

// tell notes what an Accounting-On or -Off says.
func (tr *transport) tell(rec *accounting.Record) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.told = append(tr.told, fmt.Sprintf("%s %s", rec.TypeName(), rec.Reason))
}

// newlyTold returns what was told since the last call.
func (tr *transport) newlyTold() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	told := tr.told
	tr.told = nil
	return told
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

// invented is the Spec of the transport.
type invented struct {
	*transport
	name        string // name of the group and its server
	version     int    // a different version is a different method
	setting     int    // can change while the method runs; -1 is invalid
	description string
	announces   *accounting.OnOff
	hosts       string // its servers, separated by spaces
	onlySends   bool   // it has only a Method and Run
	fault       error  // error of Open
	runError    error  // error of Run, which ends at once if this is not nil
}

func (i invented) Name() accounting.MethodName { return accounting.Group(i.name) }

func (i invented) Equal(other accounting.Spec) bool {
	o, ok := other.(invented)
	return ok && i.name == o.name && i.version == o.version && i.setting == o.setting && i.hosts == o.hosts
}

func (i invented) Delivery() accounting.MethodConfig {
	return accounting.MethodConfig{Rounds: i.setting}
}

func (i invented) Hosts() []string { return strings.Fields(i.hosts) }

func (i invented) OnOff() *accounting.OnOff { return i.announces }

func (i invented) Open(func(), *slog.Logger) (*accounting.Opened, error) {
	if i.fault != nil {
		return nil, i.fault
	}
	server := &inventedServer{invented: i}
	server.record("open")
	ready := make(chan struct{})
	close(ready)
	o := &accounting.Opened{Method: server, Run: server.run, Ready: ready}
	if !i.onlySends {
		o.Announce, o.Abandon = server.announce, server.abandon
		o.AnnounceTo = server.announceTo
		o.Reopen = func() { server.record("reopen") }
		o.Reconfigure = server.reconfigure
	}
	return o, nil
}

// inventedServer is what invented opens. A silent one keeps its records.
type inventedServer struct {
	invented
	mu      sync.Mutex
	waiting []func(error) // records
	asked   []func(string, error)
}

func (s *inventedServer) record(what string) {
	if s.version > 0 {
		what += fmt.Sprintf(" v%d", s.version)
	}
	s.note("%s: %s", s.name, what)
}

func (s *inventedServer) Window() int { return 8 }

var errSetting = errors.New("invalid setting")

func (s *inventedServer) reconfigure(spec accounting.Spec) (func(), error) {
	switch to, ok := spec.(invented); {
	case !ok || to.version != s.version || to.hosts != s.hosts:
		return nil, nil
	case to.setting < 0:
		return nil, errSetting
	default:
		return func() { s.record(fmt.Sprintf("setting %d", to.setting)) }, nil
	}
}

func (s *inventedServer) Send(rec *accounting.Record, _ retry.Progress, done func(error)) {
	s.record(fmt.Sprintf("%s %d", rec.Type, rec.Session))
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
	s.record(radius.Standard().ValueName(radius.AcctStatusType, status))
	s.transport.tell(rec)
	if !s.isSilent(s.name) {
		done("server of "+s.name, nil)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, done)
}

// announceTo is answered unless the host is silent. Then it is unanswered after a second.
func (s *inventedServer) announceTo(host int, rec *accounting.Record, done func(string, error)) {
	status, _ := rec.Attrs.Uint32(radius.AcctStatusType)
	name := s.Hosts()[host]
	s.transport.mu.Lock()
	s.ids = append(s.ids, rec.Attrs.Text(radius.AcctSessionID))
	s.transport.mu.Unlock()
	s.transport.tell(rec)
	s.note("%s: %s v%d to %s", s.name, radius.Standard().ValueName(radius.AcctStatusType, status), s.version, name)
	if s.isSilent(name) {
		time.AfterFunc(time.Second, func() { done("", accounting.ErrNoResponse) })
		return
	}
	done(name, nil)
}

// unanswered ends the waiting records with ErrNoResponse.
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
	s.record("abandon")
	s.settle(accounting.ErrStopped)
}

func (s *inventedServer) run(ctx context.Context) error {
	if s.runError != nil {
		return s.runError
	}
	<-ctx.Done()
	s.record("end")
	s.settle(accounting.ErrStopped)
	return nil
}

// identity is the identity in the announcements.
var identity = &accounting.OnOff{Attributes: radius.Attributes(radius.AppendAttribute(nil, radius.NASIdentifier, "aaasess"))}

// opened returns the server of a running method.
func (s *scene) opened(name string) *inventedServer {
	all := s.Statuses()
	i := slices.IndexFunc(all, func(st Status) bool { return st.Spec.Name() == accounting.Group(name) })
	if i < 0 {
		s.Fatalf("there is no %s", name)
	}
	return all[i].Method.(*inventedServer)
}
