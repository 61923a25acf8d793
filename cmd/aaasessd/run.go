package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/systemd"
)

// run runs a daemon until ctx is done. It writes its log to log, and the banner to out.
func run(ctx context.Context, file string, hup <-chan os.Signal, out, log io.Writer, env environment) error {
	d, err := assemble(file, out, log, env)
	if err == nil {
		err = errors.Join(d.run(ctx, hup), d.close())
	}
	if err != nil {
		_ = env.notifier.Send(systemd.Status("failed: " + err.Error())) // the log has the error too
	}
	return err
}

// assemble loads the configuration and opens a daemon. If file is "", it uses the built-in
// configuration.
func assemble(file string, out, log io.Writer, env environment) (*daemon, error) {
	load := func() (*config.Config, error) { return config.Load(file) }
	if file == "" {
		load = func() (*config.Config, error) { return config.Default(), nil }
	}
	cfg, err := load()
	if err != nil {
		return nil, err
	}
	level := new(slog.LevelVar)
	d, err := open(cfg, newLogger(log, cfg.Log, level), env)
	if err != nil {
		return nil, err
	}
	d.load, d.level = load, level
	if file == "" {
		fmt.Fprintf(out, banner, d.snmp.responder.Addrs()[0], d.http.Addrs()[0])
	}
	return d, nil
}

// banner lists commands to try with the built-in configuration (R73).
const banner = `
aaasess runs with its built-in configuration. It listens on loopback, and its state is in var/.
Try in another terminal:

  bin/aaasess simulate &               start a simulated NAS with three sessions
  bin/aaasess show sessions            list the sessions
  bin/aaasess disconnect --user user2  end a session at the NAS
  tail -f var/accounting.jsonl         follow the accounting records
  curl http://%[2]s/metrics   metrics for Prometheus

The same over SNMP (community public may read, private may also SET; on Debian: apt-get install snmp):

  snmpwalk -v2c -c public -M mibs -m ALL %[1]s CISCO-AAA-SESSION-MIB::casnMIBObjects
  snmpset -v2c -c private -M mibs -m ALL %[1]s CISCO-AAA-SESSION-MIB::casnDisconnect.1 = true

`
