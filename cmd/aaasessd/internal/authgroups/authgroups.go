// Package authgroups runs the server groups of the authentication relay, over reloads of the
// configuration. A change has two steps, so that a reload can still be refused after the first:
// [Groups.Prepare] opens what is new, and [Change.Apply] puts it in place or [Change.Discard] closes
// it.
//
// Any goroutine may call the functions; Prepare and Apply of one change belong to one goroutine.
package authgroups

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"sync"

	"aaasess/internal/radius/client"
)

// Groups are the running groups. [New] creates one without groups.
type Groups struct {
	client *client.Client
	tasks  sync.WaitGroup
	ready  chan struct{}

	mu      sync.Mutex // guards the following
	begun   bool       // Run was called
	ended   bool       // Run has closed all groups
	current map[string]group
}

// group is a group with the configuration that it has now.
type group struct {
	*client.Group
	config client.GroupConfig
}

// New returns Groups whose servers are those of a client.
func New(c *client.Client) *Groups {
	return &Groups{client: c, ready: make(chan struct{}), current: map[string]group{}}
}

// Status is a group with its statistics.
type Status struct {
	Config client.GroupConfig
	Stats  client.Stats
}

// Statuses returns the status of all groups, by name.
func (g *Groups) Statuses() (all []Status) {
	g.mu.Lock()
	current := g.current
	g.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(current)) {
		all = append(all, Status{current[name].config, current[name].Stats()})
	}
	return all
}

// Change is a prepared change.
type Change struct {
	groups       *Groups
	next         map[string]group
	opened       []group  // those of next that are new
	reconfigures []func() // change running groups
}

// Prepare prepares that the groups are these, whose names must differ. A group that stays with
// another configuration is changed while it runs, if possible, and replaced by a new one if not.
func (g *Groups) Prepare(configs []client.GroupConfig) (*Change, error) {
	c := &Change{groups: g, next: map[string]group{}}
	g.mu.Lock()
	current := g.current
	g.mu.Unlock()
	for _, config := range configs {
		next, err := c.prepare(current[config.Name], config)
		if err != nil {
			c.Discard()
			return nil, err
		}
		c.next[config.Name] = next
	}
	return c, nil
}

// prepare prepares one group. old is the zero group if there is none.
func (c *Change) prepare(old group, config client.GroupConfig) (group, error) {
	if old.Group != nil {
		if reflect.DeepEqual(old.config, config) {
			return old, nil
		}
		apply, err := old.Reconfigure(config)
		if err != nil {
			return group{}, err
		}
		if apply != nil {
			c.reconfigures = append(c.reconfigures, apply)
			return group{old.Group, config}, nil
		}
	}
	opened, err := c.groups.client.NewGroup(config)
	if err != nil {
		return group{}, err
	}
	c.opened = append(c.opened, group{opened, config})
	return group{opened, config}, nil
}

// Groups returns the groups as they are after the change, by name.
func (c *Change) Groups() map[string]*client.Group {
	out := make(map[string]*client.Group, len(c.next))
	for name, g := range c.next {
		out[name] = g.Group
	}
	return out
}

// Discard closes what was opened for a change that will not be applied.
func (c *Change) Discard() {
	for _, g := range c.opened {
		_ = g.Close() // never fails
	}
}

// Apply puts the change in place. route makes new requests go to the groups of the change. Groups
// that are not in the change are closed after that, so their requests in flight can be sent again.
func (c *Change) Apply(route func() error) error {
	g := c.groups
	g.mu.Lock()
	if g.ended {
		g.mu.Unlock()
		c.Discard()
		return nil
	}
	old := g.current
	g.current = c.next
	if g.begun {
		g.start(c.opened)
	}
	g.mu.Unlock()
	if err := route(); err != nil {
		g.mu.Lock()
		g.current = old
		g.mu.Unlock()
		c.Discard()
		return err
	}
	for _, apply := range c.reconfigures {
		apply()
	}
	for name, o := range old {
		if c.next[name].Group != o.Group {
			_ = o.Close() // never fails
		}
	}
	return nil
}

// start runs groups until they are closed. The caller holds the lock.
func (g *Groups) start(groups []group) {
	for _, o := range groups {
		g.tasks.Go(func() { _ = o.Run(context.Background()) }) // an error only says that it was closed before
	}
}

// Ready is closed when Run has begun.
func (g *Groups) Ready() <-chan struct{} { return g.ready }

// Run runs the groups until ctx is done. Then it closes them: their requests in flight get
// [client.ErrStopped]. Call it once.
func (g *Groups) Run(ctx context.Context) error {
	g.mu.Lock()
	g.begun = true
	g.start(slices.Collect(maps.Values(g.current)))
	close(g.ready)
	g.mu.Unlock()
	<-ctx.Done()
	g.Close()
	return nil
}

// Close closes all groups. A Groups whose Run is called need not be closed.
func (g *Groups) Close() {
	g.mu.Lock()
	g.ended = true
	current := g.current
	g.mu.Unlock()
	for _, o := range current {
		_ = o.Close() // never fails
	}
	g.tasks.Wait()
}
