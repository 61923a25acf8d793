//go:build partners

package main

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	layeh "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"

	"aaasess/internal/browser"
)

// hostile are texts that would do something in a page that shows them as they are. Each would set
// window.hacked, show a dialog or ask for something.
var hostile = map[string]string{
	"script":        `<script>window.hacked = 1; alert(1)</script>`,
	"image":         `<img src=x onerror="window.hacked = 1">`,
	"other host":    `<img src="http://evil.test/pixel">`,
	"style":         `<style>@import "http://evil.test/x.css"; * { display: none }</style>`,
	"end of tags":   `</bdi></td></table></main><h1>hacked</h1>`,
	"attribute":     `" onmouseover="window.hacked = 1" autofocus onfocus="window.hacked = 1`,
	"single quotes": `' onfocus='window.hacked = 1' autofocus='`,
	"template":      "{{.Person}} ${window.hacked = 1} `",
	"entity":        `&lt;script&gt;window.hacked = 1&lt;/script&gt;`,
	"comment":       `<!-- --><svg onload="window.hacked = 1">`,
	"address":       `javascript:window.hacked=1`,
	"event":         "x\n\nevent: update\ndata: {\"title\":\"hacked\",\"regions\":[]}\n\n",
	"direction":     "\u202egpj.exe\u2066",
	"controls":      "a\x00b\x1b[31mc\x7f",
	"not UTF-8":     "caf\xe9 \xff\xfe<b>",
	"path":          `../../disconnect?x=1#y`,
	"live region":   `<div id="live-status" data-live>hacked</div>`,
}

// TestBrowserHostile: scripts and markup in all that comes from the network are shown as text, first by
// the page and then by its stream, and do nothing. The browser would report any script, dialog, request
// to elsewhere or violation of the policy.
func TestBrowserHostile(t *testing.T) {
	l := launch(t, siteConfig(t, ""), environment{})
	g := l.manager(nil)
	p := browser.Start(t).Open(browser.Desktop)
	views := []string{"/sessions?limit=100", "/sessions?state=active&sort=user"}
	for i, name := range slices.Sorted(maps.Keys(hostile)) {
		text := hostile[name]
		start := func(sid string) *layeh.Packet {
			return packet(acctStart, sid+fmt.Sprint(i)+text, text, func(q *layeh.Packet) error {
				q.Add(rfc2865.CallingStationID_Type, layeh.Attribute(text))
				q.Add(rfc2865.CalledStationID_Type, layeh.Attribute(text))
				q.Add(rfc2865.NASIdentifier_Type, layeh.Attribute(text))
				q.Add(rfc2869.NASPortID_Type, layeh.Attribute(text))
				q.Add(rfc2865.Class_Type, layeh.Attribute(text))
				q.Add(rfc2866.AcctMultiSessionID_Type, layeh.Attribute(text))
				return nil
			})
		}
		l.mustAccount(start("A"))
		p.Go(l.pageURL(views[0]))
		p.UntilText("#live-status", "Live")
		l.mustAccount(start("B"))
		p.UntilText("#sessions-table .summary", fmt.Sprint(2*i+2)+" sessions")
		views = append(views, fmt.Sprintf("/sessions/%08X", 2*i+1), "/sessions?search="+url.QueryEscape(text))
	}
	g.Community = hostile["script"]
	g.Retries = 0
	g.Timeout = 100 * time.Millisecond
	eventually(t, "a message with a wrong community is refused", func() bool {
		_, _ = g.Get([]string{".1.3.6.1.2.1.1.1.0"}) // nobody answers it
		_, body := l.get("/snmp")
		return !strings.Contains(body, "None was refused.")
	})
	for _, path := range append(views, "/sessions?user="+url.QueryEscape(hostile["attribute"])+"&sort="+url.QueryEscape(hostile["script"]), "/", "/servers", "/spool", "/on-off", "/snmp", "/servers?group="+url.QueryEscape(hostile["script"]), "/nothing"+url.PathEscape(hostile["script"])) {
		p.Expect("status of 40") // of pages that say what is wrong with a parameter
		p.Go(l.pageURL(path))
		if live := browser.Eval[bool](p, "'liveUrl' in document.body.dataset"); live {
			p.Until("document.getElementById('live-status').innerText !== ''")
		}
		browser.Eval[any](p, `for (const e of document.querySelectorAll("a[href], input, select, button, summary")) { e.focus(); e.dispatchEvent(new MouseEvent("mouseover", { bubbles: true })) }`)
		got := browser.Eval[[]string](p, `[
			...(window.hacked ? ["a script ran"] : []),
			...[...document.querySelectorAll("h1")].filter((e) => e.innerText === "hacked").map(() => "markup became a heading"),
			...(document.title.startsWith("hacked") ? ["the title was changed"] : []),
			...[...document.querySelectorAll("script:not([src='/assets/page.js']), style, img, svg, iframe, object, [onclick], [onload], [onerror], [onfocus], [onmouseover], [autofocus]")].map((e) => e.outerHTML),
			...[...document.querySelectorAll("[href], [src], [action]")].map((e) => e.getAttribute("href") ?? e.getAttribute("src") ?? e.getAttribute("action")).filter((a) => !/^[/#]/.test(a) || a.startsWith("//")),
			...(/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/.test(document.body.innerText) ? ["control characters are shown raw"] : []),
		]`)
		if len(got) > 0 {
			t.Errorf("%s: %q", path, got)
		}
	}
	p.Go(l.pageURL("/sessions?limit=100"))
	p.Screenshot("hostile")
	names := strings.Join(p.Texts("tbody td[data-label=User]"), "\n")
	for _, want := range []string{hostile["script"], hostile["image"], hostile["entity"], hostile["template"]} {
		if !strings.Contains(names, want) {
			t.Errorf("%q is not shown as text:\n%s", want, names)
		}
	}
	// Names that are equal to ids of ours have not become targets of updates.
	if got := p.Count("[data-live]"); got != 1 {
		t.Errorf("%d live regions", got)
	}
}
