package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/web"
)

// pageUpdate is the data of an event of the status page.
type pageUpdate struct {
	Title   string
	Regions []struct{ ID, HTML string }
}

// liveView reads the stream of a view of the status page.
type liveView struct {
	t       *testing.T
	lines   *bufio.Scanner
	regions map[string]string // their content by now
}

// stream opens the stream of a view.
func (l *inProcess) stream(view string) *liveView {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	l.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.d.http.Addrs()[0].String()+"/live?view="+url.QueryEscape(view), nil)
	if err != nil {
		l.t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		l.t.Fatalf("%d %s", resp.StatusCode, got)
	}
	return &liveView{l.t, bufio.NewScanner(resp.Body), map[string]string{}}
}

// next returns the next event; false at the end of the stream.
func (v *liveView) next() (u pageUpdate, ok bool) {
	v.t.Helper()
	for v.lines.Scan() {
		if data, found := strings.CutPrefix(v.lines.Text(), "data: "); found {
			if err := json.Unmarshal([]byte(data), &u); err != nil {
				v.t.Fatal(err)
			}
			for _, r := range u.Regions {
				v.regions[r.ID] = r.HTML
			}
			return u, true
		}
	}
	return u, false
}

// wantRegion reads events until a region has a text.
func (v *liveView) wantRegion(id, text string) {
	v.t.Helper()
	for !strings.Contains(v.regions[id], text) {
		if _, ok := v.next(); !ok {
			v.t.Fatalf("the stream ends before %s has %q: %v; it has %s", id, text, v.lines.Err(), v.regions[id])
		}
	}
}

// wantEnd waits until the daemon ends the stream.
func (v *liveView) wantEnd() {
	v.t.Helper()
	for {
		if _, ok := v.next(); !ok {
			break
		}
	}
	if err := v.lines.Err(); err != nil {
		v.t.Errorf("the daemon has not ended the stream: %v", err)
	}
}

// TestPageOfSessions: a session that starts is on the page and in the stream, and one that ends is gone.
func TestPageOfSessions(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	stream := l.stream("/sessions")
	l.mustAccount(packet(acctStart, "S1", "alice"))
	stream.wantRegion("sessions-table", "alice")
	if code, body := l.get("/sessions"); code != http.StatusOK || !strings.Contains(body, "alice") {
		t.Errorf("%d %s", code, body)
	}
	l.mustAccount(packet(acctStart, "S2", "bob"), packet(acctStop, "S1", "alice"))
	for {
		u, ok := stream.next()
		if !ok {
			t.Fatal("the stream ends")
		}
		if len(u.Regions) == 1 && strings.Contains(u.Regions[0].HTML, "bob") && !strings.Contains(u.Regions[0].HTML, "alice") {
			break
		}
	}
}

// TestStreamsEnd: the end of the daemon ends the streams at once.
func TestStreamsEnd(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	stream := l.stream("/")
	first, ok := stream.next()
	if !ok || first.Title != "Overview" {
		t.Fatalf("%+v %t", first, ok)
	}
	var ids []string
	for _, r := range first.Regions {
		ids = append(ids, r.ID)
	}
	if diff := cmp.Diff([]string{"verdict", "figures", "groups", "queues"}, ids); diff != "" {
		t.Error(diff)
	}
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	stream.wantEnd()
}

// TestPageOfServers: what happens at a server is in the views of servers, the spool and On and Off.
func TestPageOfServers(t *testing.T) {
	u := listen(t, "127.0.0.1:0")
	text := with(t, relayConfig(t, "isp", u), "radius:\n", "http: {listen: [\"127.0.0.1:0\"]}\nradius:\n", "hold-down: 0s}", "hold-down: 1m}")
	l := launch(t, text, environment{})
	servers, spool := l.stream("/servers"), l.stream("/spool")
	l.mustAccount(packet(acctStart, "S1", "alice"))
	servers.wantRegion("groups", "1 of 1 up")
	servers.wantRegion("servers", `data-state="up"`)
	u.setSilent(true)
	l.mustAccount(packet(acctStop, "S1", "alice"))
	servers.wantRegion("groups", `data-state="down"`)
	servers.wantRegion("servers", `data-state="down"`)
	spool.wantRegion("queues", "No server answers since ")
	if code, body := l.get("/"); code != http.StatusOK || !strings.Contains(body, "queue group/isp: no server answers since ") {
		t.Errorf("%d %s", code, body)
	}
	if code, body := l.get("/on-off"); code != http.StatusOK || !strings.Contains(body, "without acct-on-off") {
		t.Errorf("%d %s", code, body)
	}
}

// TestPageOfSNMP: a request that is refused is on the page, without the community that it had.
func TestPageOfSNMP(t *testing.T) {
	l := launch(t, with(t, httpConfig(t, ""), "snmp: {session-mib-disconnect: true}", `snmp: {responder: {listen: ["127.0.0.1:0"], groups: [{name: readers, read: all}], communities: [{community: our-secret, from: [127.0.0.0/8], group: readers}]}}`), environment{})
	stream := l.stream("/snmp")
	conn, err := net.Dial("udp", l.d.snmp.responder.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// A GET of sysUpTime.0 by SNMPv2c, with the community "their-secret".
	message := append([]byte("\x30\x2f\x02\x01\x01\x04\x0c"), "their-secret\xa0\x1c\x02\x04\x00\x00\x00\x01\x02\x01\x00\x02\x01\x00\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x03\x00\x05\x00"...)
	if _, err := conn.Write(message); err != nil {
		t.Fatal(err)
	}
	stream.wantRegion("problems", conn.LocalAddr().String())
	stream.wantRegion("problems", "unknown community")
	code, body := l.get("/snmp")
	if code != http.StatusOK || !strings.Contains(body, "readers") || strings.Contains(body, "our-secret") || strings.Contains(body, "their-secret") {
		t.Errorf("%d %s", code, body)
	}
}

// TestTooManyStreams: one more browser than there are streams gets 503, and the same by asking; and
// Prometheus has its connections.
func TestTooManyStreams(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	for range maxStreams {
		if _, ok := l.stream("/sessions").next(); !ok {
			t.Fatal("a stream has no event")
		}
	}
	if code, body := l.get("/live?view=/sessions"); code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", code, body)
	}
	var u pageUpdate
	code, body := l.get("/live/once?view=/sessions")
	if err := json.Unmarshal([]byte(body), &u); code != http.StatusOK || err != nil || len(u.Regions) != 1 {
		t.Errorf("%d %s", code, body)
	}
	for _, path := range []string{"/", "/metrics", "/healthz"} {
		if code, _ := l.get(path); code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// usersFile writes a web configuration with the user alice, whose password is secret.
func usersFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "users.yml")
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, fmt.Appendf(nil, "basic_auth_users: {alice: %s}\n", hash), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestHasStatusPage: by default, the names of users are only for those who are on this host or have said
// who they are.
func TestHasStatusPage(t *testing.T) {
	yes, no := true, false
	users, nobody := usersFile(t), filepath.Join(t.TempDir(), "empty.yml")
	if err := os.WriteFile(nobody, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		wanted  *bool
		listen  string
		file    string
		want    bool
		warning string
	}{
		{"loopback", nil, "127.0.0.1:9161 [::1]:9161", "", true, ""},
		{"loopback, with a file", nil, "127.0.0.1:9161", nobody, true, ""},
		{"another address", nil, "127.0.0.1:9161 192.0.2.1:9161", "", false, ""},
		{"any address", nil, "0.0.0.0:9161", "", false, ""},
		{"another address, with users", nil, "192.0.2.1:9161", users, true, ""},
		{"another address, with a file for nobody", nil, "192.0.2.1:9161", nobody, false, ""},
		{"another address, with a file that is missing", nil, "192.0.2.1:9161", nobody + "x", false, ""},
		{"off", &no, "127.0.0.1:9161", users, false, ""},
		{"on, for all", &yes, "192.0.2.1:9161", nobody, true, "http.status-page: everybody who can connect can see the names of users: " + nobody + " authenticates nobody"},
		{"on, with users", &yes, "192.0.2.1:9161", users, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			listener := &web.Config{WebConfig: tt.file}
			for addr := range strings.FieldsSeq(tt.listen) {
				listener.Listen = append(listener.Listen, netip.MustParseAddrPort(addr))
			}
			cfg := &config.Config{HTTP: listener, StatusPage: config.StatusPage{Wanted: tt.wanted}}
			if got := hasStatusPage(cfg.StatusPage, listener); got != tt.want {
				t.Errorf("%t", got)
			}
			if got := statusPageWarning(cfg); got != tt.warning {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestReloadOfStatusPage: a reload switches the page off, also for those who see it, and on again.
func TestReloadOfStatusPage(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	stream := l.stream("/")
	if _, ok := stream.next(); !ok {
		t.Fatal("there is no event")
	}
	l.reload(httpConfig(t, ", status-page: false"), "configuration loaded")
	stream.wantEnd()
	for path, want := range map[string]int{"/": http.StatusNotFound, "/sessions": http.StatusNotFound, "/assets/page.css": http.StatusNotFound, "/live?view=/": http.StatusNotFound, "/healthz": http.StatusOK} {
		if code, body := l.get(path); code != want || code == http.StatusNotFound && !strings.Contains(body, "http.status-page") {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	l.reload(httpConfig(t, ""), "configuration loaded")
	if code, _ := l.get("/"); code != http.StatusOK {
		t.Errorf("on again: %d", code)
	}
}

// TestDisconnectNeedsPersons: disconnects are refused by check, at the start and by a reload if the web
// configuration authenticates nobody.
func TestDisconnectNeedsPersons(t *testing.T) {
	file := usersFile(t)
	l := launch(t, httpConfig(t, ", web-config: "+file), environment{})
	l.reload(httpConfig(t, ", disconnect: true, web-config: "+file), "configuration loaded")
	if err := os.WriteFile(file, []byte("basic_auth_users: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.reload(httpConfig(t, ", disconnect: true, web-config: "+file), "configuration not loaded")
	const want = "http.disconnect: "
	if !strings.Contains(l.log.String(), want) {
		t.Errorf("the log does not name the key: %s", l.log)
	}
	other := filepath.Join(t.TempDir(), "aaasess.yaml")
	if err := os.WriteFile(other, []byte(httpConfig(t, ", disconnect: true, web-config: "+file)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := check(other, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("check: %v", err)
	}
	if _, err := assemble(other, io.Discard, io.Discard, environment{}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("start: %v", err)
	}
}
