package onoff

import (
	"errors"
	"fmt"
)

// Group is an acct-on-off-group (R63, S3): a server group that sends Accounting-On/Off, and
// others that send none and are blocked as it is.
type Group struct {
	Name        string
	Controller  string   // name of the controlling server group
	Monitors    []string // names of the server groups that monitor it
	Description string
}

// Groups are all of them. It does not change once it is validated.
type Groups []Group

// Validate returns all that is wrong, one line each. A server group controls or monitors at most one
// acct-on-off-group, never both, and every one has a controller. The errors wrap [ErrConfig].
func (gs Groups) Validate() error {
	var all []error
	fault := func(format string, args ...any) {
		all = append(all, fmt.Errorf("%w-group: "+format, append([]any{ErrConfig}, args...)...))
	}
	names, member := map[string]bool{}, map[string]string{}
	for _, g := range gs {
		if g.Name == "" {
			fault("one has no name")
		}
		if names[g.Name] {
			fault("%s: twice", g.Name)
		}
		names[g.Name] = true
		if g.Controller == "" {
			fault("%s: no server group controls it", g.Name)
		}
		for _, m := range g.members() {
			if other, ok := member[m]; ok {
				fault("%s: server group %s is in %s already", g.Name, m, other)
			}
			member[m] = g.Name
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

// Blocks is what holds for each server group, from the statuses of those that send Accounting-On/Off:
// for these their own, for those that monitor one exactly its. Whoever is not in the answer is not
// blocked, nor is a monitor whose controller has no status.
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

// Controls is the name of the acct-on-off-group that a server group controls, or "".
func (gs Groups) Controls(group string) string {
	for _, g := range gs {
		if g.Controller == group {
			return g.Name
		}
	}
	return ""
}
