package onoff

import (
	"errors"
	"fmt"
)

// Group is an acct-on-off-group (R63, S3): one server group that sends Accounting-On/Off, and
// others that send none and are blocked together with it.
type Group struct {
	Name        string
	Controller  string   // name of the controlling server group
	Monitors    []string // names of the server groups that monitor it
	Description string
}

// Groups are all acct-on-off-groups. They must not change after they were validated.
type Groups []Group

// Validate returns every fault, one per line. A server group controls or monitors at most one
// acct-on-off-group, never both, and every acct-on-off-group has a controller. The errors wrap
// [ErrConfig].
func (gs Groups) Validate() error {
	var all []error
	fault := func(format string, args ...any) {
		all = append(all, fmt.Errorf("%w-group: "+format, append([]any{ErrConfig}, args...)...))
	}
	names, memberOf := map[string]bool{}, map[string]string{}
	for _, g := range gs {
		if g.Name == "" {
			fault("a group has no name")
		}
		if names[g.Name] {
			fault("%s: the name is used twice", g.Name)
		}
		names[g.Name] = true
		if g.Controller == "" {
			fault("%s: no server group controls it", g.Name)
		}
		for _, m := range g.members() {
			if other, ok := memberOf[m]; ok {
				fault("%s: server group %s is already in %s", g.Name, m, other)
			}
			memberOf[m] = g.Name
		}
	}
	return errors.Join(all...)
}

func (g *Group) members() []string {
	if g.Controller == "" {
		return g.Monitors
	}
	return append([]string{g.Controller}, g.Monitors...)
}

// Blocks returns the Block of each server group, from the statuses of those that send
// Accounting-On/Off. A monitoring group has the Block of its controller. A group that is not in the
// result is not blocked, nor is a monitor whose controller has no status.
func (gs Groups) Blocks(statuses map[string]Status) map[string]Block {
	blocks := make(map[string]Block, len(statuses))
	for name, s := range statuses {
		blocks[name] = s.Block
	}
	for _, g := range gs {
		for _, m := range g.Monitors {
			blocks[m] = statuses[g.Controller].Block
		}
	}
	return blocks
}

// Controls returns the name of the acct-on-off-group that a server group controls, or "".
func (gs Groups) Controls(group string) string {
	for _, g := range gs {
		if g.Controller == group {
			return g.Name
		}
	}
	return ""
}
