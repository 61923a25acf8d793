package conditions

import (
	"cmp"
	"slices"
	"time"

	"aaasess/mib/aaasess"
	"aaasess/store"
)

// Limits say when a state is bad.
type Limits struct {
	Records      uint64        // the spool is over with as many records; 0: with no number of them
	Age          time.Duration // the spool is over when its oldest record is as old; 0: at no age
	BlockedAfter time.Duration // a method is blocked after this time
}

// Sample is what the rules need to know of a moment.
type Sample struct {
	Now     time.Time
	Space   store.Space
	Methods []Method
}

// Method is what the rules need to know of a method, or of a queue whose method does not run.
type Method struct {
	Name     string // "group NAME" or "local"
	Records  uint64 // that wait
	Withheld uint64 // of these, records that cannot be sent yet
	Oldest   time.Time
	Left     uint64         // records that have left the queue; any number that changes with each of them
	Cause    aaasess.Reason // why it is blocked, if it is
	// Silent: all servers of the group are dead for Access-Requests.
	Silent bool
}

// Kind is what has a state.
type Kind string

// The kinds, by their names in the file.
const (
	Spool  Kind = "spool"
	Disk   Kind = "disk"
	Events Kind = "events"
	Queue  Kind = "method"
)

// Key is a thing that has a state.
type Key struct {
	Kind   Kind   `json:"kind"`
	Method string `json:"method,omitempty"` // only of a Queue
}

// Change is a change of a state, with what was the case then.
type Change struct {
	Key
	Bad    bool
	Since  time.Time
	Store  aaasess.Store
	Spool  aaasess.Spool
	Method aaasess.Method // only of a Queue
}

// state is the present state of a thing.
type state struct {
	bad   bool
	since time.Time
}

// set changes the state, and reports whether it was another one. The zero state becomes good without a
// change.
func (s *state) set(bad bool, now time.Time) (changed bool) {
	if s.since.IsZero() {
		s.since = now
	}
	if s.bad == bad {
		return false
	}
	*s = state{bad, now}
	return true
}

// method is what the Machine knows of a method.
type method struct {
	state
	reason aaasess.Reason
	left   uint64    // Method.Left of the last sample
	known  bool      // there was one
	still  time.Time // since when records wait and none leaves; zero: none waits
	stuck  bool      // they have waited for too long, and none has left since
	seen   bool      // in the present sample
}

// Machine has the states. It only computes: it has no clock and no lock. The zero Machine is ready: everything
// is good.
type Machine struct {
	spool, disk, events state
	methods             map[string]*method
}

// Restore makes a state bad, as the process before has told it.
func (m *Machine) Restore(k Key, since time.Time) {
	switch bad := (state{true, since}); k.Kind {
	case Spool:
		m.spool = bad
	case Disk:
		m.disk = bad
	case Events:
		m.events = bad
	case Queue:
		q := m.method(k.Method)
		q.state, q.stuck, q.reason = bad, true, aaasess.NotMoving // the first sample knows the reason
	}
}

func (m *Machine) method(name string) *method {
	if m.methods == nil {
		m.methods = map[string]*method{}
	}
	if m.methods[name] == nil {
		m.methods[name] = &method{reason: aaasess.Flowing}
	}
	return m.methods[name]
}

// Step handles a sample, and returns what has changed.
func (m *Machine) Step(s *Sample, l Limits) (changes []Change) {
	spool := spoolOf(s, l)
	events := m.events.set(s.Space.Accepting != nil, s.Now)
	disk := m.disk.set(s.Space.FreeWarning, s.Now)
	over := m.spool.set(isOver(&spool, s.Space.SizeWarning, m.spool.bad), s.Now)
	spool.Over = m.spool.bad
	disks := storeOf(s)
	change := func(k Key, st state, row aaasess.Method) {
		changes = append(changes, Change{Key: k, Bad: st.bad, Since: st.since, Store: disks, Spool: spool, Method: row})
	}
	for _, of := range []struct {
		kind    Kind
		changed bool
		state   state
	}{{Events, events, m.events}, {Disk, disk, m.disk}, {Spool, over, m.spool}} {
		if of.changed {
			change(Key{Kind: of.kind}, of.state, aaasess.Method{})
		}
	}
	for i := range s.Methods {
		if q := &s.Methods[i]; m.stepMethod(q, s.Now, l.BlockedAfter) {
			st := m.methods[q.Name]
			change(Key{Queue, q.Name}, st.state, aaasess.Method{
				Name: q.Name, Records: q.Records, Oldest: ageOf(q.Oldest, s.Now), Reason: st.reason,
			})
		}
	}
	for name, st := range m.methods {
		if st.seen {
			st.seen = false
			continue
		}
		if st.bad { // it is not in the configuration any more, and nothing waits for it
			change(Key{Queue, name}, state{since: s.Now}, aaasess.Method{Name: name, Reason: aaasess.Flowing})
		}
		delete(m.methods, name)
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.Method.Name, b.Method.Name) })
	return changes
}

// stepMethod handles a method of a sample, and reports whether its state has changed.
func (m *Machine) stepMethod(q *Method, now time.Time, after time.Duration) (changed bool) {
	st := m.method(q.Name)
	waits, moved := q.Records > q.Withheld, st.known && st.left != q.Left
	st.left, st.known, st.seen = q.Left, true, true
	switch {
	case !waits:
		st.stuck, st.still = false, time.Time{}
	case moved, st.still.IsZero():
		st.stuck, st.still = st.stuck && !moved, now
	case now.Sub(st.still) >= after:
		st.stuck = true
	}
	switch {
	case st.stuck:
		st.reason = q.Cause
	case q.Silent:
		st.reason = aaasess.NoLoginAnswer
	default:
		st.reason = aaasess.Flowing
	}
	return st.set(st.reason.Blocked(), now)
}

// isOver reports whether a spool is over a threshold, if it was over or not before.
func isOver(s *aaasess.Spool, large, before bool) bool {
	records, age := s.WarnRecords, s.WarnAge
	if before {
		records, age = records-records/10, age-age/10
	}
	return large || s.WarnRecords > 0 && s.Records >= records || s.WarnAge > 0 && s.Oldest >= age
}

// spoolOf returns the spool of a sample. Over and SetAside are not set.
func spoolOf(s *Sample, l Limits) aaasess.Spool {
	out := aaasess.Spool{
		Size: s.Space.Size, MaxSize: s.Space.MaxSize, WarnSize: s.Space.WarnSize, WarnRecords: l.Records, WarnAge: l.Age,
	}
	for i := range s.Methods {
		q := &s.Methods[i]
		out.Records += q.Records
		if q.Records > 0 {
			out.Oldest = max(out.Oldest, ageOf(q.Oldest, s.Now))
		}
	}
	return out
}

// storeOf returns the store of a sample.
func storeOf(s *Sample) aaasess.Store {
	return aaasess.Store{
		Refused: s.Space.Accepting != nil, Short: s.Space.FreeWarning,
		Free: s.Space.Free, MinFree: s.Space.MinFree, WarnFree: s.Space.WarnFree,
	}
}

// ageOf returns how long ago something was; 0 if it was never, or the clock went back.
func ageOf(at, now time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return max(0, now.Sub(at))
}
