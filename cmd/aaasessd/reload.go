package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"aaasess/accounting"
	"aaasess/accounting/methods"
	"aaasess/accounting/onoff"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
	"aaasess/sessions"
	nasradius "aaasess/sessions/radius"
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
	policy, err := newPolicy(cfg)
	if err == nil {
		err = policy.Validate()
	}
	if err != nil {
		return err
	}
	access, err := d.newSNMPAccess(cfg)
	if err != nil {
		return err
	}
	change, err := d.prepareMethods(cfg)
	if err != nil {
		return err
	}
	if err := d.setClients(cfg); err != nil {
		change.Discard()
		return err
	}
	err = d.setSNMP(access)
	if err == nil {
		err = d.router.SetPolicy(policy) // no error after Validate
	}
	if err != nil {
		change.Discard()
		return errors.Join(err, d.setClients(d.cfg))
	}
	d.setDictionary(cfg.RADIUS.Dictionary)
	d.methods.Apply(ctx, change, onoff.TriggerConfigChange) // after the policy: a method that was removed gets no new records
	d.mayDisconnect.Store(cfg.SNMP.SessionMIBDisconnect)
	d.level.Set(cfg.Log.Level)
	d.methods.Reopen()
	d.cfg = cfg
	return nil
}

// prepareMethods opens the methods that are configured and do not run yet.
func (d *daemon) prepareMethods(cfg *config.Config) (methods.Change, error) {
	mc, err := newMethods(cfg, d.servers, d.dictionary.Load)
	if err != nil {
		return methods.Change{}, err
	}
	return d.methods.Prepare(mc)
}

// setClients tells the parts that speak with NASes who they are: both or, with an error, neither.
func (d *daemon) setClients(cfg *config.Config) error {
	clients := newClients(cfg)
	if err := d.listener.SetClients(clients); err != nil {
		return err
	}
	if err := d.disconnector.SetClients(clients); err != nil { // not after the listener took the same
		return errors.Join(err, d.listener.SetClients(newClients(d.cfg)))
	}
	return nil
}

// newClients gives the NASes as the listener and the disconnector take them.
func newClients(cfg *config.Config) []nasradius.Client {
	clients := make([]nasradius.Client, len(cfg.RADIUS.Clients))
	for i, c := range cfg.RADIUS.Clients {
		clients[i] = nasradius.Client{
			Name: c.Name, Prefix: c.Prefix, Secret: radius.Secret(c.Secret),
			DisconnectAddr: c.Disconnect.Address, DisconnectPort: c.Disconnect.Port,
			DisconnectSecret: radius.Secret(c.Disconnect.Secret), DisconnectSource: c.Disconnect.SourceAddress,
			DisconnectAttributes: c.Disconnect.Attributes, Dictionary: cfg.RADIUS.Dictionary,
		}
	}
	return clients
}

var kinds = map[string]sessions.Kind{"network": sessions.Network, "exec": sessions.Exec, "connection": sessions.Connection}

// newPolicy gives the method lists as the router takes them.
func newPolicy(cfg *config.Config) (*accounting.Policy, error) {
	p := &accounting.Policy{Lists: map[sessions.Kind]*accounting.List{}}
	for _, l := range cfg.Accounting.Lists {
		record, err := accounting.ParseRecordType(l.Record)
		if err != nil {
			return nil, err
		}
		p.Lists[kinds[l.Type]] = &accounting.List{Name: l.Name, Record: record, Methods: methodNames(l)}
	}
	return p, nil
}

// orNone translates "how often again, 0 is not at all" to packages where 0 means a default.
func orNone(n int) int {
	if n == 0 {
		return -1
	}
	return n
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
