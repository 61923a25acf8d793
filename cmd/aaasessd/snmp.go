package main

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"aaasess/agent/snmp"
	"aaasess/agent/snmp/notify"
	"aaasess/agent/snmp/snmpmib"
	"aaasess/agent/snmp/usm"
	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/mib"
)

// engineFile is the file of the state folder that keeps snmpEngineID and snmpEngineBoots.
const engineFile = "snmp-engine"

// snmpEngine is the embedded SNMP responder with its users, and what sends notifications.
type snmpEngine struct {
	usm       *usm.USM
	responder *snmp.Responder
	notifier  *notify.Notifier
	log       *slog.Logger

	authenTraps atomic.Bool  // snmp.responder.authentication-failure
	lastFailure atomic.Int64 // when the last authenticationFailure was sent, in Unix seconds
}

// snmpAccess is what a configuration says of who may do what.
type snmpAccess struct {
	users   *usm.Users
	policy  *vacm.Policy
	targets []notify.Target
	system  snmpmib.System
	limits  snmp.Limits
	traps   bool
}

// newSNMPAccess checks and translates a configuration. Keys of users that have not changed are those of old.
func newSNMPAccess(cfg *config.Config, engineID []byte, old *usm.Users) (*snmpAccess, error) {
	r := cfg.SNMP.Responder
	a := &snmpAccess{system: newSystem(r.System), traps: r.AuthenticationFailure, limits: snmp.Limits{
		Requests: r.Limits.Requests, ResponseOctets: int(r.Limits.ResponseOctets), Failures: r.Limits.Failures,
	}}
	byName := map[string]usm.User{}
	var users []usm.User
	for _, u := range r.Users {
		user, err := newUser(u)
		if err != nil {
			return nil, err
		}
		byName[u.Name], users = user, append(users, user)
	}
	var err error
	if a.users, err = usm.NewUsers(engineID, users, old); err != nil {
		return nil, err
	}
	if a.policy, err = newViewPolicy(r); err != nil {
		return nil, err
	}
	for _, n := range cfg.SNMP.Notifications {
		target := notify.Target{
			Name: n.Name, Address: n.Address, Version: wire.Version2c, Inform: n.Inform,
			Community: n.Community.Reveal(), SourceAddress: n.SourceAddress,
			EngineID: n.EngineID, Timeout: n.Timeout, Retries: n.Retries,
		}
		if n.Version == "v3" {
			target.Version, target.User = wire.Version3, byName[n.User]
		}
		a.targets = append(a.targets, target)
	}
	return a, nil
}

func newUser(u config.User) (user usm.User, err error) {
	user.Name = u.Name
	if u.Auth.Protocol != "" {
		if user.Auth, err = usm.ParseAuthProtocol(u.Auth.Protocol); err != nil {
			return user, err
		}
		user.AuthSecret = newUSMSecret(u.Auth)
	}
	if u.Priv.Protocol != "" {
		if user.Priv, err = usm.ParsePrivProtocol(u.Priv.Protocol); err != nil {
			return user, err
		}
		user.PrivSecret = newUSMSecret(u.Priv)
	}
	return user, nil
}

func newUSMSecret(s config.USMSecret) usm.Secret {
	secret := usm.Secret{Password: s.Password.Reveal()}
	if key := s.Key.Reveal(); key != "" {
		secret.LocalizedKey = []byte(key)
	}
	return secret
}

// newViewPolicy makes the tables of RFC 3415. A SET needs authPriv unless the configuration says
// otherwise: below that entries have no write view. Whoever proves nothing at all never has one.
func newViewPolicy(r *config.Responder) (*vacm.Policy, error) {
	byName := map[string]*vacm.View{}
	var views []*vacm.View
	for _, v := range r.Views {
		var families []vacm.Family
		for _, oid := range v.Include {
			families = append(families, vacm.Family{Subtree: oid})
		}
		for _, oid := range v.Exclude {
			families = append(families, vacm.Family{Subtree: oid, Excluded: true})
		}
		view, err := vacm.NewView(v.Name, families)
		if err != nil {
			return nil, err
		}
		byName[v.Name], views = view, append(views, view)
	}
	entry := func(g config.AccessGroup, model wire.SecurityModel, level wire.SecurityLevel) vacm.AccessEntry {
		e := vacm.AccessEntry{Group: g.Name, Model: model, Level: level, Read: byName[g.Read], Notify: byName[g.Notify]}
		if level == wire.AuthPriv || r.AllowInsecureSet && (model == wire.ModelV2c || level == wire.AuthNoPriv) {
			e.Write = byName[g.Write]
		}
		return e
	}
	var access []vacm.AccessEntry
	for _, g := range r.Groups {
		least := securityLevels[g.Level]
		access = append(access, entry(g, wire.ModelV2c, wire.NoAuthNoPriv), entry(g, wire.ModelUSM, least))
		for level := least + 1; level <= wire.AuthPriv; level++ {
			access = append(access, entry(g, wire.ModelUSM, level))
		}
	}
	var members []vacm.Member
	var communities []vacm.Community
	seen := map[vacm.Member]bool{}
	for _, c := range r.Communities {
		m := vacm.Member{Model: wire.ModelV2c, SecurityName: c.SecurityName, Group: c.Group}
		if !seen[m] {
			seen[m], members = true, append(members, m)
		}
		communities = append(communities, vacm.Community{Name: c.Community.Reveal(), SecurityName: c.SecurityName, From: c.From})
	}
	for _, u := range r.Users {
		members = append(members, vacm.Member{Model: wire.ModelUSM, SecurityName: u.Name, Group: u.Group})
	}
	return vacm.New(views, access, members, communities)
}

var securityLevels = map[string]wire.SecurityLevel{
	"noAuthNoPriv": wire.NoAuthNoPriv, "authNoPriv": wire.AuthNoPriv, "authPriv": wire.AuthPriv,
}

// openSNMPEngine opens the responder that a configuration has, and what sends its notifications.
func (d *daemon) openSNMPEngine(cfg *config.Config, parts ...mib.Part) error {
	r := cfg.SNMP.Responder
	engine, err := d.openEngine(filepath.Join(cfg.State, engineFile), r.EngineID)
	if err != nil {
		return err
	}
	access, err := newSNMPAccess(cfg, engine.ID(), nil)
	if err != nil {
		return err
	}
	s := &snmpEngine{usm: usm.New(engine, access.users), log: d.log}
	s.authenTraps.Store(access.traps)
	s.notifier, err = notify.New(notify.Config{Engine: engine, Targets: access.targets, MaxMessageSize: r.MaxMessageSize, Logger: d.log})
	if err != nil {
		return err
	}
	s.responder, err = snmp.New(snmp.Config{
		Listen: r.Listen, Engine: engine, USM: s.usm, System: access.system, MaxMessageSize: r.MaxMessageSize, Limits: access.limits,
		AuthenTraps: s.authenTraps.Load, AuthenticationFailure: s.authenticationFailed,
		OutTraps: s.notifier.Sent, Logger: d.log,
	}, access.policy, parts...)
	if err != nil {
		return err
	}
	d.snmp = s
	return nil
}

// openEngine opens the engine and warns of boots that managers will not take.
func (d *daemon) openEngine(file string, id []byte) (*usm.Engine, error) {
	_, missing := os.Stat(file)
	engine, err := usm.OpenEngine(file, id, time.Now)
	if err != nil {
		return nil, err
	}
	switch boots, _ := engine.BootsTime(); {
	case boots == usm.MaxBoots:
		d.log.Error("snmpEngineBoots is at its end, SNMPv3 messages with authentication are refused: another engine-id is needed", "file", file)
	case missing != nil && id != nil:
		d.log.Warn("snmpEngineBoots begins at 1: who knows this engine-id from before takes our messages for replays", "file", file)
	}
	return engine, nil
}

// sysServices is a host that offers applications (RFC 3418 sysServices): layers 4 and 7.
const sysServices = 72

// casnCompliance is what sysORTable says of our tree: casnMIBComplianceRev1.
var casnCompliance = mib.MustOID("1.3.6.1.4.1.9.9.150.3.1.2")

func newSystem(c config.ResponderSystem) snmpmib.System {
	s := snmpmib.System{
		Descr: c.Description, ObjectID: c.ObjectID, Contact: c.Contact, Name: c.Name, Location: c.Location, Services: sysServices,
		ORs: []snmpmib.OR{{ID: casnCompliance, Descr: "CISCO-AAA-SESSION-MIB: the sessions of network access servers"}},
	}
	if s.Descr == "" {
		s.Descr = "aaasess " + version()
	}
	return s
}

// newSNMPAccess is what a new configuration has for the responder that runs; nil if there is none.
func (d *daemon) newSNMPAccess(cfg *config.Config) (*snmpAccess, error) {
	if d.snmp == nil {
		return nil, nil
	}
	return newSNMPAccess(cfg, d.snmp.usm.Engine().ID(), d.snmp.usm.Users())
}

// setSNMP puts what newSNMPAccess has made in place: all of it or, with an error, nothing.
func (d *daemon) setSNMP(a *snmpAccess) error {
	if a == nil {
		return nil
	}
	s := d.snmp
	if err := s.notifier.SetTargets(a.targets); err != nil {
		return err
	}
	s.usm.SetUsers(a.users)
	s.responder.SetPolicy(a.policy)
	s.responder.SetLimits(a.limits)
	s.responder.SetSystem(a.system)
	s.authenTraps.Store(a.traps)
	return nil
}

// authenticationFailed sends an authenticationFailure (RFC 3418), one a second at most: what is sent must not
// be for strangers to say.
func (s *snmpEngine) authenticationFailed(netip.AddrPort) {
	if !s.authenTraps.Load() {
		return
	}
	now, last := time.Now().Unix(), s.lastFailure.Load()
	if now != last && s.lastFailure.CompareAndSwap(last, now) {
		_ = s.notifier.Notify(notify.AuthenticationFailure) // a queue that is full counts what it drops
	}
}

// String names the responder for logs.
func (s *snmpEngine) String() string { return s.responder.String() }

// Ready is closed when managers are answered. Notifications that come before their own task runs wait.
func (s *snmpEngine) Ready() <-chan struct{} { return s.responder.Ready() }

// Run serves managers, and tells receivers of notifications that we have started.
func (s *snmpEngine) Run(ctx context.Context) error {
	if err := s.notifier.Notify(notify.ColdStart); err != nil {
		s.log.Warn("coldStart is not sent to all", "err", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.responder.Run(ctx) })
	g.Go(func() error { return s.notifier.Run(ctx) })
	return g.Wait()
}

func (s *snmpEngine) close() error { return s.responder.Close() }
