package main

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/local/ending"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/termination"
)

// endings ends each session in its own way: by a request to its NAS, or by what the session or the
// client of its NAS says. It is a [termination.Disconnector].
type endings struct {
	nas        *dae.Disconnector
	host       *ending.Disconnector
	clientName func(netip.Addr) string
	clients    atomic.Pointer[map[string]*sessions.Ending] // by name
}

// set sets the commands, the OpenVPN servers, and how the sessions of clients are ended.
func (e *endings) set(cfg *config.Endings) {
	e.host.SetMeans(cfg.Means)
	e.clients.Store(&cfg.Clients)
}

// of returns how a session is ended. asked says that its NAS is asked.
func (e *endings) of(s *sessions.Session) (how *sessions.Ending, asked bool) {
	if sessions.IsLocal(s.NAS.Addr) {
		return s.End(), false
	}
	how = (*e.clients.Load())[e.clientName(s.NAS.Addr)]
	return how, how == nil
}

// Disconnect implements [termination.Disconnector].
func (e *endings) Disconnect(ctx context.Context, a *termination.Attempt) termination.Outcome {
	how, asked := e.of(a.Session)
	if asked {
		return e.nas.Disconnect(ctx, a)
	}
	return e.host.Disconnect(ctx, a.Session, how)
}

// canEnd returns why nothing can end a session, or nil.
func (e *endings) canEnd(s *sessions.Session) error {
	how, asked := e.of(s)
	if asked {
		return e.nas.CanEnd(s)
	}
	return e.host.CanEnd(s, how)
}

// forward carries out a request of a server. A session that is ended without its NAS cannot be changed.
func (e *endings) forward(ctx context.Context, s *sessions.Session, f dae.Forwarded) dae.Reply {
	how, asked := e.of(s)
	switch {
	case asked:
		return e.nas.Forward(ctx, s, f)
	case f.Code != radius.CodeDisconnectRequest:
		return dae.Reply{Outcome: termination.Outcome{Err: fmt.Errorf("it cannot be changed: %w", termination.ErrNoMeans)}}
	case f.Ended != nil && f.Ended():
		return dae.Reply{Outcome: termination.Outcome{Err: termination.ErrSessionEnded}}
	}
	return dae.Reply{Outcome: e.host.Disconnect(ctx, s, how)}
}
