package main

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// browser asks the status page as alice of usersFile, and follows no redirection.
func (l *inProcess) browser(method, path string, form url.Values) (code int, location, body string) {
	l.t.Helper()
	client := &http.Client{Timeout: limit, Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(l.t.Context(), method, "http://"+l.d.http.Addrs()[0].String()+path, strings.NewReader(form.Encode()))
	if err != nil {
		l.t.Fatal(err)
	}
	req.SetBasicAuth("alice", "secret")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(b)
}

// TestPageDisconnects: a person who is authenticated ends a session, and the log says who it was.
func TestPageDisconnects(t *testing.T) {
	l := launch(t, httpConfig(t, ", disconnect: true, web-config: "+usersFile(t)), environment{})
	l.mustAccount(packet(acctStart, "S1", "bob"))
	const path = "/sessions/00000001"
	if code, _, body := l.browser(http.MethodGet, path, nil); code != http.StatusOK || !strings.Contains(body, `href="`+path+`/disconnect"`) {
		t.Fatalf("%d %s", code, body)
	}
	_, _, body := l.browser(http.MethodGet, path+"/disconnect", nil)
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(body)
	if token == nil {
		t.Fatal(body)
	}
	if code, _ := l.get(path + "/disconnect"); code != http.StatusUnauthorized {
		t.Errorf("without a password: %d", code)
	}
	if code, _, body := l.browser(http.MethodPost, path+"/disconnect", url.Values{"token": {"x"}}); code != http.StatusForbidden {
		t.Errorf("with a wrong token: %d %s", code, body)
	}
	code, location, body := l.browser(http.MethodPost, path+"/disconnect", url.Values{"token": {token[1]}})
	if code != http.StatusSeeOther || location != path {
		t.Fatalf("%d %s %s", code, location, body)
	}
	if s, ok := l.d.control.Detail(1); ok && s.State != "terminating" {
		t.Errorf("the session is %s", s.State)
	}
	if want := `msg="disconnect by status page" person=alice from=127.0.0.1 session=00000001 user=bob`; !strings.Contains(l.log.String(), want) {
		t.Errorf("the log has no %s:\n%s", want, l.log)
	}
}
