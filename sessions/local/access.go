package local

import (
	"fmt"
	"strings"

	"aaasess/sessions"
)

// Right is a set of things that a user may do.
type Right uint8

// The rights.
const (
	Read       Right = 1 << iota // list sessions, and follow events
	Disconnect                   // end sessions
	Command                      // report one's own commands
	report                       // report sessions

	Write = report | Command // report sessions, and commands of all users
	All   = Read | Write | Disconnect
)

// String returns the names of the rights, "read, write".
func (r Right) String() string {
	var names []string
	for _, is := range [...]struct {
		right Right
		name  string
	}{{Read, "read"}, {Write, "write"}, {Disconnect, "disconnect"}, {Command, "command"}} {
		if r&is.right == is.right {
			names, r = append(names, is.name), r&^is.right
		}
	}
	return strings.Join(names, ", ")
}

// Owner is a user or a group of this host.
type Owner struct {
	Group bool
	ID    uint32
}

// String returns "uid/1000" or "gid/100".
func (o Owner) String() string {
	if o.Group {
		return fmt.Sprintf("gid/%d", o.ID)
	}
	return fmt.Sprintf("uid/%d", o.ID)
}

// Rule gives rights to a user, or to the members of a group.
type Rule struct {
	Owner
	May Right
}

// caller is who makes a request.
type caller struct {
	uid    uint32
	daemon uint32          // the user that the daemon runs as
	groups func() []uint32 // of the user, the primary group first
	rules  []Rule
}

// is reports whether the caller is a user, or a member of a group.
func (c *caller) is(o Owner) bool {
	if !o.Group {
		return c.uid == o.ID
	}
	for _, gid := range c.groups() {
		if gid == o.ID {
			return true
		}
	}
	return false
}

// mayAll reports whether the caller is root, or the user that the daemon runs as.
func (c *caller) mayAll() bool { return c.uid == 0 || c.uid == c.daemon && c.uid != nobody }

// may reports whether the caller has a right. owner is whom its sessions belong to: the user, if a rule
// for users gives the right, else the group.
func (c *caller) may(r Right) (owner Owner, ok bool) {
	own := Owner{ID: c.uid}
	if r == 0 || c.mayAll() {
		return own, true
	}
	for _, rule := range c.rules {
		if !rule.Group && rule.May&r == r && c.is(rule.Owner) {
			return own, true
		}
	}
	for _, rule := range c.rules {
		if rule.Group && rule.May&r == r && c.is(rule.Owner) {
			return rule.Owner, true
		}
	}
	return own, false
}

// owns reports whether the caller may report of a session.
func (c *caller) owns(s *sessions.Session) bool {
	owner, ok := sessions.LocalOwner(s.NAS.Addr)
	switch {
	case !ok:
		return false
	case c.mayAll() || owner == Owner{ID: c.uid}.String():
		return true
	}
	for _, rule := range c.rules {
		if rule.Group && rule.May&Write == Write && owner == rule.Owner.String() && c.is(rule.Owner) {
			return true
		}
	}
	return false
}
