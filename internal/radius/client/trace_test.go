package client_test

import (
	"log/slog"
	"strings"
	"testing"

	"aaasess/internal/radius/client"
)

// TestTrace: at level debug each transmission has a line, at most 200 a second, without the secret.
func TestTrace(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", silent)
		r.client = client.New(client.Config{
			Dial: client.OverUDP(r.net.Listen), Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		g := r.group(client.GroupConfig{Name: "g"}, to("192.0.2.1"))
		r.send(g, 7)
		r.sleep(1.5)
		for _, want := range []string{
			`msg="RADIUS request sent" group=g server="of 192.0.2.1" address=192.0.2.1:1813 attempt=1 suppressed=0 code=Accounting-Request id=0 session=7`,
			"attempt=2 suppressed=0",
		} {
			if !strings.Contains(r.log.String(), want) {
				t.Errorf("the log has no %q:\n%s", want, r.log)
			}
		}
		r.sleep(3)
		for i := range 500 {
			r.send(g, 1000+i)
		}
		r.sleep(3.5)
		if n := strings.Count(r.log.String(), "RADIUS request sent"); n != 202 {
			t.Errorf("%d lines", n)
		}
	})
}
