package control_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
)

// leftovers returns a queue without a method, a queue with one, and method lists.
func leftovers() *controltest.Accounting {
	return &controltest.Accounting{
		Status: api.SpoolStatus{Queues: []api.Queue{
			{Queue: "group/gone", Records: 7},
			{Queue: "group/isp", Configured: true, Records: 2},
		}},
		Lists: []string{"network/default", "exec/default"},
	}
}

func TestRerouteRequests(t *testing.T) {
	const target = "/v1/spool/reroute"
	tests := []struct {
		name, method, target, body string
		code                       int
		want                       string // of the body
		done                       string // by the Accounting
	}{
		{"rerouted", "POST", target, `{"queue":"group/gone","list":"network/default"}`, 200, `{"records":7}`, "reroute group/gone network/default"},
		{"no such queue", "POST", target, `{"queue":"group/x\u001by","list":"network/default"}`, 404, `queue \"group/x\\x1by\": no such queue`, ""},
		{"no such list", "POST", target, `{"queue":"group/gone","list":"network/other"}`, 404, `list \"network/other\": no such method list`, ""},
		{"configured", "POST", target, `{"queue":"group/isp","list":"exec/default"}`, 409, `its method is configured`, ""},
		{"no list", "POST", target, `{"queue":"group/gone"}`, 400, "want queue and list", ""},
		{"no queue", "POST", target, `{"list":"network/default"}`, 400, "want queue and list", ""},
		{"no body", "POST", target, "", 400, "EOF", ""},
		{"unknown field", "POST", target, `{"queue":"group/gone","list":"network/default","all":true}`, 400, "unknown field", ""},
		{"too large", "POST", target, strings.Repeat(" ", 1<<20+1), 413, "too large", ""},
		{"parameters", "POST", target + "?list=x", `{"queue":"group/gone","list":"network/default"}`, 400, "has no parameters", ""},
		{"method", "GET", target, "", 405, "want POST", ""},
		{"below", "POST", target + "/group", "", 404, "no such path", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := leftovers()
			d, _ := start(t, func(cfg *control.Config) { cfg.Accounting = a })
			code, body := ask(t, d.Socket, tt.method, tt.target, tt.body)
			if code != tt.code || !strings.Contains(body, tt.want) || !json.Valid([]byte(body)) {
				t.Errorf("%d %s; want %d with %s", code, body, tt.code, tt.want)
			}
			if got := strings.Join(a.Done(), "\n"); got != tt.done {
				t.Errorf("%q was done, want %q", got, tt.done)
			}
		})
	}
}

// TestReroute tests the client, the status of the queue after a reroute, and the log.
func TestReroute(t *testing.T) {
	lines := make(logLines, 16)
	_, client := start(t, func(cfg *control.Config) {
		cfg.Accounting, cfg.Logger = leftovers(), slog.New(slog.NewTextHandler(lines, nil))
	})
	_, err := client.Reroute(t.Context(), api.RerouteRequest{Queue: "group/gone", List: "network/other"})
	if refused := (*apiclient.ResponseError)(nil); !errors.As(err, &refused) || refused.Code != 404 {
		t.Error(err)
	}
	n, err := client.Reroute(t.Context(), api.RerouteRequest{Queue: "group/gone", List: "network/default"})
	if n != 7 || err != nil {
		t.Error(n, err)
	}
	status, err := client.Spool(t.Context())
	if err != nil || status.Queues[0].Rerouted != "network/default" || status.Queues[1].Rerouted != "" {
		t.Errorf("%+v %v", status, err)
	}
	for _, want := range []string{
		`msg="control socket is open"`,
		fmt.Sprintf(`msg="queue rerouted by command" uid=%d queue=group/gone list=network/default records=7`, os.Getuid()),
	} {
		if line := <-lines; !strings.Contains(line, want) {
			t.Errorf("%s; want %s", line, want)
		}
	}
}
