package client_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/internal/tacacs/tacacstest"
)

// TestProblemsInLog: a problem that may come with each packet is logged once a minute, with its
// server and the number of lines left out, however many requests have it. Each kind has a line of its
// own. No key is in the log.
func TestProblemsInLog(t *testing.T) {
	for _, tt := range []struct {
		message  string
		behavior tacacstest.Behavior
	}{
		{"TACACS+ server answered ERROR", tacacstest.Behavior{Status: tacacs.StatusError}},
		{"TACACS+ server answered FOLLOW, which names other servers; only configured ones are used", tacacstest.Behavior{Status: tacacs.StatusFollow}},
		{"TACACS+ answer dropped: check the key", tacacstest.Behavior{Key: wrongKey}},
		{"TACACS+ answer dropped, the connection is closed", tacacstest.Behavior{Garbage: []byte("HTTP/1.1 400 Bad Request\r\n\r\n")}},
		{"TACACS+ answer of an unknown session dropped", tacacstest.Behavior{OtherSession: true}},
		{"TACACS+ connection failed", tacacstest.Behavior{Cut: 5}},
	} {
		t.Run(tt.message, func(t *testing.T) {
			withRig(t, func(r *rig) {
				s := r.host("192.0.2.1", tt.behavior)
				g := r.group(tacclient.GroupConfig{HoldDown: -1}, to("192.0.2.1"))
				for i := range 60 {
					r.send(g, i)
					r.sleep(2 * float64(i+1))
				}
				line := regexp.MustCompile(`msg="` + regexp.QuoteMeta(tt.message) + `" server="of 192\.0\.2\.1" address=192\.0\.2\.1:49 suppressed=(\d+)`)
				found := line.FindAllStringSubmatch(r.log.String(), -1)
				if len(found) != 2 || found[0][1] != "0" || found[1][1] != "29" { // at 0 s and 60 s
					t.Errorf("%q", found)
				}
				s.Stop()
				r.send(g, 100)
				r.sleep(121)
				if n := strings.Count(r.log.String(), "TACACS+ connection cannot be opened"); n != 1 {
					t.Errorf("another problem has %d lines", n)
				}
				if strings.Contains(r.log.String(), string(testKey)) {
					t.Error("the log has a key")
				}
			})
		})
	}
}

// TestFailedConnectionsAreCounted: SendErrors counts connections, not the requests that waited for
// them.
func TestFailedConnectionsAreCounted(t *testing.T) {
	withPeers(t, peers{"192.0.2.1:49": func(socket net.Conn) { readRequest(socket) }}, func(r *rig) {
		g := r.group(tacclient.GroupConfig{HoldDown: -1}, single("192.0.2.1"))
		first := r.send(g, 0)
		r.sleep(1)
		first.check(nobody)
		if st := g.Stats().Servers[0]; st.SendErrors != 1 || st.Opened != 1 {
			t.Errorf("closed by the server: %+v", st)
		}
	})
	withPeers(t, nil, func(r *rig) {
		r.client = tacclient.New(tacclient.Config{Dial: func(context.Context, string, netip.Addr) (net.Conn, error) {
			time.Sleep(time.Second) // all requests wait for this connection
			return nil, errors.New("refused")
		}})
		g := r.group(tacclient.GroupConfig{HoldDown: -1}, single("192.0.2.1"))
		all := r.sendAll(g, 20)
		r.sleep(1)
		checkAll(all, nobody)
		if st := g.Stats().Servers[0]; st.SendErrors != 1 || st.Opened != 0 || st.Failures != 20 {
			t.Errorf("not opened: %+v", st)
		}
	})
}
