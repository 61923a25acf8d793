package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"aaasess/accounting/onoff"
	"aaasess/accounting/policy"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/overlay"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/interim"
	"aaasess/sessions/silence"
	"aaasess/sessions/stale"
)

// reload loads the configuration again and applies it. After an error nothing has changed: every
// step that can fail comes before the first effect, or is undone. Sessions and records are not
// affected.
func (d *daemon) reload(ctx context.Context) error {
	file, err := d.load()
	if err != nil {
		return err
	}
	cfg, applied, givenUp := overlay.Merge(file, d.overlay())
	if keys := cfg.Diff(d.cfg); len(keys) > 0 {
		return fmt.Errorf("a restart is needed to change %s", strings.Join(keys, ", "))
	}
	if err := checkStatusPage(cfg); err != nil {
		return err
	}
	plan, err := policy.New(&cfg.Policy)
	if err != nil {
		return err
	}
	users, err := d.newSNMPUsers(cfg)
	if err != nil {
		return err
	}
	change, err := d.prepareServers(cfg)
	if err != nil {
		return err
	}
	if err := d.setClients(cfg); err != nil {
		change.discard()
		return err
	}
	if err := d.setSNMP(cfg, users); err != nil {
		change.discard()
		return errors.Join(err, d.setClients(d.cfg))
	}
	if err := d.authentication.apply(cfg, change.authentication); err != nil {
		// Does not happen: the configuration is valid.
		change.methods.Discard()
		return errors.Join(err, d.setClients(d.cfg))
	}
	d.admissions.SetConfig(cfg.Admissions)
	d.setServers(file, cfg)
	if !plan.SamePeriods(d.plan.Load()) {
		d.interims.SetPolicy(interimPolicy(plan))
	}
	d.stale.SetPolicy(d.stalePolicy(cfg))
	d.conditions.SetLimits(cfg.Thresholds)
	d.setPlan(plan)
	d.setTable(cfg)
	d.setLocal(cfg)
	d.setHTTP(cfg)
	d.setDictionary(cfg.Dictionary)
	// After setPlan, so that a removed method gets no new records.
	d.methods.Apply(ctx, change.methods, onoff.TriggerConfigChange)
	d.mayDisconnect.Store(cfg.SNMP.SessionMIBDisconnect)
	d.level.Set(cfg.Log.Level)
	d.setConfig(file, cfg, applied)
	d.giveUp(givenUp)
	d.logWarnings(cfg)
	return nil
}

// logWarnings logs what "aaasessd check" warns of.
func (d *daemon) logWarnings(cfg *config.Config) {
	for _, w := range cfg.Warnings() {
		d.log.Warn("configuration has a value that is dangerous or probably unintended", "warning", w)
	}
	if w := statusPageWarning(cfg); w != "" {
		d.log.Warn("configuration has a value that is dangerous or probably unintended", "warning", w)
	}
}

// setClients sets the NASes of the listeners and of the disconnector, and the servers that may end
// sessions. After an error, all keep those that they have.
func (d *daemon) setClients(cfg *config.Config) error {
	if err := d.listener.SetClients(cfg.Listener.Clients); err != nil {
		return err
	}
	if err := d.disconnector.SetClients(cfg.Disconnector.Clients); err != nil {
		// Does not happen: the listener has accepted them.
		return errors.Join(err, d.listener.SetClients(d.cfg.Listener.Clients))
	}
	if err := d.authentication.setClients(cfg); err != nil {
		// Does not happen either.
		return errors.Join(err, d.listener.SetClients(d.cfg.Listener.Clients), d.disconnector.SetClients(d.cfg.Disconnector.Clients))
	}
	if err := d.dynAuth.setServers(cfg); err != nil {
		// Does not happen either.
		return errors.Join(err, d.listener.SetClients(d.cfg.Listener.Clients), d.disconnector.SetClients(d.cfg.Disconnector.Clients), d.authentication.setClients(d.cfg))
	}
	return nil
}

// setPlan sets the accounting policy for events that follow.
func (d *daemon) setPlan(plan *policy.Plan) {
	d.router.SetPolicy(plan.Route)
	d.router.SetNewInfo(plan.RelaysNewInfo())
	d.plan.Store(plan)
}

// setTable sets what the table does with events that follow.
func (d *daemon) setTable(cfg *config.Config) {
	d.table.SetNested(cfg.Nested)
	d.table.SetVisibleKeys(cfg.VisibleKeys)
	d.table.SetUnique(cfg.Unique())
}

// interimPolicy says how often interims are made by a plan.
func interimPolicy(plan *policy.Plan) interim.Policy {
	return interim.Policy{Minimum: plan.Minimum(), Period: plan.InterimPeriod}
}

// stalePolicy says when sessions are stale.
func (d *daemon) stalePolicy(cfg *config.Config) stale.Policy {
	return func(nas *sessions.NAS) silence.Limits { return cfg.Stale.Of(d.clientName(nas.Addr)) }
}

// setDictionary sets the dictionary for everything that prints attributes. It logs the skipped
// lines of the operator's files.
func (d *daemon) setDictionary(names *radius.Dictionary) {
	for _, s := range names.Skipped() {
		d.log.Warn("dictionary lines skipped", "file", s.File, "lines", s.Lines, "first_line", s.First, "first", s.Text)
	}
	d.dictionary.Store(names)
	d.router.SetDictionary(names)
}
