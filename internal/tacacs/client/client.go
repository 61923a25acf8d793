package client

import (
	"slices"
	"sync"

	"aaasess/internal/servers"
	"aaasess/internal/throttle"
)

// Client has all servers of its groups, each once. Its methods may be called from any goroutine.
type Client struct {
	cfg Config

	// mu guards all mutable state here, and in servers, paths, connections, groups and exchanges.
	// It is never held over I/O.
	mu      sync.Mutex
	servers map[Identity]*server
	// histories are what is known of the servers, which stays when they leave.
	histories *servers.Histories

	tracedRequests, tracedAnswers throttle.Packets
}

// New creates a Client without servers; groups add them.
func New(cfg Config) *Client {
	return &Client{cfg: cfg.withDefaults(), servers: map[Identity]*server{}, histories: servers.NewHistories(servers.TACACS)}
}

// join connects a group to its servers: existing ones of other groups, and new ones.
func (c *Client) join(g *Group) {
	defer c.tell()
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	for i := range g.cfg.Members {
		id := g.cfg.Members[i].Identity
		s := c.servers[id]
		if s == nil {
			s = newServer(c, id, now)
			c.servers[id] = s
		}
		g.paths[i], g.states[i] = s.pathFrom(g.cfg.Source, now), &s.state
	}
	for _, p := range g.paths {
		p.groups = append(p.groups, g)
		p.updateLimits()
	}
}

// leave disconnects a group from its servers, and ends the connections that no other group has. It
// returns after they have ended.
func (c *Client) leave(g *Group) {
	var ended []*path
	now := c.cfg.Now()
	c.mu.Lock()
	for _, p := range g.paths {
		if p.groups = without(p.groups, g); len(p.groups) > 0 {
			p.updateLimits()
			continue
		}
		p.close()
		ended = append(ended, p)
		s := p.server
		s.history.RemovePort(&s.state, now)
		if delete(s.paths, p.source); len(s.paths) == 0 {
			delete(c.servers, s.Identity)
		}
	}
	c.mu.Unlock()
	for _, p := range ended {
		p.goroutines.Wait()
	}
}

// without removes a group from a list.
func without(groups []*Group, g *Group) []*Group {
	return slices.DeleteFunc(groups, func(other *Group) bool { return other == g })
}
