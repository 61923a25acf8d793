package main

import (
	"fmt"
	"time"

	"aaasess/cmd/aaasessd/internal/acctcontrol"
	"aaasess/cmd/internal/api"
	"aaasess/internal/servers"
	"aaasess/sessions/admission"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/relay"
)

// authenticationStatus returns the status of the authentication relay.
func authenticationStatus(l nasradius.AuthStats, r relay.Stats, a admission.Stats) api.AuthenticationStatus {
	out := api.AuthenticationStatus{
		Listener: api.AuthListenerStatus{AuthListenerCounters: api.AuthListenerCounters(l.AuthCounters), Clients: []api.AuthClientStatus{}},
		Relay: api.RelayStatus{
			Requests: r.Requests, Accepts: r.Accepts, Rejects: r.Rejects, Challenges: r.Challenges,
			Dropped: api.RelayDropped{
				NoList: r.NoList, Blocked: r.Blocked, NoResponse: r.NoResponse, Busy: r.Busy, Unusable: r.Unusable, Looped: r.Looped,
				BadAnswers: r.BadAnswers, Stopped: r.Stopped,
			},
			UnknownStates: r.UnknownStates, LateRecords: r.LateRecords, InFlight: r.InFlight, Octets: r.Octets, States: r.States,
			Groups: []api.RelayGroup{},
		},
		Logins: api.LoginStatus(a),
	}
	for _, c := range l.Clients {
		out.Listener.Clients = append(out.Listener.Clients, api.AuthClientStatus{Name: c.Name, Address: c.Prefix, LastAnswered: setTime(c.LastAnswered), AuthListenerCounters: api.AuthListenerCounters(c.AuthCounters)})
	}
	for _, g := range r.Groups {
		out.Relay.Groups = append(out.Relay.Groups, api.RelayGroup(g))
	}
	return out
}

// logins returns what the control socket lists of logins: nil if none are relayed, or not yet.
func (d *daemon) logins() *admission.Store {
	if d.authentication == nil {
		return nil
	}
	return d.admissions
}

// silentGroups returns a reason for each group whose servers are all dead for authentication.
func silentGroups(groups []acctcontrol.AuthGroup) (out []string) {
	for _, g := range groups {
		if isSilent(&g) {
			var since time.Time // when the last one died
			for i := range g.Stats.Servers {
				if s := &g.Stats.Servers[i]; s.StateSince.After(since) {
					since = s.StateSince
				}
			}
			out = append(out, fmt.Sprintf("authentication: no server of the group %s answers since %s (show radius statistics)", g.Config.Name, since.UTC().Format(time.RFC3339)))
		}
	}
	return out
}

// isSilent reports whether all servers of a group are dead for authentication.
func isSilent(g *acctcontrol.AuthGroup) bool {
	for i := range g.Stats.Servers {
		if g.Stats.Servers[i].State != servers.Dead {
			return false
		}
	}
	return len(g.Stats.Servers) > 0
}
