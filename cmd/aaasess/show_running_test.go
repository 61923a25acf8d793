package main

import (
	"os"
	"strings"
	"testing"

	"aaasess/cmd/aaasess/internal/show"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/control/controltest"
)

func TestShowRunningConfig(t *testing.T) {
	running := api.RunningConfig{
		File: "/etc/aaasess/aaasess.yaml",
		Lines: []api.ConfigLine{
			{Text: "radius:"},
			{Text: "  clients:"},
			{Text: "    - name: lab"},
			{Text: "      secret: <secret>"},
			{Text: "      kind: network", Default: true},
			{Text: "  timeout: 5s", Default: true},
			{Text: "evil: \x1b[31m"},
		},
		Managed: api.ManagedServers{
			Created:   []api.ManagedServer{{Protocol: api.RADIUS, Name: "snmp-7", Address: "192.0.2.7"}},
			Destroyed: []api.ManagedServer{{Protocol: api.TACACS, Name: "old"}},
		},
	}
	var out strings.Builder
	for _, all := range []bool{false, true} {
		if err := show.PrintRunning(&out, &running, all); err != nil {
			t.Fatal(err)
		}
		running.Managed = api.ManagedServers{}
	}
	golden(t, "running-config.txt", out.String())
	dir, err := os.MkdirTemp("", "cli") // short: a socket's path has 107 octets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d, err := controltest.Start(dir, func(cfg *control.Config) { cfg.RunningConfig = func() api.RunningConfig { return running } })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	if got := command(t, d.Socket, "", "show", "running-config"); got.code != 0 || !strings.Contains(got.out, "      secret: <secret>\n") || strings.Contains(got.out, "timeout") {
		t.Errorf("%+v", got)
	}
	golden(t, "running-config.json", command(t, d.Socket, "", "show", "running-config", "--json").out)
	golden(t, "help-running-config.txt", command(t, "", "", "show", "running-config", "--help").out)
	if got := command(t, emptyDaemon(t, nil).Socket, "", "show", "running-config"); got.code != 4 || !strings.Contains(got.err, "this daemon has no configuration") {
		t.Errorf("%+v", got)
	}
}
