package client_test

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"

	"github.com/google/go-cmp/cmp"
)

// logDebug makes the client log at level debug.
func (r *rig) logDebug() {
	r.client = client.New(client.Config{
		Dial: client.OverUDP(r.net.Listen), Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
}

// TestTrace: at level debug each transmission has a line, at most 200 a second, without the secret.
func TestTrace(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", silent)
		r.logDebug()
		g := r.group(client.GroupConfig{Name: "g"}, to("192.0.2.1"))
		r.send(g, 7)
		r.sleep(1.5)
		for _, want := range []string{
			`msg="RADIUS request sent" group=g server="of 192.0.2.1" address=192.0.2.1:1813 attempt=1 suppressed=0 session=7 code=Accounting-Request id=0`,
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

// TestTraceAnswers: at level debug each packet from a server has a line that says what became of it.
func TestTraceAnswers(t *testing.T) {
	const (
		from    = `msg="RADIUS answer received" server="of 192.0.2.1" outcome=`
		address = ` suppressed=0 address=192.0.2.1:1813`
		code    = ` code=Accounting-Response id=0`
		request = ` group=g session=7 round_trip=`
		user    = ` user=alice`
	)
	elsewhere := netip.MustParseAddrPort("192.0.2.99:1813")
	for _, tt := range []struct {
		name     string
		reaction radiusnet.Reaction // to the first transmission; the second gets no answer
		want     []string           // the lines after their times and levels
	}{
		{"accepted", radiusnet.Reaction{After: 250 * time.Millisecond}, []string{from + "accepted" + address + code + request + "250ms" + user}},
		{"late", radiusnet.Reaction{After: 1500 * time.Millisecond}, []string{
			from + `"accepted, after its timeout"` + address + code + request + "1.5s" + user,
		}},
		{"after all transmissions", radiusnet.Reaction{After: 2500 * time.Millisecond}, []string{
			from + `"duplicate, or its request was given up"` + address + code + request + "2.5s" + user,
		}},
		{"a copy", radiusnet.Reaction{Copies: 1}, []string{
			from + "accepted" + address + code + request + "0s" + user,
			from + "unexpected" + address + code,
		}},
		{"another secret", radiusnet.Reaction{Answer: radiusnet.WrongSecret}, []string{
			from + `"bad authenticator"` + address + code + request + "0s" + user,
		}},
		{"another identifier", radiusnet.Reaction{Answer: radiusnet.WrongIdentifier}, []string{
			from + "unexpected" + address + " code=Accounting-Response id=128",
		}},
		{"another code", radiusnet.Reaction{Answer: radiusnet.WrongCode}, []string{
			from + `"wrong code"` + address + " code=Access-Accept id=0" + request + "0s" + user,
		}},
		{"cut off", radiusnet.Reaction{Answer: radiusnet.CutOff}, []string{from + "malformed" + address}},
		{"from elsewhere", radiusnet.Reaction{From: elsewhere}, []string{from + `"from another address" suppressed=0`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			withRig(t, func(r *rig) {
				first := true
				r.host("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction {
					if !first {
						return radiusnet.Reaction{Answer: radiusnet.Silent}
					}
					first = false
					return tt.reaction
				})
				r.logDebug()
				r.send(r.group(client.GroupConfig{Name: "g"}, to("192.0.2.1")), 7)
				r.sleep(4)
				var got []string
				for line := range strings.Lines(r.log.String()) {
					if i := strings.Index(line, `msg="RADIUS answer received"`); i >= 0 {
						got = append(got, strings.TrimSpace(line[i:]))
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("lines (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestTraceAnswersLimit: at most 200 answers a second have a line, and they leave those of requests
// alone.
func TestTraceAnswersLimit(t *testing.T) {
	withRig(t, func(r *rig) {
		r.host("192.0.2.1", func([]byte, radiusnet.Arrival) radiusnet.Reaction { return radiusnet.Reaction{Copies: 9} })
		r.logDebug()
		g := r.group(client.GroupConfig{Name: "g"}, to("192.0.2.1"))
		for i := range 100 {
			r.send(g, i)
		}
		r.sleep(0.5)
		if n := strings.Count(r.log.String(), "RADIUS answer received"); n != 200 {
			t.Errorf("%d answers", n)
		}
		if n := strings.Count(r.log.String(), "RADIUS request sent"); n != 100 {
			t.Errorf("%d requests", n)
		}
	})
}
