package main

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"aaasess/cmd/internal/version"

	"golang.org/x/sync/errgroup"

	"aaasess/agent/snmp"
	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/mib"
)

// engineFile is the file in the state folder that has snmpEngineID and snmpEngineBoots.
const engineFile = "snmp-engine"

// settingsFile is the file in the state folder that has the values that managers SET in SNMPv2-MIB.
const settingsFile = "snmp-settings"

// snmpEngine is the embedded SNMP responder with its users, and the sender of notifications.
type snmpEngine struct {
	usm       *usm.USM
	responder *snmp.Responder
	notifier  *notify.Notifier
	log       *slog.Logger

	lastFailure atomic.Int64 // time of the last authenticationFailure, in Unix seconds
}

// openSNMPEngine opens the responder of the configuration and the sender of its notifications.
func (d *daemon) openSNMPEngine(cfg *config.Config, parts ...mib.Part) error {
	r := cfg.SNMP.Responder
	engine, err := d.openEngine(filepath.Join(cfg.State, engineFile), r.EngineID)
	if err != nil {
		return err
	}
	users, err := usm.NewUsers(engine.ID(), r.Users, nil)
	if err != nil {
		return err
	}
	s := &snmpEngine{usm: usm.New(engine, users), log: d.log}
	settings, err := snmpmib.OpenSettings(filepath.Join(cfg.State, settingsFile), d.log)
	if err != nil {
		return err
	}
	s.notifier, err = notify.New(notify.Config{Engine: engine, Targets: r.Targets, MaxMessageSize: r.Config.MaxMessageSize, Logger: d.log})
	if err != nil {
		return err
	}
	sc := r.Config
	sc.Engine, sc.USM, sc.System, sc.Logger = engine, s.usm, withProgram(sc.System), d.log
	sc.Settings, sc.AuthenticationFailure, sc.OutTraps, sc.Targets = settings, s.authenticationFailed, s.notifier.Sent, r.Targets
	s.responder, err = snmp.New(sc, r.Policy, parts...)
	if err != nil {
		return err
	}
	d.snmp = s
	return nil
}

// openEngine opens the engine. It logs if managers may reject its snmpEngineBoots.
func (d *daemon) openEngine(file string, id []byte) (*usm.Engine, error) {
	_, missing := os.Stat(file)
	engine, err := usm.OpenEngine(file, id, time.Now)
	if err != nil {
		return nil, err
	}
	switch boots, _ := engine.BootsTime(); {
	case boots == usm.MaxBoots:
		d.log.Error("snmpEngineBoots has reached its maximum: authenticated SNMPv3 messages are rejected until snmp.responder.engine-id changes", "file", file)
	case missing != nil && id != nil:
		d.log.Warn("snmpEngineBoots starts at 1: managers that already know this engine-id will reject our messages as replays", "file", file)
	}
	return engine, nil
}

// sysServices says that this host offers applications (RFC 3418 sysServices): layers 4 and 7.
const sysServices = 72

// withProgram adds the objects that describe this program to the system group of the configuration.
func withProgram(s snmpmib.System) snmpmib.System {
	s.Descr = cmp.Or(s.Descr, "aaasess "+version.String())
	s.Services = sysServices
	return s
}

// newSNMPUsers returns the users of a new configuration for the running responder. It reuses the
// keys of users that have not changed. It returns nil if there is no responder.
func (d *daemon) newSNMPUsers(cfg *config.Config) (*usm.Users, error) {
	if d.snmp == nil {
		return nil, nil
	}
	return usm.NewUsers(d.snmp.usm.Engine().ID(), cfg.SNMP.Responder.Users, d.snmp.usm.Users())
}

// setSNMP applies a new configuration, with users from newSNMPUsers. After an error nothing has
// changed.
func (d *daemon) setSNMP(cfg *config.Config, users *usm.Users) error {
	s, r := d.snmp, cfg.SNMP.Responder
	if s == nil {
		return nil
	}
	if err := s.notifier.SetTargets(r.Targets); err != nil {
		return err
	}
	s.usm.SetUsers(users)
	s.responder.SetPolicy(r.Policy)
	s.responder.SetTargets(r.Targets)
	s.responder.SetLimits(r.Config.Limits)
	s.responder.SetSystem(withProgram(r.Config.System))
	return nil
}

// authenticationFailed sends an authenticationFailure (RFC 3418), at most one a second, so that an
// attacker cannot make us send a flood of notifications.
func (s *snmpEngine) authenticationFailed(netip.AddrPort) {
	if !s.responder.AuthenTraps() {
		return
	}
	now, last := time.Now().Unix(), s.lastFailure.Load()
	if now != last && s.lastFailure.CompareAndSwap(last, now) {
		_ = s.notifier.Notify(notify.AuthenticationFailure) // a full queue counts the dropped notification
	}
}

// String returns the name of the responder for logs.
func (s *snmpEngine) String() string { return s.responder.String() }

// Ready is closed when the responder answers managers. Notifications before that wait in a queue.
func (s *snmpEngine) Ready() <-chan struct{} { return s.responder.Ready() }

// Run sends a coldStart, and then serves managers and sends notifications.
func (s *snmpEngine) Run(ctx context.Context) error {
	if err := s.notifier.Notify(notify.ColdStart); err != nil {
		s.log.Warn("coldStart is not sent to all targets", "err", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.responder.Run(ctx) })
	g.Go(func() error { return s.notifier.Run(ctx) })
	return g.Wait()
}

func (s *snmpEngine) close() error { return s.responder.Close() }
