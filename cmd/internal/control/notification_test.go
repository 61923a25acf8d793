package control_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
	"aaasess/internal/logtest"
)

// Outcomes of test notifications.
var (
	sent  = api.NotificationOutcome{Target: "ops", Via: api.ViaTrap, Outcome: api.NotificationSent, Took: 0.001}
	acked = api.NotificationOutcome{Target: "noc", Via: api.ViaInform, Outcome: api.NotificationAcknowledged, Took: 0.25}
	waits = api.NotificationOutcome{Target: "far", Via: api.ViaInform, Outcome: api.NotificationWaiting, Took: 1, Error: "last error of the target: \xff"}
)

func TestTestNotificationRequests(t *testing.T) {
	const target = api.PathTestNotification
	const ops = `{"target":"ops","via":"trap","outcome":"sent","took":0.001}` + "\n"
	const noc = `{"target":"noc","via":"inform","outcome":"acknowledged","took":0.25}` + "\n"
	const far = `{"target":"far","via":"inform","outcome":"waiting","took":1,"error":"last error of the target: \\xff"}` + "\n"
	for name, tt := range map[string]struct {
		method, target, body string
		send                 control.TestNotification
		code                 int
		want                 string // of the body
	}{
		"all":               {"POST", target, "", controltest.TestNotification(sent, acked), 200, ops + noc},
		"all, as an object": {"POST", target, "{}", controltest.TestNotification(sent, acked), 200, ops + noc},
		"one":               {"POST", target, `{"target":"noc","wait":3600}`, controltest.TestNotification(sent, acked), 200, noc},
		"the wait is over":  {"POST", target, `{"wait":0.01}`, controltest.TestNotification(sent, waits), 200, ops + far},
		"unknown target":    {"POST", target, `{"target":"x"}`, controltest.TestNotification(sent), 404, `target \"x\": no such target of notifications`},
		"no targets":        {"POST", target, "", controltest.TestNotification(), 404, "no target of notifications is configured"},
		"no notifications":  {"POST", target, "", nil, 404, "no target of notifications is configured"},
		"stopped": {"POST", target, "", func(context.Context, string) (<-chan api.NotificationOutcome, error) {
			return nil, errors.New("notify: stopped")
		}, 503, "notify: stopped"},
		"wait below 0":   {"POST", target, `{"wait":-1}`, controltest.TestNotification(sent), 400, "wait: want 0 to 3600 seconds"},
		"wait too long":  {"POST", target, `{"wait":3600.1}`, controltest.TestNotification(sent), 400, "wait: want 0 to 3600 seconds"},
		"unknown field":  {"POST", target, `{"all":true}`, controltest.TestNotification(sent), 400, "unknown field"},
		"with GET":       {"GET", target, "", controltest.TestNotification(sent), 405, "want POST"},
		"with parameter": {"POST", target + "?target=ops", "", controltest.TestNotification(sent), 400, "has no parameters"},
		"too large":      {"POST", target, strings.Repeat(" ", 1<<20+1), controltest.TestNotification(sent), 413, "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := start(t, func(cfg *control.Config) { cfg.TestNotification = tt.send })
			code, body := ask(t, d.Socket, tt.method, tt.target, tt.body)
			if code != tt.code || code == http.StatusOK && body != tt.want || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s; want %d with %s", code, body, tt.code, tt.want)
			}
		})
	}
}

// TestTestNotificationStream: an outcome arrives when it is known, though another one is not. The client
// waits longer for it than for other answers. When the client goes, the daemon stops waiting.
func TestTestNotificationStream(t *testing.T) {
	log := &logtest.Buffer{}
	gone := make(chan error, 1)
	fake := controltest.TestNotification(sent, acked, waits)
	d, _ := start(t, func(cfg *control.Config) {
		cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
		cfg.TestNotification = func(ctx context.Context, target string) (<-chan api.NotificationOutcome, error) {
			context.AfterFunc(ctx, func() { gone <- context.Cause(ctx) })
			return fake(ctx, target)
		}
	})
	client := apiclient.New(d.Socket, time.Second)
	var got []api.NotificationOutcome
	for o, err := range client.TestNotification(t.Context(), api.TestNotificationRequest{Wait: 3600}) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, o); len(got) == 2 {
			break
		}
	}
	if diff := cmp.Diff([]api.NotificationOutcome{sent, acked}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	select {
	case err := <-gone:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("it stopped waiting because of %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the daemon still waits, and the client has gone")
	}
	if !strings.Contains(log.String(), "test notification by command") {
		t.Errorf("log: %s", log)
	}
}

// TestTestNotificationEnd: a daemon that ends tells what still waits.
func TestTestNotificationEnd(t *testing.T) {
	d, err := controltest.Start(folder(t), func(cfg *control.Config) { cfg.TestNotification = controltest.TestNotification(sent, waits) })
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	var got []string
	for o, err := range apiclient.New(d.Socket, 5*time.Second).TestNotification(t.Context(), api.TestNotificationRequest{Wait: 3600}) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, o.Outcome); len(got) == 1 {
			go func() { stopped <- d.Stop() }()
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"sent", "waiting"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTestNotificationErrors: an error of the daemon has its status, and no daemon is ErrNoDaemon.
func TestTestNotificationErrors(t *testing.T) {
	_, client := start(t, nil)
	for o, err := range client.TestNotification(t.Context(), api.TestNotificationRequest{}) {
		refused := (*apiclient.ResponseError)(nil)
		if !errors.As(err, &refused) || refused.Code != http.StatusNotFound {
			t.Errorf("%+v, %v", o, err)
		}
	}
	for o, err := range apiclient.New(folder(t)+"/none", time.Second).TestNotification(t.Context(), api.TestNotificationRequest{}) {
		if !errors.Is(err, apiclient.ErrNoDaemon) {
			t.Errorf("%+v, %v", o, err)
		}
	}
}
