//go:build partners

package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"aaasess/internal/browser"
	"aaasess/internal/freeport"
)

// pageURL returns the address of a view of the status page.
func (l *inProcess) pageURL(path string) string {
	return "http://" + l.d.http.Addrs()[0].String() + path
}

// siteConfig is a daemon with all that the status page shows: a group whose server answers nobody, a
// responder with users, communities and targets, and an On that nobody acknowledges.
func siteConfig(t *testing.T, more string) string {
	t.Helper()
	port, err := freeport.UDP()
	if err != nil {
		t.Fatal(err)
	}
	return with(t, responderConfig(t, int(port)),
		"radius:\n", fmt.Sprintf("http: {listen: [\"127.0.0.1:0\"]%s}\nradius:\n", more),
		"accounting:\n  network", fmt.Sprintf(`  servers:
    - {name: "r-down", address: 127.0.0.1, port: %d, secret: upstream}
    - {name: "r-spare", address: 127.0.0.2, port: %d, secret: upstream}
  groups:
    - {name: isp, servers: [r-down, r-spare], timeout: 100ms, retransmit: 0, hold-down: 1m, acct-on-off: {}}
accounting:
  network`, port, port),
		"methods: [local]", "methods: [group isp]")
}

// octets returns counters for a packet.
func octets(input, output uint32) func(*layeh.Packet) error {
	return func(p *layeh.Packet) error {
		if err := rfc2866.AcctInputOctets_Set(p, rfc2866.AcctInputOctets(input)); err != nil {
			return err
		}
		return rfc2866.AcctOutputOctets_Set(p, rfc2866.AcctOutputOctets(output))
	}
}

// from adds what a NAS says of where a user is.
func from(address, port, station string) func(*layeh.Packet) error {
	return func(p *layeh.Packet) error {
		if err := rfc2865.FramedIPAddress_Set(p, net.ParseIP(address)); err != nil {
			return err
		}
		if err := rfc2869.NASPortID_SetString(p, port); err != nil {
			return err
		}
		return rfc2865.CallingStationID_SetString(p, station)
	}
}

// people starts some sessions.
func (l *inProcess) people(n int) {
	l.t.Helper()
	names := []string{"alice", "bob@example.org", "charlotte.de.la.fontaine@a-rather-long-realm.example.net", "dmitri", "établi"}
	for i := range n {
		place := from(fmt.Sprintf("198.51.100.%d", i+1), fmt.Sprintf("Gi0/0/%d", i), fmt.Sprintf("00-1C-B3-09-85-%02X", i))
		l.mustAccount(packet(acctStart, fmt.Sprintf("S%d", i), names[i%len(names)], place),
			packet(acctInterim, fmt.Sprintf("S%d", i), names[i%len(names)], place, octets(uint32(i)*1234567, uint32(i)*23456789)))
	}
}

// browserViews are the views of the status page, with a name for pictures.
var browserViews = map[string]string{
	"overview": "/", "sessions": "/sessions", "servers": "/servers", "spool": "/spool", "on-off": "/on-off", "snmp": "/snmp",
	"missing": "/nothing", "no-session": "/sessions/FFFFFFFF", "nobody": "/sessions?search=zzz",
}

// TestBrowserViews shows all views on a desktop and a phone, in light and dark colours, keeps a picture
// of each, and finds nothing that makes one hard to use.
func TestBrowserViews(t *testing.T) {
	l := launch(t, siteConfig(t, ""), environment{})
	l.people(12)
	views := map[string]string{"session": "/sessions/" + l.onlyID("alice")}
	for name, path := range browserViews {
		views[name] = path
	}
	eventually(t, "the group's server is down", func() bool { _, body := l.get("/servers"); return strings.Contains(body, `data-state="down"`) })
	b := browser.Start(t)
	for _, d := range []browser.Device{browser.Desktop, browser.Phone} {
		for _, dark := range []bool{false, true} {
			d.Dark = dark
			p := b.Open(d)
			p.Expect("status of 404") // of the views that are not there
			for name, path := range views {
				p.Go(l.pageURL(path))
				if live := browser.Eval[bool](p, "'liveUrl' in document.body.dataset"); live {
					p.UntilText("#live-status", "Live")
				}
				for _, fault := range p.Audit() {
					t.Errorf("%s on the %s, dark %t: %s", path, d.Name, dark, fault)
				}
				p.Screenshot(name)
			}
		}
	}
}

// onlyID returns the ID of a session that starts a row of the page for a user.
func (l *inProcess) onlyID(user string) string {
	l.t.Helper()
	var id string
	eventually(l.t, "the session of "+user+" is on the page", func() bool {
		_, body := l.get("/sessions?limit=1&search=" + user)
		_, after, _ := strings.Cut(body, `href="/sessions/`)
		id, _, _ = strings.Cut(after, `"`)
		return len(id) == 8
	}, &id)
	return id
}
