package page

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/internal/api"
)

// tokenOf returns the token of the form on a page.
func tokenOf(t *testing.T, p *Page, path string) string {
	t.Helper()
	w := get(p, path)
	tags := elements(w.Body.String(), "name", "token")
	if w.Code != http.StatusOK || len(tags) != 1 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	_, rest, _ := strings.Cut(tags[0], `value="`)
	token, _, _ := strings.Cut(rest, `"`)
	return token
}

func post(p *Page, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = "[2001:db8::7]:4321"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

// TestDisconnectForm: a person opens the question and answers it.
func TestDisconnectForm(t *testing.T) {
	d := &table{n: 2, person: "op"}
	p := d.page(true)
	if got := linkOf(get(p, "/sessions/00000002").Body.String(), "disconnect"); got != "/sessions/00000002/disconnect" {
		t.Fatalf("link %q", got)
	}
	parse(t, get(p, "/sessions/00000002/disconnect").Body.String()).checkFrame()
	token := tokenOf(t, p, "/sessions/00000002/disconnect")
	if len(d.ended) > 0 {
		t.Errorf("the question disconnects %q", d.ended)
	}
	w := post(p, "/sessions/00000002/disconnect", url.Values{"token": {token}}.Encode(), "Sec-Fetch-Site", "same-origin")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sessions/00000002" || !slices.Equal(d.ended, []string{"00000002 op 2001:db8::7"}) {
		t.Errorf("%d %s, %q", w.Code, w.Header().Get("Location"), d.ended)
	}
}

// TestDisconnectRefused: what does not disconnect anything.
func TestDisconnectRefused(t *testing.T) {
	unable := func(s *api.SessionDetail) { s.UnableReason = "its NAS knows no Disconnect-Request" }
	for _, tt := range []struct {
		name    string
		off     bool
		change  func(*table) // after the question was opened
		path    string
		body    string // TOKEN is that of session 2 of op
		headers []string
		code    int
		text    string
	}{
		{name: "switched off", off: true, code: 403, text: "http.disconnect is off"},
		{name: "nobody is authenticated", change: func(d *table) { d.person = "" }, code: 403, text: "have signed in"},
		{name: "no token", body: "x=y", code: 403, text: "out of date"},
		{name: "token in the address", path: "/sessions/00000002/disconnect?token=TOKEN", body: "x=y", code: 403, text: "out of date"},
		{name: "token of another session", path: "/sessions/00000001/disconnect", code: 403, text: "out of date"},
		{name: "token of another person", change: func(d *table) { d.person = "eve" }, code: 403, text: "out of date"},
		{name: "another site", headers: []string{"Sec-Fetch-Site", "cross-site"}, code: 403, text: "another site"},
		{name: "another site, an old browser", headers: []string{"Origin", "https://evil.example"}, code: 403, text: "another site"},
		{name: "not live any more", change: func(d *table) { d.n = 1 }, code: 404, text: "Session 00000002 is not live."},
		{name: "no ID", path: "/sessions/2/disconnect", code: 404, text: "is not a session ID"},
		{name: "nothing can end it", change: func(d *table) { d.detail = unable }, code: 409, text: "its NAS knows no Disconnect-Request"},
		{name: "not a form", body: "%zz", code: 400, text: "invalid"},
		{name: "a long form", body: "token=" + strings.Repeat("a", maxForm), code: 400, text: "too large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &table{n: 2, person: "op"}
			p := d.page(!tt.off)
			token := p.newForm("op", "00000002")
			if tt.change != nil {
				tt.change(d)
			}
			path, body := tt.path, tt.body
			if path == "" {
				path = "/sessions/00000002/disconnect"
			}
			if body == "" {
				body = "token=TOKEN"
			}
			fill := strings.NewReplacer("TOKEN", token)
			w := post(p, fill.Replace(path), fill.Replace(body), tt.headers...)
			if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.text) || len(d.ended) > 0 {
				t.Errorf("%d, %q\n%s", w.Code, d.ended, w.Body)
			}
		})
	}
}

// TestDisconnectFails: what the daemon says about a disconnect that it cannot carry out is on the page.
func TestDisconnectFails(t *testing.T) {
	d := &table{n: 1, person: "op", err: errors.New("the disk is full")}
	p := d.page(true)
	w := post(p, "/sessions/00000001/disconnect", "token="+p.newForm("op", "00000001"))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "Session 00000001 was not disconnected: the disk is full.") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestDisconnectLink: a session that cannot be disconnected has no link, but says why.
func TestDisconnectLink(t *testing.T) {
	for _, tt := range []struct {
		name   string
		on     bool
		detail func(*api.SessionDetail)
		link   bool
		text   string
	}{
		{"off", false, nil, false, "active"},
		{"on", true, nil, true, "active"},
		{"on, nothing can end it", true, func(s *api.SessionDetail) { s.UnableReason = "no <means>" }, false, "It cannot be disconnected: <bdi>no &lt;means&gt;</bdi>."},
		{"off, nothing can end it", false, func(s *api.SessionDetail) { s.UnableReason = "no means" }, false, "It cannot be disconnected"},
		{"being ended", true, func(s *api.SessionDetail) {
			s.State, s.Termination = "terminating", &api.Termination{Attempts: 2, Last: "NAK 503"}
		}, false, "NAK 503"},
		{"stuck", true, func(s *api.SessionDetail) {
			s.State, s.Termination = "terminating", &api.Termination{Attempts: 9, Stuck: true}
		}, false, `data-state="stuck"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := get((&table{n: 1, detail: tt.detail}).page(tt.on), "/sessions/00000001").Body.String()
			if (linkOf(text, "disconnect") != "") != tt.link || !strings.Contains(text, tt.text) {
				t.Error(text)
			}
		})
	}
}

// TestSessionPage: a session has its facts, its attributes and links to lists.
func TestSessionPage(t *testing.T) {
	port := uint32(17)
	d := &table{n: 1, change: func(s *api.Session) {
		s.User, s.UserFrom, s.NASUser, s.NASPort = "al&ice", api.FromAccept, "host/pc", &port
	}, detail: func(s *api.SessionDetail) {
		s.Attributes, s.Granted = []api.Attribute{{Name: "Class", Value: "gold"}}, []api.Attribute{{Name: "Session-Timeout", Value: "3600"}}
	}}
	p := d.page(false)
	text := get(p, "/sessions/00000001").Body.String()
	for _, want := range []string{
		"<h1>Session 00000001</h1>", "al&amp;ice (from the Access-Accept)", "host/pc", "lab, calls itself nas-1", "<dd><bdi>17</bdi></dd>",
		`<th scope="row">Class</th><td><bdi>gold</bdi></td>`, `<th scope="row">Session-Timeout</th><td><bdi>3600</bdi></td>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s\n%s", want, text)
		}
	}
	if user, nas := linkOf(text, "same-user"), linkOf(text, "same-nas"); user != "/sessions?user=al%26ice" || nas != "/sessions?nas=lab" {
		t.Errorf("%s, %s", user, nas)
	}
	for path, code := range map[string]int{"/sessions/00000002": 404, "/sessions/1": 404, "/sessions/00000001/x": 404, "/sessions/": 404} {
		if w := get(p, path); w.Code != code {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
