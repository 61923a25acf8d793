package main

import (
	"slices"
	"sync/atomic"
	"time"

	"aaasess/accounting"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/internal/api"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/dynauth"
)

// dynAuth passes requests of servers to end and change sessions on to the NASes.
type dynAuth struct {
	listener  *nasradius.ChangeListener
	forwarder *dynauth.Forwarder
	rights    atomic.Pointer[map[string]config.DynAuthRights]
}

// openDynAuth opens the listener for requests of servers, if there is one.
func (d *daemon) openDynAuth(cfg *config.Config) (err error) {
	if cfg.DynAuth == nil {
		return nil
	}
	a := &dynAuth{}
	a.rights.Store(&cfg.DynAuth.Rights)
	a.forwarder = dynauth.New(dynauth.Config{
		Table: d.table, Forward: d.endings.forward, MayChange: a.mayChange,
		StopWait: cfg.Terminator.StopWait, RetryMin: cfg.Terminator.RetryMin, Log: d.log,
	})
	lc := cfg.DynAuth.Listener
	lc.Log = d.log
	if a.listener, err = nasradius.NewChangeListener(lc, a.forwarder); err != nil {
		return err
	}
	d.dynAuth = a
	return nil
}

// mayChange reports whether the method list of a session has a group of a server.
func (a *dynAuth) mayChange(server string, s *sessions.Session) bool {
	rights := (*a.rights.Load())[server]
	if rights.All {
		return true
	}
	route, err := accounting.ParseRoute(s.Route.String())
	return err == nil && slices.ContainsFunc(route.Methods, func(m accounting.MethodName) bool {
		return m.Group() != "" && slices.Contains(rights.Groups, m.Group())
	})
}

// setServers sets the servers of a configuration. After an error nothing has changed.
func (a *dynAuth) setServers(cfg *config.Config) error {
	if a == nil {
		return nil
	}
	if err := a.listener.SetClients(cfg.DynAuth.Listener.Clients); err != nil {
		return err
	}
	a.listener.RequireTimestamp(cfg.DynAuth.Listener.RequireTimestamp)
	a.rights.Store(&cfg.DynAuth.Rights)
	return nil
}

// forgetAnswered frees memory of answered requests. It returns how many.
func (a *dynAuth) forgetAnswered(now time.Time) int {
	if a == nil {
		return 0
	}
	return a.listener.ForgetAnswered(now)
}

// tasks returns what runs for requests of servers.
func (a *dynAuth) tasks() []task {
	if a == nil {
		return nil
	}
	return []task{a.forwarder, a.listener}
}

// close closes what is open. A task may already have done so.
func (a *dynAuth) close() error {
	if a == nil {
		return nil
	}
	return unlessClosed(a.listener.Close())
}

// status returns the status of requests of servers.
func (a *dynAuth) status() api.DynAuthStatus {
	l := a.listener.Stats()
	out := api.DynAuthStatus{
		Listener: api.DynAuthListenerStatus{DynAuthListenerCounters: api.DynAuthListenerCounters(l.ChangeCounters), Servers: []api.DynAuthServerStatus{}},
		Relay:    api.DynAuthRelayStatus(a.forwarder.Stats()),
	}
	for _, s := range l.Servers {
		out.Listener.Servers = append(out.Listener.Servers, api.DynAuthServerStatus{Name: s.Name, Address: s.Prefix, DynAuthListenerCounters: api.DynAuthListenerCounters(s.ChangeCounters)})
	}
	return out
}
