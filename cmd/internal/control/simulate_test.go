package control_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/control"
	"aaasess/internal/logtest"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestSimulate: an event over the control socket is recorded with the attributes that a NAS would send.
func TestSimulate(t *testing.T) {
	log := &logtest.Buffer{}
	d, client := start(t, func(c *control.Config) { c.Logger = slog.New(slog.NewTextHandler(log, nil)) })
	d.Journal.RouteBy(func(*sessions.Session) string { return "somewhere" })
	for name, tt := range map[string]struct {
		req  api.SimulateRequest
		kind sessions.Kind
		want []string
	}{
		"a command": {
			api.SimulateRequest{Event: api.SimulateCommand, NAS: "172.16.25.15", User: "username1", Line: "tty3", CallingStation: "5622329430", CalledStation: "4327528", Level: 15, Command: "enable secret hunter2"},
			sessions.Command,
			[]string{"NAS-Port-Id = tty3", "User-Name = username1", "Called-Station-Id = 4327528", "Calling-Station-Id = 5622329430", "Acct-Status-Type = Stop", "Cisco-AVPair = priv-lvl=15", "Cisco-AVPair = cmd=enable secret *****"},
		},
		"level 0 on a port": {
			api.SimulateRequest{Event: api.SimulateCommand, NAS: "2001:db8::1", Line: "3", Command: "exit"},
			sessions.Command,
			[]string{"NAS-Port = 3", "Acct-Status-Type = Stop", "Cisco-AVPair = priv-lvl=0", "Cisco-AVPair = cmd=exit"},
		},
		"a failure": {
			api.SimulateRequest{Event: api.SimulateFailure, NAS: "172.16.25.15", User: "mallory", Kind: "network"},
			sessions.Network,
			[]string{"User-Name = mallory", "Service-Type = Framed-User", "Acct-Status-Type = Stop", "Acct-Session-Time = 0", "Acct-Terminate-Cause = User-Error"},
		},
		"accepted": {
			api.SimulateRequest{Event: api.SimulateFailure, NAS: "172.16.25.15", User: "alice", Kind: "connection", Accepted: true},
			sessions.Connection,
			[]string{"User-Name = alice", "Service-Type = Login-User", "Acct-Status-Type = Stop", "Acct-Session-Time = 0", "Acct-Terminate-Cause = Service-Unavailable"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := client.Simulate(t.Context(), &tt.req)
			if err != nil {
				t.Fatal(err)
			}
			all := d.Journal.Notices()
			n := all[len(all)-1]
			var got []string
			for p := range radius.Standard().Print(n.Attrs) {
				got = append(got, p.Name+" = "+p.Text)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if n.Session.Kind != tt.kind || n.Session.ID.String() != answer.ID || n.Session.NAS.Addr.String() != tt.req.NAS || d.Table.View().Len() != 0 {
				t.Errorf("%+v, answered %+v", n.Session, answer)
			}
		})
	}
	if text := log.String(); strings.Count(text, "event simulated by command") != 4 || strings.Contains(text, "hunter2") {
		t.Error(text)
	}
	d.Journal.RouteBy(func(*sessions.Session) string { return "" })
	if answer, err := client.Simulate(t.Context(), &api.SimulateRequest{Event: api.SimulateFailure, NAS: "::1", Kind: "exec"}); err != nil || answer.ID != "" {
		t.Errorf("%+v, %v", answer, err)
	}
}

func TestSimulateFaults(t *testing.T) {
	d, client := start(t, nil)
	good := api.SimulateRequest{Event: api.SimulateCommand, NAS: "192.0.2.1", Command: "exit"}
	failure := api.SimulateRequest{Event: api.SimulateFailure, NAS: "192.0.2.1", Kind: "exec"}
	with := func(req api.SimulateRequest, change func(*api.SimulateRequest)) api.SimulateRequest {
		change(&req)
		return req
	}
	for name, req := range map[string]api.SimulateRequest{
		"nothing":                 {},
		"no NAS":                  with(good, func(r *api.SimulateRequest) { r.NAS = "" }),
		"a zone":                  with(good, func(r *api.SimulateRequest) { r.NAS = "fe80::1%eth0" }),
		"another event":           with(good, func(r *api.SimulateRequest) { r.Event = "start" }),
		"no command":              with(good, func(r *api.SimulateRequest) { r.Command = "" }),
		"a command of spaces":     with(good, func(r *api.SimulateRequest) { r.Command = " \t" }),
		"level 16":                with(good, func(r *api.SimulateRequest) { r.Level = 16 }),
		"level -1":                with(good, func(r *api.SimulateRequest) { r.Level = -1 }),
		"a command with a kind":   with(good, func(r *api.SimulateRequest) { r.Kind = "exec" }),
		"an accepted command":     with(good, func(r *api.SimulateRequest) { r.Accepted = true }),
		"a long name":             with(good, func(r *api.SimulateRequest) { r.User = strings.Repeat("x", 254) }),
		"a failure of a call":     with(failure, func(r *api.SimulateRequest) { r.Kind = "resource" }),
		"a failure of no kind":    with(failure, func(r *api.SimulateRequest) { r.Kind = "" }),
		"a failure with a level":  with(failure, func(r *api.SimulateRequest) { r.Level = 1 }),
		"a failure and a command": with(failure, func(r *api.SimulateRequest) { r.Command = "exit" }),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.Simulate(t.Context(), &req)
			if refused := (*apiclient.ResponseError)(nil); !errors.As(err, &refused) || refused.Code != http.StatusBadRequest {
				t.Error(err)
			}
		})
	}
	full := errors.New("the disk is full")
	d.Journal.Refuse(full)
	_, err := client.Simulate(t.Context(), &good)
	if refused := (*apiclient.ResponseError)(nil); !errors.As(err, &refused) || refused.Code != http.StatusServiceUnavailable || !strings.Contains(refused.Text, full.Error()) {
		t.Error(err)
	}
	if n := d.Journal.Notices(); len(n) > 0 {
		t.Errorf("%d events were recorded", len(n))
	}
}
