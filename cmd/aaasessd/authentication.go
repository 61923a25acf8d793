package main

import (
	"context"
	"sync/atomic"
	"time"

	"aaasess/cmd/aaasessd/internal/acctcontrol"
	"aaasess/cmd/aaasessd/internal/authgroups"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius/client"
	"aaasess/sessions/admission"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/relay"
)

// authentication is the relay of Access-Requests, with its listener and its server groups.
type authentication struct {
	listener *nasradius.AuthListener
	relay    *relay.Relay
	groups   *authgroups.Groups

	blockable atomic.Pointer[map[string]bool] // config.Authentication.Blockable
}

// openAuthentication opens what waits for accounting starts, and the relay if there is one.
func (d *daemon) openAuthentication(cfg *config.Config) error {
	d.admissions = admission.New(cfg.Admissions, d.table)
	if cfg.Authentication == nil {
		return nil
	}
	a := &authentication{groups: authgroups.New(d.radius)}
	d.authentication = a
	change, err := a.prepare(cfg)
	if err != nil {
		return err
	}
	a.relay, err = relay.New(relay.Config{
		Routes: routes(cfg, change.Groups()), Blocked: func(group string) bool { return a.isBlocked(group, d.methods.Blocked) }, Admissions: d.admissions, Log: d.log,
	})
	if err != nil {
		change.Discard()
		return err
	}
	a.blockable.Store(&cfg.Authentication.Blockable)
	if err := change.Apply(func() error { return nil }); err != nil {
		return err
	}
	lc := cfg.Authentication.Listener
	lc.Log = d.log
	a.listener, err = nasradius.NewAuthListener(lc, a.relay)
	return err
}

// routes returns where the relay sends the requests of each client.
func routes(cfg *config.Config, groups map[string]*client.Group) relay.Routes {
	return relay.Routes{Lists: cfg.Authentication.Lists, Apply: cfg.Authentication.Apply, Groups: groups, Dictionary: cfg.Dictionary}
}

// isBlocked reports whether a group gets no Access-Requests until an Accounting-On is answered (S3).
func (a *authentication) isBlocked(group string, blocked func(group string) bool) bool {
	return (*a.blockable.Load())[group] && blocked(group)
}

// prepare opens the groups of a configuration that are new. There is nothing to do if a is nil.
func (a *authentication) prepare(cfg *config.Config) (*authgroups.Change, error) {
	if a == nil {
		return nil, nil
	}
	return a.groups.Prepare(cfg.Authentication.Groups)
}

// discard closes what prepare has opened.
func (a *authentication) discard(change *authgroups.Change) {
	if a != nil {
		change.Discard()
	}
}

// apply puts a configuration in place for new requests. After an error nothing has changed.
func (a *authentication) apply(cfg *config.Config, change *authgroups.Change) error {
	if a == nil {
		return nil
	}
	return change.Apply(func() error {
		if err := a.relay.Reconfigure(routes(cfg, change.Groups())); err != nil {
			return err
		}
		a.blockable.Store(&cfg.Authentication.Blockable)
		return nil
	})
}

// setClients sets the NASes.
func (a *authentication) setClients(cfg *config.Config) error {
	if a == nil {
		return nil
	}
	return a.listener.SetClients(cfg.Authentication.Listener.Clients)
}

// forgetAnswered frees memory of answered requests. It returns how many.
func (a *authentication) forgetAnswered(now time.Time) int {
	if a == nil {
		return 0
	}
	return a.listener.ForgetAnswered(now)
}

// authGroups returns the server groups of the relay for the control socket, which may ask before the
// relay is open.
func (d *daemon) authGroups() []acctcontrol.AuthGroup {
	if d.authentication == nil {
		return nil
	}
	return d.authentication.groups.Statuses()
}

// tasks returns what runs for the relay. Its servers are part of the relay: they end after it, which
// then drops what they give back.
func (a *authentication) tasks() []task {
	if a == nil {
		return nil
	}
	servers := loop{a.relay.String(), a.relay.Ready(), func(ctx context.Context) error {
		groups, endGroups := context.WithCancel(context.WithoutCancel(ctx))
		ended := make(chan error, 1)
		go func() { ended <- a.groups.Run(groups) }()
		err := a.relay.Run(ctx)
		endGroups()
		<-ended // always nil
		return err
	}}
	return []task{servers, a.listener}
}

// close closes what is open. A task may already have done so.
func (a *authentication) close() error {
	if a == nil {
		return nil
	}
	var err error
	if a.listener != nil {
		err = unlessClosed(a.listener.Close())
	}
	a.groups.Close()
	return err
}
