package main

import (
	"fmt"
	"net/netip"
	"slices"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/page"
	"aaasess/cmd/aaasessd/internal/web"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/version"
)

// maxStreams is how many browsers get changes at the same time as they happen. The others ask again. It is
// half of the connections, so that Prometheus and further browsers have theirs.
const maxStreams = 32

// maxPages is how many pages are made at the same time. Each may search all sessions.
const maxPages = 16

// openPage adds the status page to the HTTP listener.
func (d *daemon) openPage(cfg *config.Config) {
	d.statusPage.Store(&cfg.StatusPage)
	listener := cfg.HTTP // a reload changes neither its addresses nor its file
	p := page.New(page.Config{
		Source: d.pageSource(), Logger: d.log,
		On:         func() bool { return hasStatusPage(*d.statusPage.Load(), listener) },
		Disconnect: func() bool { return d.statusPage.Load().Disconnect },
	})
	d.http.Handle("/", web.Limited(maxPages, p))
	d.http.Handle("GET /live", d.http.Stream(maxStreams, p.Live()))
}

// hasStatusPage reports whether there is a status page: as the configuration says, and else where nobody
// from elsewhere can see it without authentication.
func hasStatusPage(cfg config.StatusPage, listener *web.Config) bool {
	if cfg.Wanted != nil {
		return *cfg.Wanted
	}
	if onLoopback(listener) {
		return true
	}
	ok, err := web.Authenticates(listener.WebConfig)
	return ok && err == nil
}

func onLoopback(listener *web.Config) bool {
	return !slices.ContainsFunc(listener.Listen, func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() })
}

// checkStatusPage returns an error if persons may disconnect sessions, and nobody is authenticated.
func checkStatusPage(cfg *config.Config) error {
	if cfg.HTTP == nil || !cfg.StatusPage.Disconnect {
		return nil
	}
	ok, err := web.Authenticates(cfg.HTTP.WebConfig)
	if err != nil {
		return fmt.Errorf("http.web-config: %w", err)
	}
	if !ok {
		return fmt.Errorf("http.disconnect: %s authenticates nobody: it needs basic_auth_users or the client_auth_type RequireAndVerifyClientCert", cfg.HTTP.WebConfig)
	}
	return nil
}

// statusPageWarning returns what is dangerous about the status page, as far as it depends on the web
// configuration; "" if nothing is.
func statusPageWarning(cfg *config.Config) string {
	if cfg.HTTP == nil || cfg.HTTP.WebConfig == "" || cfg.StatusPage.Wanted == nil || !*cfg.StatusPage.Wanted || onLoopback(cfg.HTTP) {
		return ""
	}
	if ok, err := web.Authenticates(cfg.HTTP.WebConfig); ok || err != nil {
		return ""
	}
	return fmt.Sprintf("http.status-page: everybody who can connect can see the names of users: %s authenticates nobody", cfg.HTTP.WebConfig)
}

// pageSource returns where the status page reads, when all parts are open.
func (d *daemon) pageSource() page.Source {
	return page.Source{
		Version: version.String(), Person: d.http.Person,
		Status: d.control.Status, Sessions: d.control.List, Session: d.control.Detail,
		Groups: d.accounting.ServerGroups, OnOffGroups: d.accounting.OnOffGroups,
		Blocked: d.blocked, Spool: d.accounting.Spool, SetAside: d.accounting.SetAside,
		SNMP: d.snmpStatus, Disconnect: d.control.DisconnectOne,
	}
}

// snmpStatus returns the status of the responder; nil: there is none.
func (d *daemon) snmpStatus() *api.SNMPStatus {
	if d.snmp == nil {
		return nil
	}
	status := d.snmp.status()
	return &status
}
