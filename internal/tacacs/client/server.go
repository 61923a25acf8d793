package client

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"aaasess/internal/servers"
	"aaasess/internal/throttle"
)

// server is the state of one server, for all groups. The client's mutex guards its mutable fields.
type server struct {
	Identity
	client *Client

	paths       map[netip.Addr]*path // by the local address of connections
	state       servers.Health
	connections int // open
	history     *servers.History
	stats       *servers.Stats         // of the history
	addr        netip.AddrPort         // of the last connection; zero: none, and Host is a name
	single      bool                   // ServerStats.SingleConnection
	refusals    []any                  // different requests in a row that got ERROR or FOLLOW: Request.Record
	logged      throttle.Lines[string] // lines that may come with each packet, by message
}

func newServer(c *Client, id Identity, now time.Time) *server {
	s := &server{Identity: id, client: c, paths: map[netip.Addr]*path{}, state: servers.NewHealth(now), history: c.histories.Of(id.Name, now)}
	s.stats = s.history.Stats(servers.ForAccounting)
	if a, err := netip.ParseAddr(id.Host); err == nil {
		s.addr = netip.AddrPortFrom(a, id.Port)
	}
	return s
}

// pathFrom returns the path from a local address. The caller holds the mutex.
func (s *server) pathFrom(source netip.Addr, now time.Time) *path {
	p := s.paths[source]
	if p == nil {
		p = &path{server: s, source: source}
		s.paths[source] = p
		s.history.AddPort(servers.ForAccounting, &s.state, now)
	}
	return p
}

// groups returns all groups that have the server. The caller holds the mutex.
func (s *server) groups() (groups []*Group) {
	for _, p := range s.paths {
		groups = append(groups, p.groups...)
	}
	return groups
}

// defaultRefusals is how many different requests in a row must get ERROR or FOLLOW for a server to be
// dead, if the criteria do not say.
const defaultRefusals = 3

// refused handles an answer ERROR or FOLLOW to the request with this Record. The server answers, but
// may accept nothing: it is dead once several different requests in a row had such an answer. One
// request that gets it again and again says nothing about the server. It reports whether the server
// became dead, or was dead because it did not answer. The caller holds the mutex.
func (s *server) refused(record any, now time.Time, r servers.DeathRule) (died, back bool) {
	limit := r.Criteria.Tries
	if limit == 0 {
		limit = defaultRefusals
	}
	if len(s.refusals) < limit && !slices.Contains(s.refusals, record) {
		s.refusals = append(s.refusals, record)
	}
	if len(s.refusals) < limit {
		return false, s.state.Answered(now)
	}
	return s.state.Refused(now, r), false
}

// warn logs a problem that may come with each packet. The caller does not hold the mutex.
func (s *server) warn(message string, args ...any) { s.log(slog.LevelWarn, message, args...) }

// log writes a line that may come with each packet. The caller does not hold the mutex.
func (s *server) log(level slog.Level, message string, args ...any) {
	if v := s.logged.Allow(message, s.client.cfg.Now()); v.Write {
		s.client.cfg.Logger.Log(context.Background(), level, message, append([]any{"server", s.Name, "address", s.Address(), "suppressed", v.Suppressed}, args...)...)
	}
}
