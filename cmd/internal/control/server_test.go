package control_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// raw sends octets to a socket, and returns all that it receives.
func raw(t *testing.T, path, request string) string {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	go func() { _, _ = io.WriteString(conn, request) }()
	b, _ := io.ReadAll(conn) // may end with a connection reset
	return string(b)
}

// ask sends one request, and returns the status and the body.
func ask(t *testing.T, path, method, target, body string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
		DisableKeepAlives: true,
	}}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://daemon"+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestBadRequests(t *testing.T) {
	d, client := start(t, nil)
	begin(t, d, "alice", time.Now())
	const end = "/v1/sessions/disconnect"
	tests := []struct {
		name, method, target, body string
		code                       int
		err                        string
	}{
		{"path", "GET", "/v2", "", 404, `no such path: \"/v2\"`},
		{"method", "DELETE", "/v1/sessions", "", 405, `method \"DELETE\" is not allowed: want GET`},
		{"method of disconnect", "GET", end, "", 405, "want POST"},
		{"path of nothing", "GET", "/", "", 404, `no such path: \"/\"`},
		{"two slashes", "GET", "//", "", 404, `no such path: \"//\"`},
		{"an empty segment", "GET", "/v1//sessions", "", 404, `no such path: \"/v1//sessions\"`},
		{"a slash behind", "GET", "/v1/sessions/", "", 404, `no such path: \"/v1/sessions/\"`},
		{"dots", "GET", "/v1/spool/../sessions", "", 404, "no such path"},
		{"a dot", "POST", "/v1/./sessions/disconnect", `{"all":true}`, 404, "no such path"},
		{"a slash that is escaped", "GET", "/v1%2Fsessions", "", 404, "no such path"},
		{"method of status", "PUT", "/v1/status", "", 405, `method \"PUT\" is not allowed: want GET`},
		{"an unknown method", "ENDALL", end, "", 405, `method \"ENDALL\" is not allowed: want POST`},
		{"no accounting", "GET", "/v1/spool", "", 404, "no server groups and no spool"},
		{"no accounting, and the wrong method", "GET", "/v1/spool/drop", "", 405, "want POST"},
		{"filter", "GET", "/v1/sessions?kind=x", "", 400, "want one of network, exec, connection"},
		{"escapes in the URL", "GET", "/v1/sessions?user=%zz", "", 400, "invalid URL escape"},
		{"semicolon in the URL", "GET", "/v1/sessions?user=a;kind=exec", "", 400, "semicolon"},
		{"status with parameters", "GET", "/v1/status?x=1", "", 400, "has no parameters"},
		{"disconnect with parameters", "POST", end + "?user=bob", `{"all":true}`, 400, "in the body"},
		{"no body", "POST", end, "", 400, "EOF"},
		{"no JSON", "POST", end, "all", 400, "invalid character"},
		{"JSON that breaks off", "POST", end, `{"all":tr`, 400, "unexpected EOF"},
		{"two values", "POST", end, `{"all":true}{"all":true}`, 400, "more than one JSON value"},
		{"garbage behind", "POST", end, `{"all":true}x`, 400, "more than one JSON value"},
		{"array", "POST", end, `[]`, 400, "body: JSON value: unexpected array"},
		{"null", "POST", end, `null`, 400, "want exactly one of ids, filter and all"},
		{"unknown field", "POST", end, `{"all":true,"except":["00000001"]}`, 400, `unknown field \"except\"`},
		{"number as id", "POST", end, `{"ids":[1]}`, 400, "body: ids: unexpected number"},
		{"too large", "POST", end, `{"ids":["` + strings.Repeat("0", 1<<20) + `"]}`, 413, "too large"},
		{"too large behind", "POST", end, `{"all":true}` + strings.Repeat(" ", 1<<20), 413, "too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, body := ask(t, d.Socket, tt.method, tt.target, tt.body)
			var answer map[string]string
			if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer) != 1 || answer["error"] == "" {
				t.Errorf("body %q", body)
			}
			if code != tt.code || !strings.Contains(body, tt.err) {
				t.Errorf("%d %s; want %d with %q", code, body, tt.code, tt.err)
			}
		})
	}
	for _, request := range []string{
		"\x00\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
		"GET /v1/sessions HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("y", 100<<10) + "\r\n\r\n",
		"POST /v1/sessions/disconnect HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	} {
		if got := raw(t, d.Socket, request); got != "" && !strings.HasPrefix(got, "HTTP/1.1 4") {
			t.Errorf("%.30q is answered with %q", request, got)
		}
	}
	if got := numbers(t, client, api.Query{}); got != "1 of 1" || d.Table.View().Disconnected != 0 {
		t.Errorf("after all that: %s, %d disconnected", got, d.Table.View().Disconnected)
	}
}

// TestAllow: the answer to a wrong method names the right one. HEAD is wrong, although net/http
// would treat it as GET.
func TestAllow(t *testing.T) {
	d, _ := start(t, nil)
	for _, tt := range []struct{ method, path, allow string }{
		{"HEAD", "/v1/sessions", "GET"},
		{"HEAD", "/v1/server-groups/x", "GET"},
		{"OPTIONS", "/v1/status", "GET"},
		{"HEAD", "/v1/sessions/disconnect", "POST"},
		{"GET", "/v1/server-groups/x/acct-on", "POST"},
	} {
		w := httptest.NewRecorder()
		d.Server.ServeHTTP(w, httptest.NewRequest(tt.method, tt.path, nil))
		if got := w.Header().Get("Allow"); w.Code != 405 || got != tt.allow {
			t.Errorf("%s %s: %d, allows %q, want %q", tt.method, tt.path, w.Code, got, tt.allow)
		}
	}
	for _, target := range []string{"*", "", "http://daemon"} { // net/http passes these to a handler, too
		r := httptest.NewRequest("OPTIONS", "/", nil)
		r.URL.Path, r.RequestURI = target, target
		w := httptest.NewRecorder()
		if d.Server.ServeHTTP(w, r); w.Code != 404 || !strings.Contains(w.Body.String(), `{"error":"no such path`) {
			t.Errorf("%q: %d %q", target, w.Code, w.Body)
		}
	}
}

// TestAnswer compares a list octet for octet, because other programs read it.
func TestAnswer(t *testing.T) {
	began := time.Date(2001, 6, 27, 4, 45, 0, 500, time.UTC)
	d, _ := start(t, func(cfg *control.Config) { cfg.Now = func() time.Time { return began.Add(100 * time.Second) } })
	begin(t, d, "al\xffice\n", began, with(radius.FramedIPAddress, "\x0a\x00\x00\x01"), with(radius.NASPort, "\x00\x00\x00\x00"),
		with(radius.NASPortID, "eth0.7"), with(radius.CallingStationID, "1234"), with(radius.CalledStationID, "5678"),
		func(ev *sessions.Event) {
			ev.IfIndex, ev.Sent = 9, sessions.WholeUsage
			ev.Usage = sessions.Usage{InputOctets: 1 << 40, OutputOctets: 2, InputPackets: 3, OutputPackets: 4, SessionTime: 60}
		})
	begin(t, d, "", began.Add(10*time.Second), func(ev *sessions.Event) { ev.Kind, ev.NAS.Identifier = sessions.Connection, "" })
	want := `{"total":2,"matched":2,"sessions":[
{"id":"00000001","number":1,"kind":"network","state":"active","user":"al\\xffice\n","address":"10.0.0.1","nas":"nas-1","nasIdentifier":"nas-1","nasAddress":"192.0.2.1","acctSessionId":"s-al\\xffice\n","callingStation":"1234","calledStation":"5678","nasPort":0,"nasPortId":"eth0.7","ifIndex":9,"started":"2001-06-27T04:44:00Z","heard":"2001-06-27T04:45:00Z","idle":100,"sessionTime":60,"inputOctets":1099511627776,"outputOctets":2,"inputPackets":3,"outputPackets":4},
{"id":"00000002","number":2,"kind":"connection","state":"active","user":"","address":"","nas":"","nasIdentifier":"","nasAddress":"192.0.2.1","acctSessionId":"s-","callingStation":"","calledStation":"","nasPortId":"","ifIndex":0,"started":"2001-06-27T04:45:10Z","heard":"2001-06-27T04:45:10Z","idle":90,"sessionTime":0,"inputOctets":0,"outputOctets":0,"inputPackets":0,"outputPackets":0}
]}
`
	code, body := ask(t, d.Socket, "GET", "/v1/sessions", "")
	if diff := cmp.Diff(want, body); code != 200 || diff != "" {
		t.Error(code, diff)
	}
	if _, body = ask(t, d.Socket, "GET", "/v1/sessions?user=x", ""); body != "{\"total\":2,\"matched\":0,\"sessions\":[\n]}\n" {
		t.Errorf("an empty list is %q", body)
	}
}

// TestListShowsTermination: a list has the progress of ending a session.
func TestListShowsTermination(t *testing.T) {
	d, client := start(t, nil)
	begin(t, d, "alice", time.Now())
	d.NAS.Will("alice", lateAck)
	disconnect(t, client, api.DisconnectRequest{All: true})
	for deadline := time.Now().Add(5 * time.Second); ; {
		list, err := client.Sessions(t.Context(), api.Query{})
		got := collect(t, list, err)
		if len(got) != 1 || got[0].State != "terminating" || got[0].Marked {
			t.Fatalf("%+v", got)
		}
		if end := got[0].Termination; end != nil && end.Attempts == 1 && end.Last == "ACK" && end.Next != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", got[0].Termination)
		}
	}
}

func TestStatus(t *testing.T) {
	began := time.Date(2001, 6, 27, 4, 45, 0, 500, time.UTC)
	d, client := start(t, func(cfg *control.Config) {
		cfg.Now = func() time.Time { return began }
		cfg.Reasons = func() []string { return []string{"why \xff"} }
	})
	begin(t, d, "alice", began)
	begin(t, d, "bob", began)
	begin(t, d, "", began, func(ev *sessions.Event) { ev.Kind = sessions.Resource })
	d.Server.RegisterStatus("agentx", func() any { return map[string]any{"connected": false} })
	d.Server.RegisterStatus("agentx", func() any { return map[string]any{"connected": true} })
	d.Server.RegisterStatus("broken", func() any { return func() {} })
	disconnect(t, client, api.DisconnectRequest{IDs: []string{"00000001"}})
	got, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := &api.Status{
		Verdict: api.VerdictDegraded, Reasons: []string{`why \xff`}, Version: "1.2.3", Started: began.Truncate(time.Second), Entries: 2, Calls: 1, HighWaterMark: 2, Total: 2, Disconnected: 1,
		Sections: map[string]json.RawMessage{
			"agentx": json.RawMessage(`{"connected":true}`), "broken": json.RawMessage(`{"error":"json: unsupported type: func()"}`),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestTooManyRequests: requests that wait fill the limit. When a client goes, another request is
// accepted.
func TestTooManyRequests(t *testing.T) {
	d, client := start(t, nil)
	begin(t, d, "alice", time.Now())
	var lists []*apiclient.List
	for range 64 {
		list, err := client.Disconnect(t.Context(), api.DisconnectRequest{All: true, Wait: 60})
		if err != nil {
			t.Fatal(err)
		}
		lists = append(lists, list)
	}
	code, body := ask(t, d.Socket, "GET", "/v1/status", "")
	if code != 503 || !strings.Contains(body, "more than 64 requests") {
		t.Errorf("%d %s", code, body)
	}
	for _, list := range lists {
		list.Close()
	}
	for deadline := time.Now().Add(5 * time.Second); ; { // the daemon has to notice
		if _, err := client.Status(t.Context()); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestListOfAClientThatReadsNothing: such a client delays neither other clients nor the end of the
// daemon.
func TestListOfAClientThatReadsNothing(t *testing.T) {
	var conn net.Conn
	t.Cleanup(func() {
		if conn != nil {
			conn.Close()
		}
	}) // after the daemon has ended
	d, client := start(t, nil)
	for i := range 3000 {
		begin(t, d, fmt.Sprint("user-", i), time.Now())
	}
	var err error
	if conn, err = net.Dial("unix", d.Socket); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "GET /v1/sessions HTTP/1.1\r\nHost: a\r\n\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "HTTP/1.1 200 OK\r\n" {
		t.Fatal(line, err)
	}
	if got := numbers(t, client, api.Query{Sort: "-id", Limit: 1}); got != "3000 of 3000" {
		t.Error(got)
	}
}

// TestLogSaysWho: the log has the user of a disconnect.
func TestLogSaysWho(t *testing.T) {
	lines := make(logLines, 16)
	d, client := start(t, func(cfg *control.Config) { cfg.Logger = slog.New(slog.NewTextHandler(lines, nil)) })
	begin(t, d, "alice", time.Now())
	disconnect(t, client, api.DisconnectRequest{All: true})
	for want := fmt.Sprintf(`msg="disconnect by command" uid=%d session=00000001 user=alice nas=nas-1@192.0.2.1`, os.Getuid()); ; {
		select {
		case line := <-lines:
			if strings.Contains(line, want) {
				return
			}
		default:
			t.Fatalf("no line with %s", want)
		}
	}
}

// logLines is a log. It receives each line with one Write.
type logLines chan string

func (l logLines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}
