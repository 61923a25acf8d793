package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"aaasess/cmd/internal/api"
	localreport "aaasess/sessions/local/report"
)

// localConfig is plainConfig with a socket for programs on this host.
func localConfig(t *testing.T) string {
	t.Helper()
	return with(t, plainConfig, "snmp:", "local: {socket: local.sock, nas-identifier: host-1}\nsnmp:")
}

// localReporter reports sessions to a daemon.
type localReporter struct {
	http.Client
	t *testing.T
}

func (l *inProcess) reporter() *localReporter {
	l.t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(l.dir, "local.sock"))
	}}
	l.t.Cleanup(transport.CloseIdleConnections)
	return &localReporter{http.Client{Transport: transport}, l.t}
}

// report sends a report. An error is that of the connection, or a Problem.
func (r *localReporter) report(verb localreport.Verb, body string) (out localreport.Answer, err error) {
	a, err := r.Post("http://local"+verb.Path(), "application/json", strings.NewReader(body))
	if err != nil {
		return out, err
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		return out, err
	}
	if a.StatusCode != http.StatusOK {
		var p localreport.Problem
		return out, errors.Join(json.Unmarshal(b, &p), &p)
	}
	return out, json.Unmarshal(b, &out)
}

func (r *localReporter) must(verb localreport.Verb, body string) localreport.Answer {
	r.t.Helper()
	out, err := r.report(verb, body)
	if err != nil {
		r.t.Fatalf("%s %s: %v", verb, body, err)
	}
	return out
}

// TestLocalSession: what the local socket answers is what the control socket shows, also after a
// restart, and the records are those of any NAS.
func TestLocalSession(t *testing.T) {
	text := localConfig(t)
	l := launch(t, text, environment{})
	same := func(answer localreport.Answer) {
		t.Helper()
		detail, err := l.client().Session(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		var got api.Session
		if err := json.Unmarshal(answer.Session, &got); err != nil {
			t.Fatal(err)
		}
		got.Idle, detail.Idle = 0, 0
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(detail.Session)
		if string(a) != string(b) {
			t.Errorf("answered %s\nshown %s", a, b)
		}
		if got.NAS != "local" || got.NASIdentifier != "host-1" || got.AcctSessionID != "openvpn/tun0-1" {
			t.Errorf("answered %s", a)
		}
	}
	const name = `"source":"openvpn","session":"tun0-1"`
	same(l.reporter().must(localreport.Start, `{`+name+`,"user":"alice","address":"10.8.0.2","ipv6Prefixes":["2001:db8::/64"],"nasPort":7}`))
	same(l.reporter().must(localreport.Update, `{`+name+`,"inputOctets":5000000000}`))
	l.restart(text)
	same(l.reporter().must(localreport.Update, `{`+name+`,"outputOctets":7}`))
	detail, err := l.client().Session(t.Context(), 1)
	if err != nil || detail.UnableReason == "" {
		t.Errorf("%+v, %v: nothing ends it", detail, err)
	}
	l.reporter().must(localreport.Stop, `{`+name+`,"terminateCause":"User-Request"}`)
	l.eventuallyRecords("records.jsonl", "Start 00000001", "Interim-Update 00000001", "Interim-Update 00000001", "Stop 00000001")
}

// TestLocalAccessReload: a reload changes who may use the socket.
func TestLocalAccessReload(t *testing.T) {
	text := localConfig(t)
	l := launch(t, text, environment{})
	before := *l.d.cfg.LocalSocket
	l.reload(with(t, text, "nas-identifier: host-1", "nas-identifier: host-1, access: [{group: 100, may: [write]}]"), "configuration loaded")
	if got := l.d.cfg.LocalSocket.Access; len(before.Access) != 0 || len(got) != 1 || got[0].String() != "gid/100" {
		t.Errorf("access %v", got)
	}
	l.reload(with(t, text, "socket: local.sock", "socket: other.sock"), "a restart is needed to change local.socket")
}

// TestLocalKill: while programs report sessions, the daemon is killed. Each report that was answered
// is a record, and its session is there.
func TestLocalKill(t *testing.T) {
	text := localConfig(t)
	l := launch(t, text, environment{})
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	answered := map[string]string{} // numbers by what the source calls the session
	var out lines
	cmd := process(t, l.dir, &out, "--config", l.file)
	eventually(t, "it is ready", func() bool { return strings.Contains(out.String(), "msg=ready") })
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() { reportUntilKilled(l.reporter(), worker, &mu, answered, cmd) })
	}
	wg.Wait()
	_ = cmd.Wait()
	l.start(environment{})
	for name, id := range answered {
		a := l.reporter().must(localreport.Update, fmt.Sprintf(`{"source":"test","session":%q}`, name))
		if !strings.Contains(string(a.Session), `"id":"`+id+`"`) {
			t.Errorf("%s was %s, and is %s", name, id, a.Session)
		}
	}
	eventually(t, "all starts are records", func() bool {
		records := l.records("records.jsonl")
		for _, id := range answered {
			if !slices.Contains(records, "Start "+id) {
				return false
			}
		}
		return true
	})
}

// reportUntilKilled reports starts until the daemon is gone. The first to see 200 of them kills it.
func reportUntilKilled(r *localReporter, worker int, mu *sync.Mutex, answered map[string]string, daemon *exec.Cmd) {
	for i := 0; ; i++ {
		name := fmt.Sprintf("%d-%d", worker, i)
		a, err := r.report(localreport.Start, fmt.Sprintf(`{"source":"test","session":%q,"user":"u"}`, name))
		if err != nil {
			return
		}
		var s api.Session
		if err := json.Unmarshal(a.Session, &s); err != nil {
			r.t.Error(err)
			return
		}
		mu.Lock()
		answered[name] = s.ID
		if len(answered) == 200 {
			_ = daemon.Process.Kill()
		}
		mu.Unlock()
	}
}

// TestLocalParameters: the OpenAPI document has the parameters of a list of sessions, which are those
// of the control socket.
func TestLocalParameters(t *testing.T) {
	text, err := os.ReadFile("../../sessions/local/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			Parameters []struct {
				Name   string
				Schema struct{ Enum []string }
			}
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	all := api.Query{Sort: "id", Offset: 1, Limit: 1, Filter: api.Filter{
		IDs: []api.ID{1}, User: "a", Address: netip.MustParsePrefix("10.0.0.1/32"), Line: "1", NAS: "a",
		CallingStation: "a", AcctSessionID: "a", Kind: "exec", State: "active",
	}}.Values()
	var names []string
	for _, p := range document.Paths["/v1/sessions"]["get"].Parameters {
		names = append(names, p.Name)
		switch p.Name {
		case "kind":
			if !slices.Equal(p.Schema.Enum, api.Kinds()) {
				t.Errorf("kind: %q, want %q", p.Schema.Enum, api.Kinds())
			}
		case "state":
			if !slices.Equal(p.Schema.Enum, api.States()) {
				t.Errorf("state: %q, want %q", p.Schema.Enum, api.States())
			}
		}
	}
	slices.Sort(names)
	if want := slices.Sorted(maps.Keys(all)); !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

// TestLocalNewInfo: a second start that adds the address is recorded as an interim, unless newinfo is
// false. An update is recorded in any case.
func TestLocalNewInfo(t *testing.T) {
	text := localConfig(t)
	l := launch(t, text, environment{})
	r := l.reporter()
	report := func(session, user string) {
		t.Helper()
		name := fmt.Sprintf(`{"source":"pppd","session":%q,"user":%q`, session, user)
		r.must(localreport.Start, name+`}`)
		a := r.must(localreport.Start, name+`,"address":"10.0.0.1"}`)
		if !strings.Contains(string(a.Session), `"address":"10.0.0.1"`) || a.Copy {
			t.Errorf("the second start is answered %s, copy: %t", a.Session, a.Copy)
		}
	}
	report("ppp0", "alice")
	l.reload(with(t, text, "accounting:\n  network: {", "accounting:\n  update: {newinfo: false}\n  network: {"), "configuration loaded")
	report("ppp1", "bob")
	r.must(localreport.Update, `{"source":"pppd","session":"ppp1","ipv6Prefixes":["2001:db8::/64"]}`)
	l.eventuallyRecords("records.jsonl", "Start 00000001", "Interim-Update 00000001", "Start 00000002", "Interim-Update 00000002")
}
