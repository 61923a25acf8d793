package main

import (
	"net/netip"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/sessions"
	naslocal "aaasess/sessions/local"
)

// localClient is the name of the client that sessions of this host have.
const localClient = "local"

// openLocal opens the socket for programs on this host, if there is one. It comes after the control
// socket, whose JSON of sessions it shows.
func (d *daemon) openLocal(cfg *config.Config) (err error) {
	if cfg.LocalSocket == nil {
		return nil
	}
	lc := *cfg.LocalSocket
	lc.Names, lc.Logger, lc.Endings = d.dictionary.Load, d.log, d.endings.host
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

// clientName returns the configured name of the client that a NAS belongs to, by its address; "" if it
// has none.
func (d *daemon) clientName(addr netip.Addr) string {
	if sessions.IsLocal(addr) {
		return localClient
	}
	return d.disconnector.ClientName(addr)
}
