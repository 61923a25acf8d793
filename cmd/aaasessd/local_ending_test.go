package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gosnmp/gosnmp"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/mib/casn"
	"aaasess/sessions"
	localreport "aaasess/sessions/local/report"
)

// endingsConfig is plainConfig with the local socket, a command, and a login host whose sessions the
// command ends.
const endingsConfig = `
local:
  socket: local.sock
  commands: [{name: end-tty, run: [/bin/sh, -c, 'echo "$2" >>"$0/ended.$1"', FOLDER, "{session}", "{user}"], user: root}]
  openvpn: [{name: office, address: 127.0.0.1:PORT, timeout: 1s}]
`

// localSocket is the local socket of a daemon.
type localSocket struct {
	*inProcess
	http *http.Client
}

// launchLocal runs a daemon with the local socket. Its user is root in these tests, or that of the
// tests.
func launchLocal(t *testing.T) *localSocket {
	t.Helper()
	l := &inProcess{t: t, dir: t.TempDir()}
	l.file = filepath.Join(l.dir, "aaasess.yaml")
	more := strings.NewReplacer("FOLDER", l.dir, "PORT", "1", "user: root", fmt.Sprintf("user: \"%d\"", os.Geteuid())).Replace(endingsConfig)
	l.configure(with(t, plainConfig, "disconnect: {port: 3799}", "disconnect: {profile: none, command: end-tty}") + more)
	l.start(environment{})
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(l.dir, "local.sock"))
	}
	return &localSocket{l, &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// do makes a request, and returns the answer.
func (l *localSocket) do(method, path string, body any) (status int, text string) {
	l.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		l.t.Fatal(err)
	}
	if body == nil {
		b = nil
	}
	req, err := http.NewRequestWithContext(l.t.Context(), method, "http://local"+path, bytes.NewReader(b))
	if err != nil {
		l.t.Fatal(err)
	}
	resp, err := l.http.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err = io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// begin reports a start, and returns the id of the session.
func (l *localSocket) begin(r localreport.Report) string {
	l.t.Helper()
	status, text := l.do(http.MethodPost, localreport.Start.Path(), r)
	var answer struct{ Session struct{ ID string } }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK || answer.Session.ID == "" {
		l.t.Fatalf("%d %s", status, text)
	}
	return answer.Session.ID
}

// disconnect ends a session, and returns the JSON of it when it has ended.
func (l *localSocket) disconnect(id string) (int, string) {
	l.t.Helper()
	return l.do(http.MethodPost, localreport.PathDisconnect, map[string]any{"ids": []string{id}, "wait": 10})
}

// wantCause waits for the stop record of a session, and checks its cause. The record is written after
// the session has left the table.
func (l *localSocket) wantCause(id, want string) {
	l.t.Helper()
	var stop, records string
	eventually(l.t, "the stop record of "+id, func() bool {
		b, err := os.ReadFile(filepath.Join(l.dir, "records.jsonl"))
		if err != nil {
			return false
		}
		records = string(b)
		for line := range strings.Lines(records) {
			if strings.HasSuffix(line, "\n") && strings.Contains(line, id) && strings.Contains(line, `"Stop"`) {
				stop = line
			}
		}
		return stop != ""
	}, &records)
	if !strings.Contains(stop, want) {
		l.t.Errorf("the stop record of %s has no %s: %s", id, want, stop)
	}
}

// TestLocalEndings: sessions of this host end by a signal, a command, or their program, and those of a
// NAS without RFC 5176 by a command. They do so too after a restart of the daemon.
func TestLocalEndings(t *testing.T) {
	l := launchLocal(t)
	sleep := exec.CommandContext(t.Context(), "sleep", "1000")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	bySignal := l.begin(localreport.Report{Source: "sshd", Session: "1", User: "alice", End: &localreport.End{Signal: &localreport.Signal{PID: sleep.Process.Pid}}})
	byCommand := l.begin(localreport.Report{Source: "tty", Session: "tty1", User: "bob; id", End: &localreport.End{Command: "end-tty"}})
	noMeans := l.begin(localreport.Report{Source: "sshd", Session: "2", User: "carol"})
	gone := l.begin(localreport.Report{Source: "sshd", Session: "3", User: "dave", End: &localreport.End{OpenVPN: "office"}})
	text, err := os.ReadFile(l.file)
	if err != nil {
		t.Fatal(err)
	}
	l.restart(string(text))

	if status, text := l.disconnect(bySignal); status != http.StatusOK || !strings.Contains(text, `"last":"ACK"`) {
		t.Errorf("%d %s", status, text)
	}
	if err := sleep.Wait(); err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("the process: %v", err)
	}
	if status, text := l.disconnect(byCommand); status != http.StatusOK || !strings.Contains(text, `"last":"ACK"`) {
		t.Errorf("%d %s", status, text)
	}
	if b, err := os.ReadFile(filepath.Join(l.dir, "ended.tty1")); err != nil || string(b) != "bob; id\n" {
		t.Errorf("the command has got %q, %v", b, err)
	}
	if status, text := l.disconnect(noMeans); status != http.StatusConflict || !strings.Contains(text, "has not said how it is ended") {
		t.Errorf("%d %s", status, text)
	}
	eventually(t, "the sessions are gone", func() bool { return l.d.table.View().Len() == 2 })
	l.wantCause(bySignal, "Admin-Reset")
	l.wantCause(byCommand, "Admin-Reset")

	// A NAS's sessions end by the command of its client.
	l.mustAccount(packet(acctStart, "nas-1", "erin"))
	var id string
	for s := range l.d.table.View().All() {
		if s.User() == "erin" {
			id = s.ID.String()
		}
	}
	if status, text := l.disconnect(id); status != http.StatusOK || !strings.Contains(text, `"last":"ACK"`) {
		t.Errorf("%d %s", status, text)
	}
	if b, err := os.ReadFile(filepath.Join(l.dir, "ended.nas-1")); err != nil || string(b) != "erin\n" {
		t.Errorf("the command has got %q, %v", b, err)
	}
	// The OpenVPN server is not there: that is told, and tried again.
	if status, text := l.do(http.MethodPost, localreport.PathDisconnect, map[string]any{"ids": []string{gone}, "wait": 1}); status != http.StatusOK || !strings.Contains(text, "connection refused") {
		t.Errorf("%d %s", status, text)
	}
}

// TestLocalEndingRefused: a report that says what cannot be is refused as a whole.
func TestLocalEndingRefused(t *testing.T) {
	l := launchLocal(t)
	for name, tt := range map[string]struct {
		end  localreport.End
		want string
	}{
		"no way":       {localreport.End{}, `"pointer":"/end"`},
		"two ways":     {localreport.End{Event: true, Command: "end-tty"}, `"pointer":"/end"`},
		"no command":   {localreport.End{Command: "nope"}, `the configuration has no entry \"nope\"","pointer":"/end/command"`},
		"no server":    {localreport.End{OpenVPN: "nope"}, `"pointer":"/end/openvpn"`},
		"init":         {localreport.End{Signal: &localreport.Signal{PID: 1}}, `"pointer":"/end/signal/pid"`},
		"no process":   {localreport.End{Signal: &localreport.Signal{PID: 1 << 30}}, `"pointer":"/end/signal/pid"`},
		"another one":  {localreport.End{Signal: &localreport.Signal{PID: os.Getpid(), Start: 1}}, `"pointer":"/end/signal/pid"`},
		"no signal":    {localreport.End{Signal: &localreport.Signal{PID: os.Getpid(), Signal: "STOP"}}, `"pointer":"/end/signal/signal"`},
		"both at once": {localreport.End{Signal: &localreport.Signal{PID: os.Getpid(), Signal: "TERM"}, Command: "end-tty"}, `"pointer":"/end/signal/signal"`},
	} {
		status, text := l.do(http.MethodPost, localreport.Start.Path(), localreport.Report{Source: "sshd", Session: "1", User: "alice", End: &tt.end})
		if status != http.StatusBadRequest || !strings.Contains(text, tt.want) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if n := l.d.table.View().Len(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// sse reads a stream of events.
type sse struct {
	t *testing.T
	*bufio.Scanner
	close func() error
}

func (l *localSocket) follow(query, after string) *sse {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, "http://local"+localreport.PathEvents+query, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	if after != "" {
		req.Header.Set("Last-Event-ID", after)
	}
	resp, err := l.http.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		l.t.Fatalf("%d %s", resp.StatusCode, resp.Header)
	}
	l.t.Cleanup(func() { _ = resp.Body.Close() })
	return &sse{l.t, bufio.NewScanner(resp.Body), resp.Body.Close}
}

// next returns the next event.
func (s *sse) next() (id, kind, data string) {
	s.t.Helper()
	for s.Scan() {
		switch line := s.Text(); {
		case strings.HasPrefix(line, "id: "):
			id = line[4:]
		case strings.HasPrefix(line, "event: "):
			kind = line[7:]
		case strings.HasPrefix(line, "data: "):
			data = line[6:]
		case line == "" && kind != "":
			return id, kind, data
		}
	}
	s.t.Fatalf("the stream has ended: %v", s.Err())
	return
}

// TestLocalEvents: a client follows the sessions, goes away, and comes again.
func TestLocalEvents(t *testing.T) {
	l := launchLocal(t)
	all, ours := l.follow("", ""), l.follow("?source=sshd", "")
	l.begin(localreport.Report{Source: "tty", Session: "1", User: "alice"})
	l.begin(localreport.Report{Source: "sshd", Session: "1", User: "bob"})
	first, kind, data := all.next()
	var e api.AccountableEvent
	if err := json.Unmarshal([]byte(data), &e); err != nil || kind != "session" || e.Type != "Start" || e.User != "alice" || e.NAS != "local" {
		t.Errorf("%s %s, %v", kind, data, err)
	}
	if _, _, data := all.next(); !strings.Contains(data, `"user":"bob"`) {
		t.Error(data)
	}
	if id, _, data := ours.next(); !strings.Contains(data, `"user":"bob"`) || id == first {
		t.Errorf("%s %s", id, data)
	}
	_ = all.close()
	l.do(http.MethodPost, localreport.Stop.Path(), localreport.Report{Source: "sshd", Session: "1"})
	again := l.follow("", first)
	for _, want := range []string{`"type":"Start"`, `"type":"Stop"`} {
		if _, _, data := again.next(); !strings.Contains(data, `"user":"bob"`) || !strings.Contains(data, want) {
			t.Error(data)
		}
	}
	if _, kind, data := l.follow("", "AAAAAAAA-17").next(); kind != "gap" || data != "{}" {
		t.Errorf("of another life: %s %s", kind, data)
	}
	for query, want := range map[string]int{"?source=SSHD": 400, "?x=1": 400, "?disconnects=true": 400, "?source=a&source=b": 400, "?%zz": 400} {
		if status, text := l.do(http.MethodGet, localreport.PathEvents+query, nil); status != want || !strings.Contains(text, `"status":400`) {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
	if status, text := l.do(http.MethodGet, localreport.PathSessions+"?state=active", nil); status != http.StatusOK || !strings.Contains(text, `"matched":1`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text := l.do(http.MethodGet, localreport.PathSessions+"?nope=1", nil); status != http.StatusBadRequest || !strings.Contains(text, `"title":"Bad Request"`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text := l.do(http.MethodGet, localreport.PathSessions+"/00000001", nil); status != http.StatusOK || !strings.Contains(text, `"user":"alice"`) {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := l.do(http.MethodPost, localreport.PathSessions, nil); status != http.StatusMethodNotAllowed {
		t.Errorf("POST to sessions: %d", status)
	}
}

// TestLocalProgram: the program that has reported a session is asked to end it, and answers.
func TestLocalProgram(t *testing.T) {
	l := launchLocal(t)
	id := l.begin(localreport.Report{Source: "portal", Session: "room 7", User: "alice", End: &localreport.End{Event: true}})
	if status, text := l.do(http.MethodPost, localreport.PathDisconnect, map[string]any{"ids": []string{id}}); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	eventually(t, "it is told that nobody listens", func() bool {
		_, text := l.do(http.MethodGet, localreport.PathSessions+"/"+id, nil)
		return strings.Contains(text, `not sent: no program of source \"portal\" listens`)
	})
	program := l.follow("?source=portal&disconnects=true", "")
	var request localreport.Disconnect
	for {
		_, kind, data := program.next()
		if kind != "disconnect" {
			continue
		}
		if err := json.Unmarshal([]byte(data), &request); err != nil || request.Name != "room 7" || request.Source != "portal" || !strings.Contains(string(request.Session), id) {
			t.Fatalf("%s, %v", data, err)
		}
		break
	}
	result := localreport.DisconnectResult{ID: request.ID, Source: "portal", Result: "ack"}
	for name, tt := range map[string]struct {
		body any
		want int
	}{
		"another source": {localreport.DisconnectResult{ID: request.ID, Source: "tty", Result: "ack"}, http.StatusNotFound},
		"no result":      {localreport.DisconnectResult{ID: request.ID, Source: "portal"}, http.StatusBadRequest},
		"unknown member": {map[string]string{"id": request.ID, "session": "1"}, http.StatusBadRequest},
		"no JSON":        {"text", http.StatusBadRequest},
	} {
		if status, text := l.do(http.MethodPost, localreport.PathDisconnectResult, tt.body); status != tt.want {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if status, text := l.do(http.MethodPost, localreport.PathDisconnectResult, result); status != http.StatusNoContent {
		t.Errorf("%d %s", status, text)
	}
	eventually(t, "the session is gone", func() bool { return l.d.table.View().Len() == 0 })
	l.wantCause(id, "Admin-Reset")
	if status, text := l.do(http.MethodPost, localreport.PathDisconnectResult, result); status != http.StatusNotFound {
		t.Errorf("again: %d %s", status, text)
	}
}

// TestUpstreamEnding: a server ends a session of a NAS without RFC 5176, by the command of its client.
// It gets the answer of the command, and cannot change such a session.
func TestUpstreamEnding(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	conf := with(t, relayConfig(t, "isp", server), "disconnect: {port: 3799}", "disconnect: {profile: none, command: end}",
		"  servers:\n", "  dynamic-authorization: {listen: [\"127.0.0.1:0\"], servers: [{server: r0}]}\n  servers:\n")
	conf += fmt.Sprintf("local: {socket: local.sock, commands: [{name: end, user: \"%d\", run: [/bin/sh, -c, 'test \"$0\" = alice && exit 0; echo busy; exit 1', '{user}']}]}\n", os.Geteuid())
	l := launch(t, conf, environment{})
	l.mustAccount(packet(acctStart, "S1", "alice"), packet(acctStart, "S2", "bob"))
	c := l.changes()
	c.must(radius.CodeDisconnectACK, 0, c.request(radius.CodeDisconnectRequest, text(radius.AcctSessionID, "00000001")))
	eventually(t, "aaasess has made the stop", func() bool { return slices.Contains(server.all(), "Stop 00000001") })
	c.must(radius.CodeDisconnectNAK, 0, c.request(radius.CodeDisconnectRequest, text(radius.AcctSessionID, "00000002")))
	c.must(radius.CodeCoANAK, radius.RequestNotRoutable, c.request(radius.CodeCoARequest, text(radius.AcctSessionID, "00000002"), text(radius.ReplyMessage, "x")))
	eventually(t, "the log says why", func() bool { return strings.Contains(l.log.String(), `exit status 1: busy`) })
}

// TestLocalSET: a SET of casnDisconnect on a session that nothing can end is inconsistentValue. The log
// says why, and no row of the request changes.
func TestLocalSET(t *testing.T) {
	l := launch(t, with(t, responderConfig(t, 1), "radius:", "local: {socket: local.sock}\nradius:"), environment{})
	r := l.reporter()
	r.must(localreport.Start, `{"source":"sshd","session":"1","user":"alice"}`)
	r.must(localreport.Start, `{"source":"portal","session":"1","user":"bob","end":{"event":true}}`)
	noc := l.manager(user("noc"))
	set := func(rows ...sessions.ID) gosnmp.SNMPError {
		t.Helper()
		var pdus []gosnmp.SnmpPDU
		for _, id := range rows {
			pdus = append(pdus, gosnmp.SnmpPDU{Name: casn.Root.Append(1, 3, 1, 5, uint32(id)).String(), Type: gosnmp.Integer, Value: 1})
		}
		answer, err := noc.Set(pdus)
		if err != nil {
			t.Fatal(err)
		}
		return answer.Error
	}
	for _, rows := range [][]sessions.ID{{1}, {2, 1}} {
		if got := set(rows...); got != gosnmp.InconsistentValue {
			t.Errorf("a SET of %v: %v", rows, got)
		}
	}
	for s := range l.d.table.View().All() {
		if s.State != sessions.Active {
			t.Errorf("session %v is %v", s.ID, s.State)
		}
	}
	if n := l.d.table.View().Disconnected; n != 0 {
		t.Errorf("casnDisconnectedSessions is %d", n)
	}
	if log := l.log.String(); strings.Count(log, "disconnect by SNMP refused") != 2 || !strings.Contains(log, "has not said how it is ended") {
		t.Errorf("the log says %s", log)
	}
	if got := set(2); got != gosnmp.NoError {
		t.Errorf("a SET of a session that its program ends: %v", got)
	}
}
