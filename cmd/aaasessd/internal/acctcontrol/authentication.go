package acctcontrol

import (
	"slices"

	"aaasess/cmd/aaasessd/internal/authgroups"
	"aaasess/cmd/internal/api"
	"aaasess/internal/radius/client"
	"aaasess/internal/servers"
)

// AuthGroup is a server group that Access-Requests are relayed to.
type AuthGroup = authgroups.Status

// addAuthentication adds what authentication uses to the groups of accounting. A group that only
// relays logins is added behind them.
func (c *Accounting) addAuthentication(groups []api.ServerGroup) []api.ServerGroup {
	if c.cfg.Authentication == nil {
		return groups
	}
	for _, a := range c.cfg.Authentication() {
		i := slices.IndexFunc(groups, func(g api.ServerGroup) bool { return g.Protocol == api.RADIUS && g.Name == a.Config.Name })
		if i < 0 {
			i = len(groups)
			groups = append(groups, onlyForLogins(&a.Config))
		}
		g := &groups[i]
		g.RelaysLogins = true
		addLoginServers(g, &a)
		for k := range g.Servers {
			addAuthServer(&g.Servers[k], &a)
		}
	}
	return groups
}

// onlyForLogins returns a group that no accounting list has, without its servers.
func onlyForLogins(cfg *client.GroupConfig) api.ServerGroup {
	return api.ServerGroup{
		Name: cfg.Name, Protocol: api.RADIUS, AcctOnOff: api.AcctOnOff{State: api.StateUnknown}, SourceAddress: address(cfg.Source),
		AccessAlgorithm: cfg.Algorithm.String(), BatchSize: cfg.BatchSize, HoldDown: api.InSeconds(max(0, cfg.HoldDown)),
		DeadCriteria: deadCriteria(cfg.DeadCriteria), Window: cfg.MaxInFlight,
	}
}

// addLoginServers adds the servers that only relay logins: all of a group that no accounting list has,
// and those without a port for accounting.
func addLoginServers(g *api.ServerGroup, a *authgroups.Status) {
	for i, m := range a.Config.Members {
		st := &a.Stats.Servers[i]
		if slices.ContainsFunc(g.Servers, func(s api.GroupServer) bool { return s.Name == st.Name }) {
			continue
		}
		s := groupServer(len(g.Servers), m.Host, 0, m.Schedule, st)
		s.Retransmit = max(0, s.Retransmit)
		s.Statistics = api.ServerStatistics{} // they are those of authentication
		s.Test = serverTest(&m.Test)
		g.Servers = append(g.Servers, s)
	}
}

// addAuthServer adds what authentication uses to a server. A server of accounting is the one of the
// same name.
func addAuthServer(s *api.GroupServer, a *authgroups.Status) {
	for i, m := range a.Config.Members {
		st := &a.Stats.Servers[i]
		if st.Name == s.Name {
			s.AuthenticationPort = m.AuthPort
			s.Authentication = &api.AuthenticationStatistics{
				ServerStatistics: serverStatistics(st), OperState: operState(st.State), Accepts: st.Accepts, Rejects: st.Rejects, Challenges: st.Challenges,
			}
		}
	}
}

// serverStatistics returns the statistics of a server for one purpose.
func serverStatistics(st *servers.Stats) api.ServerStatistics {
	out := api.ServerStatistics{
		ServerCounters: api.ServerCounters{
			CountedSince: st.CountedSince.UTC(), Requests: st.Requests, Retransmissions: st.Retransmissions, Responses: st.Responses, Timeouts: st.Timeouts,
			MalformedResponses: st.MalformedResponses, BadAuthenticators: st.BadAuthenticators,
			Unexpected: st.Unexpected(), UnknownTypes: st.UnknownTypes, PacketsDropped: st.PacketsDropped, LateResponses: st.LateResponses, PendingRequests: uint64(max(0, st.PendingRequests)),
			RoundTripTime: api.InSeconds(st.RoundTripTime), AverageResponseTime: api.InSeconds(st.CasResponseTime()), TimedResponses: st.TimedResponses,
			MaxResponseTime: api.InSeconds(st.MaxResponseTime), Tests: st.Tests, TestsFailed: st.TestsFailed,
			Successes: st.Successes, Failures: st.Failures,
		},
		StateSince: st.StateSince.UTC(), PreviousStateDuration: api.InSeconds(st.PreviousState),
		TotalDeadTime: api.InSeconds(st.TotalDeadTime), DeadCount: st.DeadCount,
	}
	if c := st.StatusServer; c != (servers.StatusServer{}) {
		out.StatusServer = (*api.StatusServerCounters)(&c)
	}
	if !st.DownUntil.IsZero() {
		out.DownUntil = st.DownUntil.UTC()
	}
	return out
}

// serverTest returns how a server is tested, nil if it is not.
func serverTest(t *client.Test) *api.ServerTest {
	if t.Username == "" && !t.StatusServer || t.IgnoreAuthPort && t.IgnoreAcctPort {
		return nil
	}
	out := &api.ServerTest{Username: t.Username, IdleTime: api.InSeconds(t.IdleTime), AuthenticationPort: !t.IgnoreAuthPort, AccountingPort: !t.IgnoreAcctPort}
	if t.StatusServer {
		out.Username = ""
	}
	return out
}
