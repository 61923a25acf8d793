//go:build partners

package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/browser"
	"aaasess/internal/freeport"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/radius/radiustest"
)

// TestBrowserLive: a session that starts appears without a reload, and one that ends goes. What the
// person does in the meantime stays: the focus, selected text, an open detail, a half typed search.
func TestBrowserLive(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	l.people(3)
	p := browser.Start(t).Open(browser.Desktop)
	p.Go(l.pageURL("/sessions"))
	p.UntilText("#live-status", "Live")
	browser.Eval[int](p, "window.loaded = 1") // gone after a reload
	p.Click("summary")
	p.Type("#search", "half ty")
	browser.Eval[any](p, "document.getElementById('s-00000001').focus()")
	browser.Eval[any](p, "getSelection().selectAllChildren(document.getElementById('s-00000002'))")

	l.mustAccount(packet(acctStart, "S100", "newcomer"))
	p.UntilText("#sessions-table tbody", "newcomer")
	l.mustAccount(packet(acctStop, "S2", "charlotte.de.la.fontaine@a-rather-long-realm.example.net"))
	p.Until("!document.querySelector('#sessions-table tbody').innerText.includes('charlotte')")
	p.UntilText("#sessions-table .summary", "3 sessions")

	type kept struct {
		Loaded                    int
		Focus, Selection, Written string
		Open                      bool
	}
	got := browser.Eval[kept](p, `({ loaded: window.loaded ?? 0, focus: document.activeElement.id, selection: getSelection().toString(),
		written: document.getElementById("search").value, open: document.querySelector("details").open })`)
	want := kept{Loaded: 1, Focus: "s-00000001", Selection: "00000002", Written: "half ty", Open: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// The row with the focus goes: the focus stays at the table.
	l.mustAccount(packet(acctStop, "S0", "alice"))
	p.Until("document.getElementById('s-00000001') === null")
	if got := browser.Eval[string](p, "document.activeElement.id"); got != "sessions-table" {
		t.Errorf("the focus is at %q", got)
	}
}

// TestBrowserFind searches, sorts, pages and opens a session with the keyboard only, with and without
// scripts.
func TestBrowserFind(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	l.people(60)
	b := browser.Start(t)
	for _, d := range []browser.Device{browser.Desktop, {Name: "no script", Width: 1280, Height: 900, NoScript: true}} {
		p := b.Open(d)
		p.Go(l.pageURL("/sessions?limit=25"))
		if n := p.Count("tbody tr"); n != 25 {
			t.Errorf("%s: %d rows", d.Name, n)
		}
		press := func(id, path string) {
			t.Helper()
			p.Focus(id)
			p.Follow(func() { p.Press(browser.Enter) }, path)
		}
		press("#sort-user", "/sessions?limit=25&sort=user")
		if got := p.Texts("tbody td[data-label=User]"); !slices.IsSorted(got) || got[0] != "alice" {
			t.Errorf("%s: sorted by user: %q", d.Name, got)
		}
		if got := browser.Eval[string](p, "document.querySelector('th[aria-sort]').innerText"); got != "User" {
			t.Errorf("%s: sorted by %q", d.Name, got)
		}
		press("#page-next", "/sessions?limit=25&offset=25&sort=user")
		press("#page-next", "/sessions?limit=25&offset=50&sort=user")
		if n := p.Count("tbody tr"); n != 10 {
			t.Errorf("%s: %d rows on the last page", d.Name, n)
		}
		p.Type("#search", "09-85-07")
		p.Press(browser.Enter)
		p.Until("document.readyState === 'complete' && location.search.includes('search=09-85-07')")
		if got := p.Texts("tbody td[data-label=User]"); !slices.Equal(got, []string{"charlotte.de.la.fontaine@a-rather-long-realm.example.net"}) {
			t.Errorf("%s: found %q", d.Name, got)
		}
		press("#s-00000008", "/sessions/00000008")
		if got := p.Text("main"); !strings.Contains(got, "00-1C-B3-09-85-07") || !strings.Contains(got, "Framed-IP-Address") {
			t.Errorf("%s: details: %s", d.Name, got)
		}
		if p.Count("#disconnect") != 0 {
			t.Errorf("%s: a session can be disconnected without the switch", d.Name)
		}
	}
}

// TestBrowserKeys: Tab goes through all controls in the order of the page, each is seen to have the
// focus, and the skip link leads to the content.
func TestBrowserKeys(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	l.people(3)
	p := browser.Start(t).Open(browser.Desktop)
	p.Go(l.pageURL("/sessions"))
	controls := browser.Eval[int](p, `(() => {
		const all = document.querySelectorAll("a[href], input:not([type=hidden]), select, button, summary, [tabindex='0']");
		window.controls = [...all].filter((e) => e.checkVisibility());
		return controls.length;
	})()`)
	if controls < 20 {
		t.Errorf("%d controls", controls)
	}
	for i := range controls {
		p.Press(browser.Tab)
		now := browser.Eval[struct {
			Control int
			Outline string
			Left    float64
		}](p, `(() => { const e = document.activeElement, style = getComputedStyle(e);
			return { control: controls.indexOf(e), outline: style.outlineStyle + " " + style.outlineWidth, left: e.getBoundingClientRect().left } })()`)
		if now.Control != i || now.Outline != "solid 3px" || now.Left < 0 {
			t.Errorf("the control after %d is %d, its outline %s, at %v", i-1, now.Control, now.Outline, now.Left)
		}
	}
	p.Reload()
	p.Press(browser.Tab)
	p.Press(browser.Enter)
	p.Until("location.hash === '#main' && document.activeElement.id === 'main'")
}

// TestBrowserDisconnect: a person who has signed in disconnects a session, and the log says who.
func TestBrowserDisconnect(t *testing.T) {
	nas := radiustest.Listen(t, "127.0.0.1:0", nasSecret, radiustest.ACK)
	text := with(t, httpConfig(t, ", disconnect: true, web-config: "+usersFile(t)), "port: 3799", "port: "+portOf(nas.AddrPort()), "stop-wait: 100ms", "stop-wait: 1h")
	l := launch(t, text, environment{})
	l.people(2)
	b := browser.Start(t)
	for id, script := range map[string]bool{"00000001": true, "00000002": false} {
		p := b.Open(browser.Device{Name: fmt.Sprintf("script %t", script), Width: 1280, Height: 900, NoScript: !script, User: "alice", Password: "secret"})
		p.Go(l.pageURL("/sessions/" + id))
		p.Follow(func() { p.Click("#disconnect") }, "/sessions/"+id+"/disconnect")
		for _, fault := range p.Audit() {
			t.Error(fault)
		}
		p.Screenshot("disconnect-" + id)
		p.Follow(func() { p.Click(".confirm button") }, "/sessions/"+id)
		p.UntilText("main .state", "terminating")
		eventually(t, "the log says who", func() bool {
			for line := range strings.Lines(l.log.String()) {
				if strings.Contains(line, id) && strings.Contains(line, "alice") && strings.Contains(line, "127.0.0.1") {
					return true
				}
			}
			return false
		})
		p.Screenshot("terminating-" + id)
	}
}

// TestBrowserLost: when the daemon ends the page says so and keeps what it shows; when it is back, the
// page goes on by itself.
func TestBrowserLost(t *testing.T) {
	port, err := freeport.TCP()
	if err != nil {
		t.Fatal(err)
	}
	l := launch(t, with(t, httpConfig(t, ""), "http: {listen: [\"127.0.0.1:0\"]", fmt.Sprintf("http: {listen: [\"127.0.0.1:%d\"]", port)), environment{})
	l.people(1)
	p := browser.Start(t).Open(browser.Desktop)
	p.Expect("net::ERR_")
	p.Expect("status of 503") // while it starts
	p.Go(l.pageURL("/sessions"))
	p.UntilText("#live-status", "Live")
	browser.Eval[int](p, "window.loaded = 1")
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	p.UntilText("#live-status", "No connection to aaasessd since")
	p.UntilText("tbody", "alice")
	p.Screenshot("lost")
	if got := p.Audit(); len(got) > 0 {
		t.Error(got)
	}
	l.start(environment{})
	l.mustAccount(packet(acctStart, "S100", "newcomer"))
	p.UntilText("tbody", "newcomer")
	p.UntilText("#live-status", "Live")
	if browser.Eval[int](p, "window.loaded ?? 0") != 1 {
		t.Error("the page was loaded again")
	}
}

// TestBrowserManyStreams: a browser for which there is no stream asks, and shows changes too.
func TestBrowserManyStreams(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	l.people(1)
	for range maxStreams {
		if _, ok := l.stream("/").next(); !ok {
			t.Fatal("the stream has no event")
		}
	}
	p := browser.Start(t).Open(browser.Desktop)
	p.Expect("status of 503")
	p.Go(l.pageURL("/sessions"))
	p.UntilText("#live-status", "Updated every 5 seconds")
	l.mustAccount(packet(acctStart, "S100", "newcomer"))
	p.UntilText("tbody", "newcomer")
}

// TestBrowserLarge: with 100,000 sessions a page has no more rows and hardly more octets than with few,
// and is live. How long it takes is not asserted: the machine may be busy.
func TestBrowserLarge(t *testing.T) {
	const live = 100_000
	l := launch(t, httpConfig(t, ""), environment{})
	l.fill(live)
	p := browser.Start(t).Open(browser.Desktop)
	begin := time.Now()
	for _, path := range []string{"/sessions", "/sessions?sort=user", "/sessions?sort=-output&offset=99900", "/sessions?search=user-0777", "/sessions?search=nobody", "/"} {
		p.Go(l.pageURL(path))
		p.UntilText("#live-status", "Live")
		if n := p.Count("tbody tr"); n > 100 || n == 0 && path == "/sessions" {
			t.Errorf("%s: %d rows", path, n)
		}
		if _, body := l.get(path); len(body) > 150_000 {
			t.Errorf("%s: %d octets", path, len(body))
		}
	}
	p.Go(l.pageURL("/sessions"))
	p.Until("/100.000 sessions/.test(document.querySelector('#sessions-table .summary').innerText)")
	l.mustAccount(packet(acctStart, "S100", "newcomer"))
	p.UntilText("#sessions-table tbody", "newcomer")
	t.Logf("%v for all", time.Since(begin))
}

// fill starts many sessions in the table.
func (l *inProcess) fill(n int) {
	l.t.Helper()
	const inFlight = 5000
	done := make(chan error, inFlight)
	for i := range n + inFlight {
		if i >= inFlight {
			if err := <-done; err != nil {
				l.t.Fatal(err)
			}
		}
		if i >= n {
			continue
		}
		sid := fmt.Sprintf("%08X", i)
		attrs := radius.AppendAttribute(nil, radius.AcctSessionID, sid)
		attrs = radius.AppendAttribute(attrs, radius.UserName, fmt.Sprintf("user-%05d", i))
		event := sessions.Event{
			Type: sessions.Start, NAS: sessions.NAS{Addr: netip.MustParseAddr("127.0.0.1")}, AcctSessionID: sid, Kind: sessions.Network, At: time.Now(), Attrs: radius.Attributes(attrs),
		}
		if err := l.d.table.Apply(event, func(err error) { done <- err }); err != nil {
			l.t.Fatal(err)
		}
	}
}
