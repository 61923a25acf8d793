package client

import (
	"slices"

	"aaasess/internal/servers"
)

// Reconfigure prepares a change of the schedules, Algorithm, BatchSize, HoldDown, DeadCriteria and
// MaxInFlight of a group that runs, and of those settings of its servers that do not identify them.
// apply makes the change: requests in flight continue with the new schedules from their next
// transmission on, and all names are looked up at once. apply is nil if cfg needs a new group,
// because it has another Name, Purpose or Source, or other servers or another order of them. Heard
// stays as it is. An error describes an invalid GroupConfig.
func (g *Group) Reconfigure(cfg GroupConfig) (apply func(), err error) {
	cfg, err = cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	sameServer := func(a, b Member) bool { return a.key() == b.key() }
	if cfg.Name != g.cfg.Name || cfg.Purpose != g.cfg.Purpose || cfg.Source != g.cfg.Source || !slices.EqualFunc(cfg.Members, g.cfg.Members, sameServer) {
		return nil, nil
	}
	return func() { g.apply(cfg) }, nil
}

// apply applies the settings of Reconfigure. Name, Source and Heard stay, so they may be read
// without the mutex.
func (g *Group) apply(cfg GroupConfig) {
	g.client.mu.Lock()
	var old []Conn
	defer func() {
		g.client.mu.Unlock()
		g.client.tell()
		closeAll(old)
	}()
	g.cfg.Members, g.cfg.Algorithm, g.cfg.HoldDown = cfg.Members, cfg.Algorithm, cfg.HoldDown
	g.cfg.DeadCriteria, g.cfg.MaxInFlight = cfg.DeadCriteria, cfg.MaxInFlight
	g.cfg.BatchSize, g.batch = cfg.BatchSize, batch{}
	g.rule = servers.DeathRule{Criteria: cfg.DeadCriteria, HoldDown: cfg.HoldDown}
	g.window.Store(int64(cfg.MaxInFlight))
	if g.phase == closed {
		return
	}
	old = g.adoptMembers()
	for _, p := range g.paths {
		p.updateLimits()
		p.server.lookUpSoon()
	}
}

// adoptMembers gives the servers the settings of the group's members. The caller holds the mutex, and
// must close the returned Conns afterwards.
func (g *Group) adoptMembers() (old []Conn) {
	now := g.client.cfg.Now()
	for i, p := range g.paths {
		old = append(old, p.server.adopt(g.cfg.Members[i].Identity, now)...)
	}
	return old
}
