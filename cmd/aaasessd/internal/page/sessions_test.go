package page

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
	"aaasess/cmd/internal/rates"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// table is a Source with n sessions.
type table struct {
	n       int
	change  func(*api.Session)
	detail  func(*api.SessionDetail)
	queries []api.Query
	person  string
	ended   []string
	err     error
}

func (d *table) session(i int) api.Session {
	now := time.Now()
	s := api.Session{
		ID: api.ID(i + 1).String(), Number: uint32(i + 1), Kind: "network", State: "active", User: fmt.Sprintf("user-%d", i+1),
		NAS: "lab", NASIdentifier: "nas-1", Address: "10.0.0.1", Started: now.Add(-time.Hour), Heard: now.Add(-time.Minute),
	}
	if d.change != nil {
		d.change(&s)
	}
	return s
}

func (d *table) source() Source {
	return Source{
		Person: func(*http.Request) (string, bool) { return d.person, d.person != "" },
		Sessions: func(q api.Query) (head api.SessionsHead, list []api.Session) {
			d.queries = append(d.queries, q)
			for i := q.Offset; i < min(q.Offset+q.Limit, d.n); i++ {
				list = append(list, d.session(i))
			}
			return api.SessionsHead{Total: d.n, Matched: d.n}, list
		},
		Session: func(id api.ID) (api.SessionDetail, bool) {
			out := api.SessionDetail{Session: d.session(int(id) - 1)}
			if d.detail != nil {
				d.detail(&out)
			}
			return out, int(id) <= d.n
		},
		Disconnect: func(_ context.Context, id api.ID, person, from string) error {
			d.ended = append(d.ended, fmt.Sprint(id, " ", person, " ", from))
			return d.err
		},
	}
}

func (d *table) page(disconnect bool) *Page {
	return New(Config{Source: d.source(), Disconnect: func() bool { return disconnect }})
}

// get returns the answer to a GET.
func get(p *Page, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// elements returns the start tags that have an attribute with this value, or a prefix of it with a *.
func elements(text, attribute, value string) []string {
	value = strings.ReplaceAll(regexp.QuoteMeta(value), `\*`, `[^"]*`)
	return regexp.MustCompile(`<[^<>]* `+attribute+`="`+value+`"[^<>]*>`).FindAllString(text, -1)
}

// linkOf returns the address of the link with an id; "": there is none.
func linkOf(text, id string) string {
	for _, tag := range elements(text, "id", id) {
		if _, rest, ok := strings.Cut(tag, `href="`); ok {
			link, _, _ := strings.Cut(rest, `"`)
			return html.UnescapeString(link)
		}
	}
	return ""
}

// TestListQueries: what the page asks for, and what it answers.
func TestListQueries(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		code       int
		want       string // the query; "": none
		text       string // on the page
	}{
		{"default", "/sessions", 200, "limit=50&sort=-id", "120 sessions"},
		{"empty fields of a form", "/sessions?search=&state=&limit=", 200, "limit=50&sort=-id", "120 sessions"},
		{"search and filter", "/sessions?search=a+b&nas=lab&sort=user&limit=25&offset=50", 200, "limit=25&nas=lab&offset=50&search=a+b&sort=user", "120 of 120 sessions"},
		{"after the end", "/sessions?offset=500", 200, "limit=50&offset=100&sort=-id", "<p>101 to 120 of 120</p>"},
		{"a misspelt filter", "/sessions?usr=a", 400, "", "unknown parameter &#34;usr&#34;"},
		{"an address that is none", "/sessions?address=alice", 400, "", "want an IPv4 or IPv6 address or prefix"},
		{"too many rows", "/sessions?limit=201", 400, "", "want at most 200"},
		{"another order", "/sessions?sort=name", 400, "", "cannot sort by &#34;name&#34;"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &table{n: 120}
			w := get(d.page(false), tt.path)
			got := ""
			if len(d.queries) > 0 {
				got = d.queries[len(d.queries)-1].Values().Encode()
			}
			if w.Code != tt.code || got != tt.want || !strings.Contains(strings.ReplaceAll(w.Body.String(), "\u202f", ""), tt.text) {
				t.Errorf("%d, query %q\n%s", w.Code, got, w.Body)
			}
		})
	}
}

// TestListLinks: the links to other orders and parts keep the filter.
func TestListLinks(t *testing.T) {
	p := (&table{n: 120}).page(false)
	text := get(p, "/sessions?search=a%26b&sort=user&offset=50").Body.String()
	parse(t, text).checkFrame()
	got := map[string]string{}
	for _, id := range []string{"sort-user", "sort-id", "sort-age", "page-first", "page-previous", "page-next", "page-last", "s-00000033", "all-sessions"} {
		got[id] = linkOf(text, id)
	}
	want := map[string]string{
		"sort-user": "/sessions?search=a%26b&sort=-user", "sort-id": "/sessions?search=a%26b&sort=id", "sort-age": "/sessions?search=a%26b&sort=started",
		"page-first": "/sessions?search=a%26b&sort=user", "page-previous": "/sessions?search=a%26b&sort=user",
		"page-next": "/sessions?offset=100&search=a%26b&sort=user", "page-last": "/sessions?offset=100&search=a%26b&sort=user",
		"s-00000033": "/sessions/00000033", "all-sessions": "/sessions",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text := get(p, "/sessions?offset=100").Body.String(); linkOf(text, "page-next") != "" || linkOf(text, "sort-id") != "/sessions?sort=id" {
		t.Error(text)
	}
	if tags := elements(text, "name", "sort"); len(tags) != 1 || !strings.Contains(tags[0], `value="user"`) {
		t.Errorf("the form forgets the order: %q", tags)
	}
}

// TestListOrder: aria-sort says which column the list is in the order of, and which way.
func TestListOrder(t *testing.T) {
	p := (&table{n: 1}).page(false)
	for order, want := range map[string]string{
		"": "sort-id descending", "id": "sort-id ascending", "-user": "sort-user descending", "started": "sort-age descending",
		"-started": "sort-age ascending", "idle": "sort-idle descending", "-input": "sort-in ascending",
	} {
		text := get(p, "/sessions?sort="+order).Body.String()
		found := regexp.MustCompile(`<th[^>]* aria-sort="([a-z]+)"[^>]*><a id="([a-z-]+)"`).FindAllStringSubmatch(text, -1)
		if len(found) != 1 || found[0][2]+" "+found[0][1] != want {
			t.Errorf("%q: %q, want %s", order, found, want)
		}
	}
}

// TestListForm: the form has what was asked for, and shows the filters that are set.
func TestListForm(t *testing.T) {
	for _, tt := range []struct {
		path    string
		open    bool
		element string
	}{
		{"/sessions?search=%22x", false, `name="search" value="&#34;x"`},
		{"/sessions?nas=lab", true, `name="nas" value="lab"`},
		{"/sessions?state=stuck", true, `<option value="stuck" selected>`},
		{"/sessions?kind=exec&sort=user", true, `<option value="exec" selected>`},
		{"/sessions?limit=100", true, `<option value="100" selected>`},
		{"/sessions?address=alice", true, `name="address" value="alice"`},
		{"/sessions?sort=user", false, `name="sort" value="user"`},
	} {
		text := get((&table{n: 1}).page(false), tt.path).Body.String()
		if strings.Contains(text, "<details open>") != tt.open || !strings.Contains(text, tt.element) {
			t.Errorf("%s: want %s\n%s", tt.path, tt.element, text)
		}
	}
}

// TestListLinksAreQueries: each link of a list is the address of a list.
func TestListLinksAreQueries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := api.Query{
			Search: rapid.String().Draw(t, "search"), Filter: api.Filter{User: rapid.String().Draw(t, "user")},
			Sort: rapid.SampledFrom(api.Orders()).Draw(t, "sort"), Offset: rapid.IntRange(0, 300).Draw(t, "offset"), Limit: rapid.IntRange(1, maxLimit).Draw(t, "limit"),
		}
		u, err := url.Parse(listLink(q))
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseList(&request{query: u.Query()})
		if diff := cmp.Diff(q.Values(), got.Values()); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}

// TestNothingRaw: no text of a session is markup on a page, and none is there with characters that
// cannot be seen.
func TestNothingRaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nasty := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"<script>alert(1)</script>", `" onmouseover="x`, "\u202eevil", "{{.}}", "</bdi><img src=x>", "a\nb"}))
		draw := func(name string) string { return "[" + nasty.Draw(t, name) + "]" }
		text := draw("text")
		d := &table{n: 1, person: "op", change: func(s *api.Session) {
			s.User, s.NAS, s.NASIdentifier, s.NASPortID, s.CallingStation, s.AcctSessionID, s.NASUser = text, text, text, text, text, text, text
		}, detail: func(s *api.SessionDetail) {
			s.Attributes, s.Granted = []api.Attribute{{Name: text, Value: text}}, []api.Attribute{{Name: "x", Value: text}}
			s.Service, s.Upstream = text, text
		}}
		p := d.page(true)
		want := html.EscapeString(human.Printable(text))
		for path, times := range map[string]int{
			"/sessions?user=" + url.QueryEscape(text): 3, "/sessions/00000001": 11, "/sessions/00000001/disconnect": 2,
		} {
			page := get(p, path).Body.String()
			if got := strings.Count(strings.ReplaceAll(page, "&#43;", "+"), want); got < times {
				t.Errorf("%s: %q is there %d times, want %d\n%s", path, want, got, times, page)
			}
			for _, tag := range []string{"<script>", "<img", "onmouseover=\"x"} {
				if strings.Contains(page, tag) {
					t.Errorf("%s: has %s\n%s", path, tag, page)
				}
			}
			if strings.ContainsRune(page, '\u202e') && !strings.Contains(path, "user=") { // the field of the form has what was sent
				t.Errorf("%s has a character that turns the direction\n%s", path, page)
			}
		}
	})
}

// TestListIsStable: while nothing happens, the list is the same from second to second, though the
// daemon tells the idle time in whole seconds.
func TestListIsStable(t *testing.T) {
	active := time.Now().Add(-100 * time.Second)
	now := clock(time.Now())
	d := &table{n: 1, change: func(s *api.Session) {
		s.Started, s.Heard, s.Idle = active.Truncate(time.Second), active.Truncate(time.Second), uint32(now.Sub(active)/time.Second)
	}}
	p := d.page(false)
	render := func() string {
		c, err := loadSessions(p, &request{query: url.Values{}, now: now})
		var out strings.Builder
		if err == nil {
			err = p.views[1].parsed.ExecuteTemplate(&out, "sessions-table", c.data)
		}
		if err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	first := render()
	for range 9 {
		now = now.Add(1050 * time.Millisecond)
		if got := render(); got != first {
			t.Fatal(cmp.Diff(first, got))
		}
	}
	now = now.Add(time.Second)
	if got := render(); got == first {
		t.Error("the list never changes")
	}
}

// TestListRates: a rate is a dash until the second report.
func TestListRates(t *testing.T) {
	octets, heard := uint64(0), time.Now().Add(-2*time.Minute)
	d := &table{n: 1, change: func(s *api.Session) {
		s.Started, s.InputOctets, s.OutputOctets, s.Heard = time.Unix(1e9, 0), octets, 2*octets, heard
	}}
	p := d.page(false)
	rate := func(label string) string {
		text := get(p, "/sessions").Body.String()
		found := regexp.MustCompile(`data-label="` + label + `" class="number">([^<]*)<`).FindStringSubmatch(text)
		if found == nil {
			t.Fatal(text)
		}
		return found[1]
	}
	if got := rate("In/s") + rate("Out/s"); got != "––" {
		t.Error(got)
	}
	octets, heard = 60*1000, heard.Add(time.Minute)
	if got := rate("In/s") + " " + rate("Out/s"); got != "0.98 KiB/s 1.95 KiB/s" {
		t.Error(got)
	}
}

// TestSamplesAreForgotten: samples do not become more and more, and those that are used stay.
func TestSamplesAreForgotten(t *testing.T) {
	m, now := &samples{}, time.Unix(1e9, 0)
	used := api.Session{Number: 1, Started: now}
	for i := range 5 * maxSamples {
		m.observe(&api.Session{Number: uint32(i + 2), Started: now}, now)
		if i%1000 == 0 {
			m.observe(&used, now)
		}
	}
	_, young := m.young[1]
	_, old := m.old[1]
	if n := len(m.young) + len(m.old); n > 2*maxSamples || !young && !old {
		t.Errorf("%d samples, %t, %t", n, young, old)
	}
	m.observe(&api.Session{Number: 9}, now.Add(keepSamples))
	m.observe(&api.Session{Number: 9}, now.Add(2*keepSamples))
	if n := len(m.young) + len(m.old); n != 2 {
		t.Errorf("%d samples are left, want the same one twice", n)
	}
	other := used
	other.InputOctets, other.Heard = 6000, now.Add(time.Minute)
	m.observe(&used, now)
	if _, known := m.observe(&other, now.Add(time.Minute)).rate.PerSecond(rates.InputOctets); !known {
		t.Error("no rate")
	}
	if _, known := m.observe(&other, now.Add(3*keepSamples)).rate.PerSecond(rates.InputOctets); !known || len(m.young) != 1 {
		t.Error("the rate of a session that somebody looks at is forgotten")
	}
	other.Started, other.InputOctets, other.Heard = now.Add(time.Hour), 9000, now.Add(2*time.Minute)
	if _, known := m.observe(&other, now.Add(2*time.Minute)).rate.PerSecond(rates.InputOctets); known {
		t.Error("a new session with the number has the rate of the one before")
	}
}

// TestListOfManySessions: what a browser gets does not depend on how many sessions there are.
func TestListOfManySessions(t *testing.T) {
	size := func(n int) int { return get((&table{n: n}).page(false), "/sessions").Body.Len() }
	if few, many := size(1000), size(1_000_000); many > few+few/10 {
		t.Errorf("%d octets for 1,000 sessions, %d for 1,000,000", few, many)
	}
}

// TestLiveList: the stream of a list has its table, and the reason why there is none.
func TestLiveList(t *testing.T) {
	p := (&table{n: 3}).page(false)
	var u update
	w := get(p, "/live/once?view="+url.QueryEscape("/sessions?search=user"))
	if err := json.Unmarshal(w.Body.Bytes(), &u); err != nil || len(u.Regions) != 1 || !strings.Contains(u.Regions[0].HTML, `id="s-00000003"`) {
		t.Errorf("%v %s", err, w.Body)
	}
	w = get(p, "/live/once?view=/sessions/00000004")
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "Session 00000004 is not live.") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// BenchmarkListPage makes a page with 200 rows, without the look at the table.
func BenchmarkListPage(b *testing.B) {
	p := (&table{n: 1000}).page(false)
	for b.Loop() {
		if w := get(p, "/sessions?limit=200&offset=400"); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
