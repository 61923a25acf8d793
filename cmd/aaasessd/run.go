package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"aaasess/cmd/aaasessd/internal/config"
)

// run runs a daemon until ctx is done. Its log goes to log, what it tells the user to out.
func run(ctx context.Context, file string, hup <-chan os.Signal, out, log io.Writer, around outside) error {
	d, err := assemble(file, out, log, around)
	if err != nil {
		return err
	}
	return errors.Join(d.run(ctx, hup), d.close())
}

// assemble loads the configuration, the embedded one if file is "", and opens a daemon.
func assemble(file string, out, log io.Writer, around outside) (*daemon, error) {
	load := func() (*config.Config, error) { return config.Load(file) }
	if file == "" {
		load = func() (*config.Config, error) { return config.Default(), nil }
	}
	cfg, err := load()
	if err != nil {
		return nil, err
	}
	level := new(slog.LevelVar)
	d, err := open(cfg, newLogger(log, cfg.Log, level), around)
	if err != nil {
		return nil, err
	}
	d.load, d.level = load, level
	if file == "" {
		fmt.Fprintf(out, banner, d.snmp.responder.Addrs()[0])
	}
	return d, nil
}

func newLogger(w io.Writer, cfg config.Log, level *slog.LevelVar) *slog.Logger {
	level.Set(cfg.Level)
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// banner is what the embedded default (R73) tells its user to type.
const banner = `
aaasess runs with its embedded default: it listens on loopback, its state is under var/.
In another terminal:

  bin/aaasess simulate &               a NAS that reports three sessions
  bin/aaasess show sessions            the table
  bin/aaasess disconnect --user user2  Disconnect-Request, ACK, stop
  tail -f var/accounting.jsonl         the accounting records

The same over SNMP (community public reads, private may SET; Debian: apt-get install snmp):

  snmpwalk -v2c -c public -M mibs -m ALL %[1]s CISCO-AAA-SESSION-MIB::casnMIBObjects
  snmpset -v2c -c private -M mibs -m ALL %[1]s CISCO-AAA-SESSION-MIB::casnDisconnect.1 = true

`
