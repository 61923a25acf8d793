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

// run loads the configuration, the embedded one if file is "", and runs the daemon until ctx is done.
func run(ctx context.Context, file string, hup <-chan os.Signal) error {
	load := func() (*config.Config, error) { return config.Load(file) }
	if file == "" {
		load = func() (*config.Config, error) { return config.Default(), nil }
	}
	cfg, err := load()
	if err != nil {
		return err
	}
	level := new(slog.LevelVar)
	logger := newLogger(os.Stderr, cfg.Log, level)
	d, err := open(cfg, logger)
	if err != nil {
		return err
	}
	d.load, d.level = load, level
	if file == "" {
		if err := d.addDefaultSnmpd(os.Stdout); err != nil {
			return errors.Join(err, d.close())
		}
	}
	return errors.Join(d.run(ctx, hup), d.close())
}

func newLogger(w io.Writer, cfg config.Log, level *slog.LevelVar) *slog.Logger {
	level.Set(cfg.Level)
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// The addresses of the embedded default that are not in its configuration, because snmpd has them (R73).
const (
	defaultSNMP = "127.0.0.1:1161"
	snmpdDir    = "var/snmpd"
)

const banner = `
aaasess runs with its embedded default, all on loopback, state under var/.
In another terminal:

  bin/aaasess simulate &               a NAS that reports three sessions
  bin/aaasess show sessions            the table
  bin/aaasess disconnect --user user2  Disconnect-Request, ACK, stop
  tail -f var/accounting.jsonl         the accounting records
`

const bannerSNMP = `
The same over SNMP (community public reads, private may SET):

  snmpwalk -v2c -c public -M mibs -m ALL %[1]s CISCO-AAA-SESSION-MIB::casnMIBObjects
  snmpset -v2c -c private -M mibs -m ALL %[1]s CISCO-AAA-SESSION-MIB::casnDisconnect.1 = true

`

const bannerNoSNMP = `
SNMP is not served: snmpd is not installed (Debian: apt-get install snmpd snmp).

`

// addDefaultSnmpd gives the embedded default a master agent, if one is installed, and tells the user
// what to type.
func (d *daemon) addDefaultSnmpd(out io.Writer) error {
	snmpd, err := newPrivateSnmpd(snmpdDir, defaultSNMP, d.cfg.SNMP.AgentX.Address, d.log)
	switch {
	case errors.Is(err, errNoSnmpd):
		d.subagent = nil
		fmt.Fprint(out, banner, bannerNoSNMP)
	case err != nil:
		return err
	default:
		d.snmpd = snmpd
		fmt.Fprint(out, banner)
		fmt.Fprintf(out, bannerSNMP, defaultSNMP)
	}
	return nil
}
