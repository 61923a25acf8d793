package statechange

import (
	"slices"
	"sync"

	"aaasess/internal/servers"
	"aaasess/mib/cas"
)

// Config configures a [Teller]. Its functions may be called from any goroutine.
type Config struct {
	// Enabled is casServerStateChangeEnable.
	Enabled func() bool
	// View returns the servers. It is not older than the last change.
	View func() *servers.View
	Ways
}

// Stats count changes of servers' states. Each change is counted once, but for Held.
type Stats struct {
	Enabled bool `json:"casServerStateChangeEnable"`
	SenderStats
	Disabled   uint64 `json:"disabled"`   // not told because of casServerStateChangeEnable
	WithoutRow uint64 `json:"withoutRow"` // the server has no row in the tables
}

// Teller is the [Sender] of casServerStateChange. [New] creates one.
type Teller struct {
	*Sender[servers.Key, servers.Change]
	cfg Config

	mu                   sync.Mutex // guards the fields below
	disabled, withoutRow uint64
}

// New creates a Teller. Changes wait until Run tells them.
func New(cfg Config) *Teller {
	t := &Teller{cfg: cfg}
	t.Sender = NewSender(SenderConfig[servers.Key, servers.Change]{
		Key:          func(c *servers.Change) (servers.Key, bool) { return c.Key(), c.Dead },
		Notification: t.notification, Ways: cfg.Ways,
	})
	return t
}

// Stats returns the statistics since New.
func (t *Teller) Stats() Stats {
	s := Stats{Enabled: t.cfg.Enabled(), SenderStats: t.Sender.Stats()}
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Disabled, s.WithoutRow = t.disabled, t.withoutRow
	return s
}

// notification returns casServerStateChange of the server as it was after a change. It returns false, and
// counts that, if the change is not to be told.
func (t *Teller) notification(c *servers.Change) (Notification, bool) {
	enabled, view := t.cfg.Enabled(), t.cfg.View()
	i := slices.IndexFunc(view.Entries, func(e servers.Entry) bool { return e.Key() == c.Key() })
	if hasRow := i >= 0 && cas.HasRow(&view.Entries[i]); !enabled || !hasRow {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !enabled {
			t.disabled++
		} else {
			t.withoutRow++
		}
		return Notification{}, false
	}
	entry := view.Entries[i]
	entry.State = c.Lifetime
	trap, vars := cas.StateChange(&entry)
	return Notification{trap, vars}, true
}
