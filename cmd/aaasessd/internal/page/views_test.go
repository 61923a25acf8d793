package page

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"aaasess/cmd/internal/api"
)

// sessionPath is the address of the session of a fullSource.
const sessionPath = "/sessions/0000000A"

// paths are the addresses of all views.
var paths = []string{"/", "/sessions", sessionPath, "/servers", "/spool", "/on-off", "/snmp"}

// parsed is a page as a browser has it.
type parsed struct {
	*testing.T
	ids      map[string]*html.Node
	elements map[string][]*html.Node // by name
}

// parse parses a page.
func parse(t *testing.T, text string) *parsed {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	p := &parsed{t, map[string]*html.Node{}, map[string][]*html.Node{}}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		p.elements[n.Data] = append(p.elements[n.Data], n)
		if id, ok := attribute(n, "id"); ok {
			if p.ids[id] != nil {
				t.Errorf("two elements have the id %q", id)
			}
			p.ids[id] = n
		}
	}
	return p
}

// attribute returns an attribute of an element.
func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// textOf returns the text of an element.
func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// checkFrame checks what every page has.
func (p *parsed) checkFrame() {
	p.Helper()
	for _, name := range []string{"main", "header", "footer", "h1", "title"} {
		if n := len(p.elements[name]); n != 1 {
			p.Errorf("%d elements %s", n, name)
		}
	}
	if lang, _ := attribute(p.elements["html"][0], "lang"); lang != "en" {
		p.Errorf("the language is %q", lang)
	}
	if len(p.elements["script"]) != 1 || p.elements["script"][0].FirstChild != nil || len(p.elements["style"]) != 0 {
		p.Errorf("%d scripts, %d styles", len(p.elements["script"]), len(p.elements["style"]))
	}
	first := p.elements["a"][0]
	if to, _ := attribute(first, "href"); p.ids[strings.TrimPrefix(to, "#")] != p.elements["main"][0] {
		p.Errorf("the first link leads to %q, not to the content", to)
	}
	if role, _ := attribute(p.ids["live-status"], "role"); role != "status" {
		p.Errorf("the role of live-status is %q", role)
	}
	p.checkAttributes()
	p.checkHeadings()
	p.checkTables()
}

// checkAttributes: no attribute has a script or a style, no address is elsewhere, references lead
// somewhere.
func (p *parsed) checkAttributes() {
	for name, all := range p.elements {
		for _, n := range all {
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcset" {
					p.Errorf("<%s> has the attribute %s", name, a.Key)
				}
				if u, err := url.Parse(a.Val); (a.Key == "href" || a.Key == "src" || a.Key == "action") && (err != nil || u.Host != "" || u.Scheme != "") {
					p.Errorf("<%s> leads to %q", name, a.Val)
				}
				if (a.Key == "aria-labelledby" || a.Key == "aria-describedby" || name == "label" && a.Key == "for") && p.ids[a.Val] == nil {
					p.Errorf("<%s> is labelled by %q, which is not there", name, a.Val)
				}
			}
		}
	}
}

// checkHeadings: no level is left out.
func (p *parsed) checkHeadings() {
	level := 0
	for n := range p.elements["html"][0].Descendants() {
		if n.Type != html.ElementNode || len(n.Data) != 2 || n.Data[0] != 'h' || n.Data[1] < '1' || n.Data[1] > '6' {
			continue
		}
		now := int(n.Data[1] - '0')
		if now > level+1 {
			p.Errorf("<%s> %q after a heading of level %d", n.Data, textOf(n), level)
		}
		level = now
	}
}

// checkTables: each has a caption, and each header its scope.
func (p *parsed) checkTables() {
	for _, table := range p.elements["table"] {
		n := table.FirstChild
		for n != nil && n.Type != html.ElementNode {
			n = n.NextSibling
		}
		if n == nil || n.Data != "caption" || strings.TrimSpace(textOf(n)) == "" {
			p.Error("a table has no caption")
		}
	}
	for _, th := range p.elements["th"] {
		if scope, _ := attribute(th, "scope"); scope != "col" && scope != "row" {
			p.Errorf("the scope of %q is %q", textOf(th), scope)
		}
	}
}

// TestViews: every view is a whole page with and without something to show, whatever the names are.
func TestViews(t *testing.T) {
	for name, source := range map[string]Source{"empty": emptySource(), "full": fullSource("a name"), "hostile": fullSource(hostile)} {
		p := New(Config{Source: source})
		for _, path := range paths {
			t.Run(name+path, func(t *testing.T) {
				if name == "empty" && path == sessionPath {
					return
				}
				w := ask(t, p, path)
				text := w.Body.String()
				if w.Code != http.StatusOK {
					t.Fatalf("%d %s", w.Code, text)
				}
				page := parse(t, text)
				page.checkFrame()
				if strings.Contains(text, "<img") || strings.Contains(text, "alert(1)</script>") {
					t.Error("a name has become an element")
				}
				if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r != '\u202f' && !unicode.IsPrint(r) }); i >= 0 {
					t.Errorf("unprintable: %q", text[i:min(len(text), i+10)])
				}
				current := 0
				for _, a := range page.elements["a"] {
					if is, _ := attribute(a, "aria-current"); is == "page" {
						if to, _ := attribute(a, "href"); to != strings.TrimSuffix(path, "/0000000A") {
							t.Errorf("the current view is %s", to)
						}
						current++
					}
				}
				if current != 1 {
					t.Errorf("%d links are that of the current view", current)
				}
			})
		}
	}
}

// TestRegions: each live region of a view is an element of its page, with the same content.
func TestRegions(t *testing.T) {
	p := New(Config{Source: fullSource("a name")})
	for _, path := range paths {
		page := parse(t, ask(t, p, path).Body.String())
		want, _ := attribute(page.elements["body"][0], "data-live-url")
		if want != "/live?view="+url.QueryEscape(path) {
			t.Errorf("%s: the stream is at %q", path, want)
		}
		u := p.renderRegions(path)
		var have []string
		for _, r := range u.Regions {
			have = append(have, r.ID)
			n := page.ids[r.ID]
			if n == nil {
				t.Errorf("%s has no element %s", path, r.ID)
				continue
			}
			if _, live := attribute(n, "data-live"); !live {
				t.Errorf("%s: %s has no attribute data-live", path, r.ID)
			}
			fragment, err := html.ParseFragment(strings.NewReader(r.HTML), n)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for _, f := range fragment {
				if f.Type == html.TextNode {
					text.WriteString(f.Data)
				}
				text.WriteString(textOf(f))
			}
			if text.String() != textOf(n) {
				t.Errorf("%s: %s shows %q, its event %q", path, r.ID, textOf(n), text.String())
			}
		}
		live := 0
		for _, all := range page.elements {
			for _, n := range all {
				if _, ok := attribute(n, "data-live"); ok {
					live++
				}
			}
		}
		if live != len(have) || live == 0 || u.failed != "" {
			t.Errorf("%s: %d elements are live, events have %q, %s", path, live, have, u.failed)
		}
	}
}

// TestStatesOfGroupsAndQueues: what is blocked for the manager is blocked on the page, and nothing else is.
func TestStatesOfGroupsAndQueues(t *testing.T) {
	up, down := api.GroupServer{OperState: "up"}, api.GroupServer{OperState: "down"}
	for name, tt := range map[string]struct {
		group   api.ServerGroup
		queue   api.Queue
		blocked bool
		want    string // of both
	}{
		"up":                    {api.ServerGroup{Servers: []api.GroupServer{up}}, api.Queue{OperState: "up", Hold: api.HoldOpen}, false, "up"},
		"blocked with a server": {api.ServerGroup{Servers: []api.GroupServer{up}}, api.Queue{OperState: "up", Hold: api.HoldOpen}, true, "blocked"},
		"down":                  {api.ServerGroup{Servers: []api.GroupServer{down}}, api.Queue{DownSince: at, Hold: api.HoldOpen}, false, "down"},
		"down and blocked":      {api.ServerGroup{Servers: []api.GroupServer{down}}, api.Queue{DownSince: at, Hold: api.HoldOpen}, true, "blocked"},
		"held":                  {api.ServerGroup{AcctOnOff: api.AcctOnOff{Blocked: true}}, api.Queue{Hold: api.HoldHeld}, false, "waiting"},
		"held for a long time":  {api.ServerGroup{AcctOnOff: api.AcctOnOff{Blocked: true}}, api.Queue{Hold: api.HoldHeld}, true, "blocked"},
		"away":                  {api.ServerGroup{AcctOnOff: api.AcctOnOff{Blocked: true}, Servers: []api.GroupServer{down}}, api.Queue{Hold: api.HoldAway, DownSince: at}, false, "waiting"},
	} {
		tt.group.Name, tt.queue.Queue = "isp", "group/isp"
		b := Blocked{Queues: map[string]bool{"group/isp": tt.blocked, "local": !tt.blocked}, Groups: map[string]bool{"isp": tt.blocked, "b": !tt.blocked}}
		if got := groupRows([]api.ServerGroup{tt.group}, b)[0].State; got != tt.want {
			t.Errorf("%s: the group is %s", name, got)
		}
		if got := queueRows([]api.Queue{tt.queue}, b)[0].State; got != tt.want {
			t.Errorf("%s: the queue is %s", name, got)
		}
	}
}

// TestContent: what each view must tell.
func TestContent(t *testing.T) {
	p := New(Config{Source: fullSource("a name")})
	for path, wants := range map[string][]string{
		"/": {"degraded", "another reason", "1 234 567", "blocked", "1 of 2 up, 1 down", "12 345", "sendAcctOn", "waits for a name", "Set aside120"},
		"/servers": {
			"blocked", "unknown", "12.5 ms", "10 s and 3 timeouts", "skipped for 1m00s", "created over SNMP", "Destroyed over SNMP", "Tested with the user a name",
			"2024-05-06", "1 of 4", "not agreed", "a change over snmp is given up",
		},
		"/spool": {
			"1 GiB of 2 GiB", "1 MiB; new events need 32 MiB", "3 MiB", "lost", "down", "blocked", "waiting", "The method is not configured any more.", "The records go to the list a name.",
			"The records wait until the Accounting-On is answered.", "the records go to the next method", "A backlog is being sent.", "1 interim dropped", "2 records accepted by other methods.",
			"120 records in all.", "an unknown number of values", "2 records, 1 to 2", "Next",
		},
		"/sessions": {"2 sessions", "0000000A", "active", "network"},
		sessionPath: {"Session 0000000A", "cannot be disconnected: a name", "active", "Granted"},
		"/on-off":   {"sendAcctOn", "waiting until its own Accounting-On is answered", "startUp", "waits for the acct-on-off-group a name", "controls the acct-on-off-group a name", "a name, b"},
		"/snmp": {
			"[::1]:161", "80001f88", "disconnected", "SHA-256", "none", "v1, v2c", "192.0.2.0/24", "anywhere", "192.0.2.1:5000", "usmStatsWrongDigests4 711", "snmpSilentDrops815",
			"2024-01-02T03:04:05Z",
		},
	} {
		text := strings.ReplaceAll(textOf(parse(t, ask(t, p, path).Body.String()).elements["main"][0]), "\u202f", " ")
		text = strings.ToLower(strings.Join(strings.Fields(text), " "))
		for _, want := range wants {
			if !strings.Contains(text, strings.ToLower(want)) {
				t.Errorf("%s does not tell %q: %s", path, want, text)
			}
		}
	}
}

// TestParts: long lists come in parts, with links between them.
func TestParts(t *testing.T) {
	source := fullSource("a name")
	groups := source.Groups()[:1]
	groups[0].Name = "large"
	one := groups[0].Servers[0]
	for i := range 2*maxServers + 49 {
		one.Name = fmt.Sprint(i)
		groups[0].Servers = append(groups[0].Servers, one)
	}
	groups = append(groups, radiusGroup("small"))
	source.Groups = func() []api.ServerGroup { return slices.Clone(groups) }
	p := New(Config{Source: source})
	for _, tt := range []struct {
		path, id string // of a table in the region
		rows     int
		links    []string
	}{
		{"/servers", "servers", maxServers, []string{"/servers?offset=100"}},
		{"/servers?offset=100", "servers", maxServers, []string{"/servers", "/servers?offset=200"}},
		{"/servers?offset=200", "servers", 50 + 4, []string{"/servers?offset=100"}},
		{"/servers?offset=1000", "servers", 0, []string{"/servers?offset=200"}},
		{"/servers?group=small", "servers", 4, nil},
		{"/servers?group=large&offset=100", "servers", maxServers, []string{"/servers?group=large", "/servers?group=large&offset=200"}},
		{"/spool", "set-aside", maxSetAside, []string{"/spool?after=50"}},
		{"/spool?after=50", "set-aside", maxSetAside, []string{"/spool?after=100"}},
		{"/spool?after=100", "set-aside", 20, nil},
	} {
		w := ask(t, p, tt.path)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", tt.path, w.Code, w.Body)
			continue
		}
		rows, links := 0, []string(nil)
		for n := range parse(t, w.Body.String()).ids[tt.id].Descendants() {
			if n.Data == "tr" && n.Parent.Data == "tbody" {
				rows++
			}
			if rel, _ := attribute(n, "rel"); rel == "next" || rel == "prev" {
				to, _ := attribute(n, "href")
				links = append(links, to)
			}
		}
		if rows != tt.rows || !slices.Equal(links, tt.links) {
			t.Errorf("%s: %d rows and links to %q, want %d and %q", tt.path, rows, links, tt.rows, tt.links)
		}
	}
}

// TestRefused: what is no page has a page that says why, with the right status.
func TestRefused(t *testing.T) {
	p := New(Config{Source: fullSource("a name")})
	for _, tt := range []struct {
		path string
		want int
	}{
		{"/nothing", 404},
		{"/servers/", 404},
		{"/servers?group=none", 404},
		{"/servers?group=a&group=b", 400},
		{"/servers?offset=-1", 400},
		{"/servers?offset=x", 400},
		{"/servers?other=1", 400},
		{"/spool?after=x", 400},
		{"/spool?after=1;b", 400},
		{"/on-off?x=1", 400},
		{"/snmp?" + url.QueryEscape(hostile), 400},
	} {
		w := ask(t, p, tt.path)
		if w.Code != tt.want || w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d", tt.path, w.Code)
		}
		parse(t, w.Body.String()).checkFrame()
	}
	if w := ask(t, p, "/assets/../page.go"); w.Code == http.StatusOK {
		t.Error("a file that is no asset can be read")
	}
	for _, path := range []string{"/assets/", "/assets/none.css", "/assets/..%2ftemplates%2flayout.html"} {
		if w := ask(t, p, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// TestHeaders: the headers that protect a browser are those of every answer.
func TestHeaders(t *testing.T) {
	p := New(Config{Source: fullSource("a name")})
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/nothing": "text/html; charset=utf-8", "/assets/page.css": "text/css; charset=utf-8", "/assets/page.js": "text/javascript; charset=utf-8",
		"/assets/icon.svg": "image/svg+xml", "/live/once?view=/": "application/json", "/live/once?view=/nothing": "text/plain; charset=utf-8",
	} {
		h := ask(t, p, path).Header()
		for name, want := range map[string]string{
			"Content-Type": kind, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}

// TestOff: nothing is shown while there is no status page.
func TestOff(t *testing.T) {
	on := false
	p := New(Config{Source: fullSource("a name"), On: func() bool { return on }})
	for _, path := range append([]string{"/assets/page.css", "/live/once?view=/"}, paths...) {
		if w := ask(t, p, path); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "a name") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := ask(t, p.Live(), "/live?view=/"); w.Code != http.StatusNotFound {
		t.Errorf("the stream: %d %s", w.Code, w.Body)
	}
}
