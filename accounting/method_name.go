package accounting

import (
	"fmt"
	"strings"
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

// Check returns nil if the name may be in a method list, else what is wrong with it.
func (m MethodName) Check() error {
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
