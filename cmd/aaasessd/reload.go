package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"aaasess/accounting/onoff"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
)

// reload puts a new configuration in place of the present one, or leaves all as it is. Sessions and
// records are not touched. All that can fail comes before the first effect, or is undone.
func (d *daemon) reload(ctx context.Context) error {
	cfg, err := d.load()
	if err != nil {
		return err
	}
	if keys := cfg.Diff(d.cfg); len(keys) > 0 {
		return fmt.Errorf("a restart is needed to change %s", strings.Join(keys, ", "))
	}
	if err := cfg.Policy.Validate(); err != nil {
		return err
	}
	users, err := d.newSNMPUsers(cfg)
	if err != nil {
		return err
	}
	change, err := d.methods.Prepare(cfg.Methods(d.servers, d.dictionary.Load))
	if err != nil {
		return err
	}
	if err := d.setClients(cfg); err != nil {
		change.Discard()
		return err
	}
	err = d.setSNMP(cfg, users)
	if err == nil {
		err = d.router.SetPolicy(&cfg.Policy) // no error after Validate
	}
	if err != nil {
		change.Discard()
		return errors.Join(err, d.setClients(d.cfg))
	}
	d.setDictionary(cfg.Dictionary)
	d.methods.Apply(ctx, change, onoff.TriggerConfigChange) // after the policy: a method that was removed gets no new records
	d.mayDisconnect.Store(cfg.SNMP.SessionMIBDisconnect)
	d.level.Set(cfg.Log.Level)
	d.methods.Reopen()
	d.cfg = cfg
	return nil
}

// setClients tells the parts that speak with NASes who they are: both or, with an error, neither.
func (d *daemon) setClients(cfg *config.Config) error {
	if err := d.listener.SetClients(cfg.Listener.Clients); err != nil {
		return err
	}
	if err := d.disconnector.SetClients(cfg.Disconnector.Clients); err != nil { // not after the listener took the same
		return errors.Join(err, d.listener.SetClients(d.cfg.Listener.Clients))
	}
	return nil
}

// setDictionary gives the names of attributes to those that print them, and logs which lines of the
// operator's files are left out.
func (d *daemon) setDictionary(names *radius.Dictionary) {
	for _, s := range names.Skipped() {
		d.log.Warn("dictionary lines left out", "file", s.File, "lines", s.Lines, "first_line", s.First, "first", s.Text)
	}
	d.dictionary.Store(names)
	d.router.SetDictionary(names)
}
