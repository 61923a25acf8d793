package client

import (
	"time"

	"aaasess/internal/servers"
)

// Stats are the statistics of a group's servers. They cover all servers of the same name and all groups of
// the same Purpose, as long as the name is configured ([Client.SetNames]).
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
	all := p.server.history.Report(use(p.purpose), p.state(), now)
	all.Addr = p.addr
	return all
}

// use returns the word for a purpose in statistics.
func use(p Purpose) servers.Use {
	if p == Authentication {
		return servers.ForAuthentication
	}
	return servers.ForAccounting
}

// Statistics returns a copy of the statistics of all servers that are configured ([Client.SetNames]) or
// that groups have.
func (c *Client) Statistics() servers.Statistics {
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := servers.Statistics{
		Now: now, Records: c.histories.Records(now), InvalidAuthAddresses: c.invalid[Authentication], InvalidAcctAddresses: c.invalid[Accounting],
	}
	for _, s := range c.servers {
		for _, p := range s.paths {
			r := all.Of(s.Name)
			to := &r.Accounting
			if p.purpose == Authentication {
				to = &r.Authentication
			}
			to.Addr = p.addr
		}
	}
	return all
}

// Restore continues the statistics of an earlier process. It is called before the first group.
func (c *Client) Restore(s servers.Statistics) {
	now := c.cfg.Now()
	c.mu.Lock()
	c.histories.Restore(s.Records, now)
	c.invalid = [purposes]uint64{Accounting: s.InvalidAcctAddresses, Authentication: s.InvalidAuthAddresses}
	c.mu.Unlock()
	c.tell()
}

// SetNames says which servers are configured. The statistics of another name are forgotten once no
// group has it. Before the first call, none are.
func (c *Client) SetNames(names []string) {
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.histories.SetNames(names, now)
}

// End says that the process is about to end: groups that end from now on do not make a dead server one
// that is up, see [servers.Histories.End].
func (c *Client) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.histories.End()
}

// StateChanges returns how often servers became dead or are not dead any more. It needs no mutex.
func (c *Client) StateChanges() uint64 { return c.histories.Changes() }

// tell calls Config.Changed. The caller does not hold the mutex.
func (c *Client) tell() { c.histories.Tell(&c.mu, c.cfg.Changed) }
