package client

import (
	"slices"
	"strings"
	"time"

	"aaasess/internal/servers"
)

// Stats are the statistics of a group's servers. They cover all groups of the same Purpose that have
// the server, from when the first one had it.
type Stats struct {
	// InvalidServerAddresses counts packets from other addresses than a server's, over all servers
	// of the client for this purpose (radiusAccClientInvalidServerAddresses,
	// radiusAuthClientInvalidServerAddresses).
	InvalidServerAddresses uint64
	Servers                []servers.Stats // in the order of GroupConfig.Members
}

// Stats returns a copy of the statistics.
func (g *Group) Stats() Stats {
	c := g.client
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := Stats{InvalidServerAddresses: c.invalid[g.cfg.Purpose], Servers: make([]servers.Stats, len(g.paths))}
	for i, p := range g.paths {
		all.Servers[i] = p.report(now)
	}
	return all
}

// report returns the statistics of the server for the purpose of the path. The caller holds the
// mutex.
func (p *path) report(now time.Time) servers.Stats {
	all := *p.stats()
	all.Name, all.Addr = p.server.Name, p.addr
	p.state().Report(&all, now)
	return all
}

// Stats returns a copy of the statistics of all servers that groups have for a purpose, each once,
// sorted by Name.
func (c *Client) Stats(purpose Purpose) Stats {
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := Stats{InvalidServerAddresses: c.invalid[purpose]}
	for _, s := range c.servers {
		for at, p := range s.paths {
			if at.purpose == purpose {
				all.Servers = append(all.Servers, p.report(now))
				break
			}
		}
	}
	slices.SortFunc(all.Servers, func(a, b servers.Stats) int { return strings.Compare(a.Name, b.Name) })
	return all
}
