package main

import (
	"context"
	"net/http"
	"net/netip"

	"aaasess/accounting/tap"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/sessions"
	naslocal "aaasess/sessions/local"
	"aaasess/sessions/local/feed"
	"aaasess/sessions/local/link"
	localreport "aaasess/sessions/local/report"
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
	lc.Names, lc.Logger, lc.Endings = d.dictionary.Load, d.log, d.endings.host
	if d.links != nil {
		lc.Interface = d.links.Lookup
	}
	lc.Describe = func(s *sessions.Session) any { return d.control.Describe(s) }
	lc.Events = feed.New[naslocal.Event](eventsKept)
	if d.local, err = naslocal.New(lc, d.table, d.terminator); err != nil {
		return err
	}
	d.localEvents = lc.Events
	h := d.control.Handlers(naslocal.Refuse, d.local.UID)
	d.local.Handle(http.MethodGet, localreport.PathSessions, naslocal.Read, h.List)
	d.local.Handle(http.MethodGet, localreport.PathSessions+"/{id}", naslocal.Read, h.Show)
	d.local.Handle(http.MethodPost, localreport.PathDisconnect, naslocal.Disconnect, h.Disconnect)
	return nil
}

// eventsKept is how many events are remembered for clients that come again.
const eventsKept = 8192

// feedEvents passes accountable events on to the local socket, from its first reader on.
func (d *daemon) feedEvents(ctx context.Context) error {
	select {
	case <-d.localEvents.Wanted():
	case <-ctx.Done():
		return nil
	}
	listener := d.router.Tap().Listen(func(*tap.Event) bool { return true })
	defer listener.Close()
	d.localEvents.Start()
	for {
		select {
		case item := <-listener.Items():
			e := item.Value
			d.localEvents.Add(naslocal.Event{Session: e.Session, Describe: func() any { return d.control.DescribeEvent(&e) }}, item.LeftOut)
		case <-ctx.Done():
			return nil
		}
		if len(listener.Items()) == 0 {
			d.localEvents.Skip(listener.LeftOut())
		}
	}
}

// setLocal sets who may use the socket, and how sessions are ended without RFC 5176.
func (d *daemon) setLocal(cfg *config.Config) {
	d.endings.set(&cfg.Endings)
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
