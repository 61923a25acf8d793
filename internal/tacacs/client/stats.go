package client

import (
	"time"

	"aaasess/internal/servers"
)

// Stats are the statistics of a group's servers. They cover all servers of the same name, as long as it
// is configured ([Client.SetNames]).
type Stats struct {
	Servers []ServerStats // in the order of GroupConfig.Members
}

// ServerStats are the statistics of one server. Of the fields of [servers.Stats], BadAuthenticators
// counts answers whose lengths do not add up or that are not obfuscated (a wrong key), UnknownTypes
// those of another type than accounting, and PacketsDropped those of an unknown session. SendErrors
// counts connections that failed: they could not be opened, or the server closed them although
// requests were in flight and it had answered none. Addr is that of the last connection; zero means
// that there was none to a server whose Host is a name.
type ServerStats struct {
	servers.Stats
	// Connections is the number of open connections.
	Connections int
	// SingleConnection reports whether the last server's answer that could agree to single
	// connection mode did so, and the server keeps it.
	SingleConnection bool
}

// report returns the statistics of the server. The caller holds the mutex.
func (s *server) report(now time.Time) ServerStats {
	all := ServerStats{Stats: s.history.Report(servers.ForAccounting, &s.state, now), Connections: s.connections, SingleConnection: s.single}
	all.Addr = s.addr
	return all
}

// Statistics returns a copy of the statistics of all servers that are configured ([Client.SetNames]) or
// that groups have.
func (c *Client) Statistics() servers.Statistics {
	now := c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := servers.Statistics{Now: now, Records: c.histories.Records(now)}
	for _, s := range c.servers {
		all.Of(s.Name).Accounting.Addr = s.addr
	}
	return all
}

// Restore continues the statistics of an earlier process. It is called before the first group.
func (c *Client) Restore(s servers.Statistics) {
	now := c.cfg.Now()
	c.mu.Lock()
	c.histories.Restore(s.Records, now)
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
