package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
)

// leftovers are a queue whose method is gone, one whose method is there, and lists.
func leftovers() *controltest.Accounting {
	return &controltest.Accounting{
		Status: control.SpoolStatus{Queues: []control.Queue{
			{Queue: "group/gone", Records: 7},
			{Queue: "group/isp", Configured: true, Records: 2},
		}},
		Lists: map[string]string{"network/default": "group/isp", "exec/default": "local", "connection/default": "group/gone"},
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
		{"moved", "POST", target, `{"queue":"group/gone","list":"network/default"}`, 200, `{"records":7}`, "reroute group/gone group/isp 7"},
		{"to a queue that is not there yet", "POST", target, `{"queue":"group/gone","list":"exec/default"}`, 200, `{"records":7}`, "reroute group/gone local 7"},
		{"no such queue", "POST", target, `{"queue":"group/x\u001by","list":"network/default"}`, 404, `queue \"group/x\\x1by\": no such queue`, ""},
		{"no such list", "POST", target, `{"queue":"group/gone","list":"network/other"}`, 404, `list \"network/other\": no such method list`, ""},
		{"configured", "POST", target, `{"queue":"group/isp","list":"exec/default"}`, 409, `its method is configured`, ""},
		{"the same queue", "POST", target, `{"queue":"group/gone","list":"connection/default"}`, 409, "the list leads into the same queue", ""},
		{"no list", "POST", target, `{"queue":"group/gone"}`, 400, "want queue and list", ""},
		{"no queue", "POST", target, `{"list":"network/default"}`, 400, "want queue and list", ""},
		{"no body", "POST", target, "", 400, "EOF", ""},
		{"unknown field", "POST", target, `{"queue":"group/gone","list":"network/default","all":true}`, 400, "unknown field", ""},
		{"too large", "POST", target, strings.Repeat(" ", 1<<20+1), 413, "too large", ""},
		{"parameters", "POST", target + "?list=x", `{"queue":"group/gone","list":"network/default"}`, 400, "takes no parameters", ""},
		{"method", "GET", target, "", 405, "only POST", ""},
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

var gone = control.RerouteRequest{Queue: "group/gone", List: "network/default"}

// TestReroute: the client's half, and what is moved when the disk is full; it can be asked again.
func TestReroute(t *testing.T) {
	lines := make(logLines, 16)
	a := leftovers()
	a.Full = 5
	_, client := start(t, func(cfg *control.Config) {
		cfg.Accounting, cfg.Logger = a, slog.New(slog.NewTextHandler(lines, nil))
	})
	_, err := client.Reroute(t.Context(), gone)
	if refused := (*control.RefusedError)(nil); !errors.As(err, &refused) || refused.Code != 503 || refused.Text != "no space, when 5 records were moved" {
		t.Error(err)
	}
	if n, err := client.Reroute(t.Context(), gone); n != 2 || err != nil {
		t.Error(n, err)
	}
	if status, err := client.Spool(t.Context()); err != nil || status.Queues[0].Records != 0 || status.Queues[1].Records != 9 {
		t.Errorf("%+v %v", status, err)
	}
	for _, want := range []string{
		`msg="control socket is open"`,
		fmt.Sprintf(`msg="records of the spool by command" uid=%d done=rerouted records=5 queue=group/gone list=network/default`, os.Getuid()),
		"records=2 ",
	} {
		if line := <-lines; !strings.Contains(line, want) {
			t.Errorf("%s; want %s", line, want)
		}
	}
}

// patience is the timeout of a client in these tests.
const patience = 100 * time.Millisecond

// held starts a daemon whose Reroute waits for its context, and asks for one. It returns when the Accounting
// is at it.
func held(t *testing.T, ctx context.Context) (*controltest.Accounting, *controltest.Daemon, <-chan string) {
	t.Helper()
	a := leftovers()
	entered, outcome := make(chan struct{}), make(chan string, 1)
	a.Hold, a.Entered = map[string]bool{"group/gone": true, "slow": true}, sync.OnceFunc(func() { close(entered) })
	d, err := controltest.Start(folder(t), func(cfg *control.Config) { cfg.Accounting = a })
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := control.NewClient(d.Socket, patience).Reroute(ctx, gone)
		outcome <- fmt.Sprint(err)
	}()
	<-entered
	return a, d, outcome
}

// TestRerouteEndsWithTheDaemon: the client's timeout does not end a move. The daemon's end does, and the client
// learns how far it came.
func TestRerouteEndsWithTheDaemon(t *testing.T) {
	_, d, outcome := held(t, t.Context())
	req := control.PerformRequest{Group: "slow", Action: control.AcctOn}
	if _, err := control.NewClient(d.Socket, patience).Perform(t.Context(), req); !errors.Is(err, control.ErrSlow) {
		t.Error(err)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if got := <-outcome; got != "the daemon is ending, when 7 records were moved" {
		t.Error(got)
	}
}

// TestRerouteEndsWithTheClient: a move that is under way stops when nobody waits for it any more.
func TestRerouteEndsWithTheClient(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	a, d, outcome := held(t, ctx)
	cancel(errors.New("interrupted"))
	if got := <-outcome; got != "interrupted" {
		t.Error(got)
	}
	a.Spool() // returns when the Accounting is done with it
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
}
