package control_test

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aaasess/internal/logtest"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control"
	"aaasess/sessions"
)

func clearSessions(t *testing.T, client *apiclient.Client, req api.DisconnectRequest) (ended []string, list *apiclient.List) {
	t.Helper()
	list, err := client.Clear(t.Context(), req, nil)
	for _, s := range collect(t, list, err) {
		ended = append(ended, s.User+" "+s.State)
	}
	return ended, list
}

// TestClear: a clear ends the selected sessions without asking the NAS, all of the ids or none.
func TestClear(t *testing.T) {
	log := &logtest.Buffer{}
	d, client := start(t, func(c *control.Config) {
		c.Logger = slog.New(slog.NewTextHandler(log, nil))
		c.ClientName = func(netip.Addr) string { return "lab" }
	})
	for _, user := range []string{"alice", "bob", "carol"} {
		begin(t, d, user, time.Now())
	}
	_, err := client.Clear(t.Context(), api.DisconnectRequest{IDs: []string{"00000001", "00000063"}}, nil)
	if refused := (*apiclient.ResponseError)(nil); !errors.As(err, &refused) || refused.Code != http.StatusNotFound ||
		refused.Text != "session 00000063 is not live; no session was cleared" {
		t.Error(err)
	}
	_, err = client.Clear(t.Context(), api.DisconnectRequest{All: true, Wait: 1}, nil)
	if refused := (*apiclient.ResponseError)(nil); !errors.As(err, &refused) || refused.Code != http.StatusBadRequest {
		t.Error(err)
	}
	if d.Table.View().Len() != 3 || log.String() == "" || strings.Contains(log.String(), "cleared") {
		t.Errorf("%d sessions, %s", d.Table.View().Len(), log)
	}
	got, _ := clearSessions(t, client, api.DisconnectRequest{IDs: []string{"00000001", "0x1"}})
	if diff := cmp.Diff([]string{"alice ended"}, got); diff != "" {
		t.Error(diff)
	}
	got, list := clearSessions(t, client, api.DisconnectRequest{Filter: map[string]string{"user": "bob"}})
	if diff := cmp.Diff([]string{"bob ended"}, got); diff != "" || list.Matched != 1 || list.Cleared != 1 {
		t.Error(diff, list)
	}
	if numbers(t, client, api.Query{}) != "3 of 1" || d.Table.View().Disconnected != 0 {
		t.Error(numbers(t, client, api.Query{}))
	}
	if n := log.Count(" client=lab\n"); n != 2 {
		t.Errorf("%d lines: %s", n, log)
	}
	if n := log.Count(`msg="session cleared by command" uid=`); n != 2 {
		t.Errorf("%d lines: %s", n, log)
	}
}

// TestClearMany: a request for more sessions than one commit ends says how far it is after
// each commit.
func TestClearMany(t *testing.T) {
	d, client := start(t, func(c *control.Config) { c.ProgressEvery = time.Nanosecond })
	const n = 2500
	for i := range n {
		begin(t, d, fmt.Sprint("user-", i), time.Now())
	}
	var seen []string
	progress := func(done, total int) { seen = append(seen, fmt.Sprint(done, "/", total)) }
	list, err := client.Clear(t.Context(), api.DisconnectRequest{All: true}, progress)
	if got := collect(t, list, err); len(got) != n || list.Cleared != n || d.Table.View().Len() != 0 {
		t.Errorf("%d sessions in the answer, %d cleared, %d left", len(got), list.Cleared, d.Table.View().Len())
	}
	if diff := cmp.Diff([]string{"1024/2500", "2048/2500", "2500/2500"}, seen); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

// TestProgressIfAsked: a client that has not asked for progress gets the answer as its first response.
func TestProgressIfAsked(t *testing.T) {
	for _, path := range []string{api.PathClear, api.PathDisconnect} {
		for _, tt := range []struct{ name, proto, header, want string }{
			{"asked", "HTTP/1.1", api.HeaderProgress + ": 1\r\n", "HTTP/1.1 102 Processing\r\n"},
			{"not asked", "HTTP/1.1", "", "HTTP/1.1 200 OK\r\n"},
			{"HTTP/1.0", "HTTP/1.0", api.HeaderProgress + ": 1\r\n", "HTTP/1.0 200 OK\r\n"},
		} {
			t.Run(path+" "+tt.name, func(t *testing.T) {
				socket := ""
				d, _ := start(t, func(c *control.Config) { c.ProgressEvery, socket = time.Nanosecond, c.Socket })
				begin(t, d, "alice", time.Now())
				conn, err := net.Dial("unix", socket)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				const body = `{"all":true}`
				if _, err := fmt.Fprintf(conn, "POST %s %s\r\nHost: aaasess\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, tt.proto, tt.header, len(body), body); err != nil {
					t.Fatal(err)
				}
				if line, err := bufio.NewReader(conn).ReadString('\n'); line != tt.want || err != nil {
					t.Errorf("the first response is %q, want %q (%v)", line, tt.want, err)
				}
			})
		}
	}
}

// TestStuck: a session that the NAS does not end is stuck, in its JSON and for filters.
func TestStuck(t *testing.T) {
	d, client := start(t, nil)
	begin(t, d, "alice", time.Now())
	begin(t, d, "bob", time.Now())
	d.NAS.Will("alice", silence)
	disconnect(t, client, api.DisconnectRequest{IDs: []string{"00000001"}})
	for deadline := time.Now().Add(10 * time.Second); numbers(t, client, api.Query{Filter: api.Filter{State: "stuck"}}) != "1 of 1"; {
		if time.Now().After(deadline) {
			t.Fatal("no session is stuck")
		}
		time.Sleep(10 * time.Millisecond)
	}
	s, err := client.Session(t.Context(), 1)
	if err != nil || s.State != sessions.Terminating.String() || s.Termination == nil || !s.Termination.Stuck {
		t.Errorf("%+v %v", s, err)
	}
}

// TestClearTooManyIDs: all or none is one commit, so the number of ids is limited.
func TestClearTooManyIDs(t *testing.T) {
	d, client := start(t, nil)
	begin(t, d, "alice", time.Now())
	ids := make([]string, 1025)
	for i := range ids {
		ids[i] = fmt.Sprintf("%08X", i+1)
	}
	_, err := client.Clear(t.Context(), api.DisconnectRequest{IDs: ids}, nil)
	if refused := (*apiclient.ResponseError)(nil); !errors.As(err, &refused) || refused.Code != http.StatusBadRequest {
		t.Error(err)
	}
	if n := d.Table.View().Len(); n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
}
