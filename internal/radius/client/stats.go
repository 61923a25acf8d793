package client

import "aaasess/internal/servers"

// Stats are the statistics of a group's servers. They cover all groups that have the server, from
// when the first one had it.
type Stats struct {
	// InvalidServerAddresses counts packets from other addresses than a server's, over all servers
	// of the client (radiusAccClientInvalidServerAddresses).
	InvalidServerAddresses uint64
	Servers                []servers.Stats // in the order of GroupConfig.Members
}

// Stats returns a copy of the statistics.
func (g *Group) Stats() Stats {
	c := g.client
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := Stats{InvalidServerAddresses: c.invalid, Servers: make([]servers.Stats, len(g.paths))}
	for i, p := range g.paths {
		s := p.server
		to := &all.Servers[i]
		*to = s.stats
		to.Name, to.Addr = s.Name, p.addr
		s.state.Report(to, now)
	}
	return all
}
