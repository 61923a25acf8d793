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
func run(ctx context.Context, file string, hup <-chan os.Signal, out, log io.Writer) error {
	d, err := assemble(file, out, log, outside{})
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
		if err := d.addDefaultSnmpd(out, findSnmpd); err != nil {
			return nil, errors.Join(err, d.close())
		}
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

// The addresses of the embedded default that are not in its configuration, because snmpd has them (R73).
const (
	defaultSNMP = "127.0.0.1:1161"
	snmpdDir    = "var/snmpd"
)

const banner = `
aaasess runs with its embedded default: it listens on loopback, its state is under var/.
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
func (d *daemon) addDefaultSnmpd(out io.Writer, find func() (string, error)) error {
	program, err := find()
	if errors.Is(err, errNoSnmpd) {
		d.subagent = nil
		fmt.Fprint(out, banner, bannerNoSNMP)
		return nil
	}
	if err == nil {
		d.snmpd, err = newPrivateSnmpd(program, snmpdDir, defaultSNMP, d.cfg.SNMP.AgentX.Address, d.log)
	}
	if err != nil {
		return err
	}
	fmt.Fprint(out, banner)
	fmt.Fprintf(out, bannerSNMP, defaultSNMP)
	return nil
}
