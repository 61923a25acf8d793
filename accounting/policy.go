package accounting

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"aaasess/sessions"
)

// MethodName is the name of a method in a list (R41): "group NAME" is all servers of a group, one
// after the other; "local" is a file of JSON lines.
type MethodName string

// Local is the method that writes JSON lines.
const Local MethodName = "local"

const (
	groupPrefix = "group "
	queuePrefix = "group/"
)

// maxGroup leaves room in the 128 octets of a queue's name.
const maxGroup = 100

// Group returns the method of a server group.
func Group(name string) MethodName { return MethodName(groupPrefix + name) }

// Group returns the name of the server group, or "" if the method is not a server group.
func (m MethodName) Group() string {
	name, ok := strings.CutPrefix(string(m), groupPrefix)
	if !ok {
		return ""
	}
	return name
}

// Queue returns the name of the store's queue for the method: "group/NAME" or "local".
func (m MethodName) Queue() string {
	if name := m.Group(); name != "" {
		return queuePrefix + name
	}
	return string(m)
}

// MethodOf returns the method of a queue.
func MethodOf(queue string) MethodName {
	if name, ok := strings.CutPrefix(queue, queuePrefix); ok {
		return Group(name)
	}
	return MethodName(queue)
}

func (m MethodName) check() error {
	if m == Local {
		return nil
	}
	name := m.Group()
	switch {
	case name == "":
		return fmt.Errorf("method %q is neither %q nor %q", string(m), groupPrefix+"NAME", Local)
	case len(name) > maxGroup:
		return fmt.Errorf("method %q: the name of a group may have at most %d octets", string(m), maxGroup)
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return fmt.Errorf("method %q: the name of a group must not contain spaces or control characters", string(m))
	}
	return nil
}

// RecordType says which events of a session are recorded (R41).
type RecordType uint8

// The record types, by the names of S1.
const (
	None      RecordType = iota // none: nothing
	StartStop                   // start-stop: start, interims and stop
	StopOnly                    // stop-only
)

var recordTypes = [...]string{None: "none", StartStop: "start-stop", StopOnly: "stop-only"}

// String returns the name of the record type.
func (t RecordType) String() string {
	if int(t) < len(recordTypes) {
		return recordTypes[t]
	}
	return fmt.Sprintf("record-type(%d)", uint8(t))
}

// ParseRecordType returns the record type with a name. Its error wraps [ErrPolicy].
func ParseRecordType(s string) (RecordType, error) {
	if i := slices.Index(recordTypes[:], s); i >= 0 {
		return RecordType(i), nil
	}
	return None, fmt.Errorf("%w: record type %q is not one of %s", ErrPolicy, s, strings.Join(recordTypes[:], ", "))
}

// includes reports whether an event is recorded. Events other than start, interim and stop (R27)
// are recorded only by start-stop lists: a server that gets only stops cannot use a Tunnel-Start.
func (t RecordType) includes(ev sessions.EventType) bool {
	return t == StartStop || t == StopOnly && ev == sessions.Stop
}

// List is a method list: which events are recorded, and the methods to try in turn. Methods of a
// list of type none are not used.
type List struct {
	Name    string // "default"; at most 100 octets
	Record  RecordType
	Methods []MethodName
}

// Policy is the accounting of sessions that begin. A kind of session without a list is not
// accounted (S1).
type Policy struct {
	Lists map[sessions.Kind]*List
}

// Route returns the route of sessions of a kind, or nil if they are not accounted.
func (p *Policy) Route(k sessions.Kind) *Route {
	l := p.Lists[k]
	if l == nil || l.Record == None {
		return nil
	}
	return &Route{List: listName(k, l), Record: l.Record, Methods: l.Methods}
}

// Validate returns every fault of the policy, one per line, each with the name of its list. The
// errors wrap [ErrPolicy].
func (p *Policy) Validate() error {
	kinds := make([]sessions.Kind, 0, len(p.Lists))
	for k := range p.Lists {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	var all []error
	for _, k := range kinds {
		l := p.Lists[k]
		if l == nil {
			continue
		}
		for _, err := range l.faults(k) {
			all = append(all, fmt.Errorf("%w: %s: %w", ErrPolicy, listName(k, l), err))
		}
	}
	return errors.Join(all...)
}

// listName returns the name of a list for records and messages.
func listName(k sessions.Kind, l *List) string { return k.String() + "/" + l.Name }

func (l *List) faults(k sessions.Kind) (faults []error) {
	if k < sessions.Network || k > sessions.Connection {
		faults = append(faults, errors.New("unknown accounting type"))
	}
	if l.Name == "" || len(l.Name) > maxGroup {
		faults = append(faults, fmt.Errorf("the name of a list must have 1 to %d octets", maxGroup))
	}
	if int(l.Record) >= len(recordTypes) {
		faults = append(faults, fmt.Errorf("unknown record type %d", l.Record))
	}
	if l.Record != None && len(l.Methods) == 0 {
		faults = append(faults, fmt.Errorf("a %s list needs a method", l.Record))
	}
	if len(l.Methods) > 255 {
		faults = append(faults, fmt.Errorf("%d methods, at most 255", len(l.Methods)))
	}
	for i, m := range l.Methods {
		if err := m.check(); err != nil {
			faults = append(faults, err)
		} else if slices.Contains(l.Methods[:i], m) {
			faults = append(faults, fmt.Errorf("method %q is listed twice", string(m)))
		}
	}
	return faults
}
