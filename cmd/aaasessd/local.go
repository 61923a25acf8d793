package main

import (
	"fmt"
	"net/netip"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/sessions"
	naslocal "aaasess/sessions/local"
	"aaasess/sessions/local/link"
	"aaasess/sessions/termination"
)

// localClient is the name of the client that sessions of this host have.
const localClient = "local"

// openLinks makes the reader of this host's network interfaces. It needs no local socket: sessions of an
// earlier start may have interfaces. Without a network namespace that can be told from others there is
// none.
func (d *daemon) openLinks(boot sessions.Boot) {
	host, err := link.Host(boot.ID)
	if err != nil {
		d.log.Warn("network interfaces are not read", "err", err)
		return
	}
	d.links = link.New(link.Config{Host: host, Logger: d.log}, d.table)
}

// openLocal opens the socket for programs on this host, if there is one. It comes after the control
// socket, whose JSON of sessions it shows.
func (d *daemon) openLocal(cfg *config.Config) (err error) {
	if cfg.LocalSocket == nil {
		return nil
	}
	lc := *cfg.LocalSocket
	lc.Names, lc.Logger = d.dictionary.Load, d.log
	if d.links != nil {
		lc.Interface = d.links.Lookup
	}
	lc.Describe = func(s *sessions.Session) any { return d.control.Describe(s) }
	d.local, err = naslocal.New(lc, d.table, d.terminator)
	return err
}

// setLocal sets who may use the socket.
func (d *daemon) setLocal(cfg *config.Config) {
	if d.local != nil {
		d.local.SetAccess(cfg.LocalSocket.Access)
	}
}

// canEnd returns why nothing can end a session, or nil.
func (d *daemon) canEnd(s *sessions.Session) error {
	if sessions.IsLocal(s.NAS.Addr) {
		return fmt.Errorf("%w: it is of this host", termination.ErrNoMeans)
	}
	return d.disconnector.CanEnd(s)
}

// clientName returns the configured name of the client that a NAS belongs to, by its address; "" if it
// has none.
func (d *daemon) clientName(addr netip.Addr) string {
	if sessions.IsLocal(addr) {
		return localClient
	}
	return d.disconnector.ClientName(addr)
}
