package main

import (
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/page"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/version"
)

// maxStreams is how many browsers get changes at the same time as they happen. The others ask again. It is
// half of the connections, so that Prometheus and further browsers have theirs.
const maxStreams = 32

// openPage adds the status page to the HTTP listener.
func (d *daemon) openPage(*config.Config) {
	p := page.New(page.Config{Source: d.pageSource(), Logger: d.log})
	d.http.Handle("/", p)
	d.http.Handle("GET /live", d.http.Stream(maxStreams, p.Live()))
}

// pageSource returns where the status page reads, when all parts are open.
func (d *daemon) pageSource() page.Source {
	return page.Source{
		Version: version.String(),
		Status:  d.control.Status, Sessions: d.control.List, Session: d.control.Detail,
		Groups: d.accounting.ServerGroups, OnOffGroups: d.accounting.OnOffGroups,
		Spool: d.accounting.Spool, SetAside: d.accounting.SetAside,
		SNMP: d.snmpStatus,
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
