package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/methods"
	"aaasess/accounting/onoff"
	"aaasess/accounting/policy"
	"aaasess/accounting/resync"
	"aaasess/agent/agentx"
	"aaasess/cmd/aaasessd/internal/acctcontrol"
	"aaasess/cmd/aaasessd/internal/conditions"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/overlay"
	"aaasess/cmd/aaasessd/internal/serverstats"
	"aaasess/cmd/aaasessd/internal/statechange"
	"aaasess/cmd/aaasessd/internal/systemd"
	"aaasess/cmd/aaasessd/internal/web"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/control"
	"aaasess/cmd/internal/version"
	"aaasess/internal/logtap"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/internal/throttle"
	"aaasess/sessions"
	"aaasess/sessions/admission"
	"aaasess/sessions/interim"
	naslocal "aaasess/sessions/local"
	"aaasess/sessions/local/ending"
	"aaasess/sessions/local/feed"
	"aaasess/sessions/local/link"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/dae"
	"aaasess/sessions/stale"
	"aaasess/sessions/termination"
	"aaasess/store"
)

// daemon has all parts of the daemon, opened and connected. A reload changes them in the goroutine
// of serveReloads only.
type daemon struct {
	cfg   *config.Config // owned by serveReloads
	state string         // folder of the store
	log   *slog.Logger
	level *slog.LevelVar
	load  func() (*config.Config, error)

	store          *store.Store
	router         *accounting.Router
	table          *sessions.Table
	listener       *nasradius.Listener
	disconnector   *dae.Disconnector
	endings        *endings
	admissions     *admission.Store
	authentication *authentication // nil: Access-Requests are not relayed
	dynAuth        *dynAuth        // nil: servers may not end and change sessions
	terminator     *termination.Terminator
	interims       *interim.Maker
	stale          *stale.Closer
	resyncs        *resync.Resyncs
	accounting     *acctcontrol.Accounting // what operators ask about accounting
	control        *control.Server
	local          *naslocal.Server // nil: programs on this host report nothing
	localEvents    *feed.Feed[naslocal.Event]
	links          *link.Reader // nil: the interfaces of this host are not known
	methods        *methods.Set
	radius         *client.Client    // the servers of all groups of RADIUS servers
	tacacs         *tacclient.Client // those of TACACS+ servers
	servers        *serverstats.Keeper
	stateChanges   *statechange.Teller
	conditions     *conditions.Watcher
	own            ownViews
	started        time.Time
	subagent       *agentx.Subagent // nil: no master agent is configured
	snmp           *snmpEngine      // nil: no responder is configured
	service        *systemd.Service
	http           *web.Server // nil: none is configured
	statusPage     atomic.Pointer[config.StatusPage]
	readiness      readiness
	reloads        reloads

	memory      *memoryWatch  // nil: GOMEMLIMIT is not set
	refusedLine throttle.Line // of the log: sessions that a limit refused
	superseded  superseded

	overlays overlays

	mayDisconnect atomic.Bool // snmp.session-mib-disconnect
	dictionary    atomic.Pointer[radius.Dictionary]
	plan          atomic.Pointer[policy.Plan] // accounting of sessions that begin
}

// environment is what a daemon gets from its host and its command line. Tests set disk, resolve and
// beat; nil and 0 mean those of the system.
type environment struct {
	disk       *store.Disk                                                  // of the store
	resolve    func(ctx context.Context, host string) ([]netip.Addr, error) // looks up the names of servers
	beat       time.Duration                                                // stale.Config.BeatEvery
	acceptLoss bool                                                         // store.Config.AcceptLoss
	notifier   *systemd.Notifier                                            // nil: there is no service manager
	ignored    error                                                        // which settings of the service manager are ignored
}

// open opens the parts in the order of their dependencies. After an error it closes all of them.
func open(cfg *config.Config, log *slog.Logger, env environment) (_ *daemon, err error) {
	d := &daemon{cfg: cfg, state: cfg.State, log: log, started: time.Now()}
	d.stateChanges = d.newStateChanges(cfg)
	d.radius = client.New(client.Config{Lookup: env.resolve, NASIdentifier: cfg.NASIdentifier, Changed: d.stateChanges.Changed, Logger: log})
	d.tacacs = tacclient.New(tacclient.Config{Changed: d.stateChanges.Changed, Logger: log})
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	d.service = systemd.NewService(env.notifier, log)
	if env.ignored != nil {
		log.Warn("settings of the service manager are ignored", "err", env.ignored)
	}
	d.mayDisconnect.Store(cfg.SNMP.SessionMIBDisconnect)
	sc := cfg.Store
	sc.Beside = append([]string{engineFile, settingsFile, overlayFile, overlayFile + overlay.Damaged, conditionsFile, conditionsFile + conditions.Damaged}, serverstats.Beside(statisticsFile)...)
	sc.AcceptLoss, sc.Logger, sc.Disk = env.acceptLoss, log, env.disk
	d.store, err = store.Open(cfg.State, sc)
	if err != nil {
		return nil, explainDamage(err)
	}
	if cfg, err = d.openOverlay(cfg); err != nil {
		return nil, err
	}
	d.openServers(cfg)
	d.router = accounting.NewRouter(d.store, log)
	d.setDictionary(cfg.Dictionary)
	plan, err := policy.New(&cfg.Policy)
	if err != nil {
		return nil, err
	}
	d.setPlan(plan)
	tc := cfg.Sessions
	tc.Boot, tc.Refused, tc.Superseded = thisBoot(), d.sessionRefused, d.sessionSuperseded
	if d.memory = newMemoryWatch(); d.memory != nil {
		tc.MemoryShort = d.memory.isShort
	}
	d.table = sessions.New(tc, d.router)
	d.setTable(cfg)
	d.interims = interim.New(d.table, interimPolicy(plan))
	d.methods = methods.New(d.store, d.table.Routes, log)
	d.resyncs = resync.New(resync.Config{Table: d.table, Decide: d.router.Resync, Waiting: d.methods.Waiting, Logger: log})
	d.openLinks(tc.Boot)
	if err := d.loadTable(); err != nil {
		return nil, explainDamage(err)
	}
	if err := d.openRADIUS(cfg); err != nil {
		return nil, err
	}
	d.stale = stale.New(stale.Config{Table: d.table, Policy: d.stalePolicy(cfg), Log: log, BeatEvery: env.beat})
	for _, open := range []func(*config.Config) error{d.openAuthentication, d.openDynAuth, d.openConditions, d.openControl, d.openLocal, d.openSNMP, d.openHTTP} {
		if err := open(cfg); err != nil {
			return nil, err
		}
	}
	d.logWarnings(cfg)
	return d, nil
}

// explainDamage adds to the error of a damaged store where the documentation describes it.
func explainDamage(err error) error {
	if errors.Is(err, store.ErrDamaged) {
		return fmt.Errorf("%w (see \"A damaged store\" in docs/delivery.md, and --accept-loss)", err)
	}
	return err
}

// loadGC is the GOGC percentage while the table is loaded. NASes wait meanwhile, and little of the
// loaded data is garbage, so the collector runs less often.
const loadGC = 400

func (d *daemon) loadTable() error {
	defer debug.SetGCPercent(debug.SetGCPercent(loadGC))
	return d.table.Load(func(each func(key, value []byte) error) error {
		return d.store.Load(func(key, value []byte) error {
			d.methods.LoadReroute(key, value)
			if err := d.resyncs.Load(key, value); err != nil {
				return err
			}
			return each(key, value)
		})
	})
}

func (d *daemon) openRADIUS(cfg *config.Config) (err error) {
	dc, lc := cfg.Disconnector, cfg.Listener
	dc.Log, lc.Log = d.log, d.log
	if d.disconnector, err = dae.New(dc); err != nil {
		return err
	}
	d.router.SetClientName(d.clientName)
	tc := cfg.Terminator
	d.endings = &endings{nas: d.disconnector, host: ending.New(ending.Config{Logger: d.log}), clientName: d.disconnector.ClientName}
	d.endings.set(&cfg.Endings)
	tc.ClientName, tc.CanEnd = d.clientName, d.endings.canEnd
	d.terminator = termination.New(tc, d.table, d.endings, d.log)
	// The terminator receives the listener's events first: a stop that arrives before the ACK waits
	// there for it.
	d.listener, err = nasradius.New(lc, d.terminator)
	return err
}

// openControl opens the control socket, after everything that it shows.
func (d *daemon) openControl(cfg *config.Config) (err error) {
	d.accounting = acctcontrol.New(acctcontrol.Config{Methods: d.methods, Resyncs: d.resyncs, Plan: d.plan.Load, Store: d.store, Folder: d.state, Names: d.dictionary.Load, Authentication: d.authGroups, Managed: d.managed})
	d.control, err = control.New(control.Config{
		Socket: string(cfg.Control.Socket), Group: cfg.Control.Group, Version: version.String(), Logger: d.log,
		ClientName: d.clientName, Names: d.dictionary.Load, Reasons: d.reasons,
		Events: d.router.Tap(), Admissions: d.logins, TestNotification: d.testNotification,
		Accounting: d.accounting, Log: logtap.TapOf(d.log), RunningConfig: func() api.RunningConfig { return d.runningConfig(d.accounting) },
	}, d.table, d.terminator)
	return err
}

// close closes all open parts. The store is last, when nothing can write to it. A task may already
// have closed its own part.
func (d *daemon) close() error {
	var errs []error
	if d.control != nil {
		errs = append(errs, unlessClosed(d.control.Close()))
	}
	if d.local != nil {
		errs = append(errs, unlessClosed(d.local.Close()))
	}
	if d.http != nil {
		errs = append(errs, unlessClosed(d.http.Close()))
	}
	if d.snmp != nil {
		errs = append(errs, d.snmp.close())
	}
	if d.listener != nil {
		errs = append(errs, unlessClosed(d.listener.Close()))
	}
	errs = append(errs, d.authentication.close(), d.dynAuth.close())
	if d.disconnector != nil {
		errs = append(errs, unlessClosed(d.disconnector.Close()))
	}
	if d.servers != nil {
		d.servers.Close()
	}
	if d.store != nil {
		if err := d.store.Close(); !errors.Is(err, store.ErrFailed) { // watchStore has returned this one
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func unlessClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// tasks returns everything that the daemon runs. first is the methods: at the end they send their
// Accounting-Offs, and meanwhile the other tasks serve NASes, the command line and SNMP managers.
// The daemon is ready when first and the tasks of serving are. The subagent is among the others, so
// that a missing master agent does not delay this.
func (d *daemon) tasks(hup <-chan os.Signal, change methods.Change) (first task, serving, others []task) {
	// The reload loop owns the methods, so both are one task: it is ready when the methods are.
	first = loop{d.methods.String(), d.methods.Ready(), func(ctx context.Context) error { return d.serveReloads(ctx, hup, change) }}
	serving = []task{
		loop{"store", readyAtOnce(), d.watchStore},
		loop{"memory", readyAtOnce(), d.returnMemory},
		loop{"server statistics", readyAtOnce(), d.servers.Run},
		loop{"changes of servers' states", readyAtOnce(), d.stateChanges.Run},
		loop{"conditions", readyAtOnce(), d.conditions.Run},
		d.table, d.interims, d.stale, d.resyncs, d.listener, d.disconnector, d.terminator, d.control, d.admissions,
	}
	serving = append(serving, d.authentication.tasks()...)
	serving = append(serving, d.dynAuth.tasks()...)
	if d.links != nil {
		serving = append(serving, d.links)
	}
	if d.local != nil {
		serving = append(serving, d.local, loop{"local events", readyAtOnce(), d.feedEvents})
	}
	if d.snmp != nil {
		serving = append(serving, d.snmp)
	}
	if d.http != nil {
		serving = append(serving, d.http)
	}
	serving = append(serving, d.managerTasks()...)
	all := append([]task{first}, serving...)
	d.readiness.tasks.Store(&all)
	if d.subagent != nil {
		others = append(others, d.subagent)
	}
	return first, serving, others
}

// run runs all tasks until ctx is done or one of them fails.
func (d *daemon) run(ctx context.Context, hup <-chan os.Signal) error {
	change, err := d.methods.Prepare(d.cfg.Methods(d.radius, d.tacacs, d.dictionary.Load))
	if err != nil {
		return err
	}
	d.giveUp(d.overlays.atStart)
	d.registerStatus()
	first, serving, others := d.tasks(hup, change)
	err = runTasks(ctx, first, serving, others, func() {
		addresses := []any{"accounting", d.listener.Addrs()}
		if d.authentication != nil {
			addresses = append(addresses, "authentication", d.authentication.listener.Addrs())
		}
		if d.dynAuth != nil {
			addresses = append(addresses, "dynamic_authorization", d.dynAuth.listener.Addrs())
		}
		if d.snmp != nil {
			addresses = append(addresses, "snmp", d.snmp.responder.Addrs())
		}
		if d.http != nil {
			addresses = append(addresses, "http", d.http.Addrs())
		}
		d.log.Info("ready", append([]any{"sessions", d.table.View().Len(), "state", d.state}, addresses...)...)
		d.service.SetReady(d.reasons())
	})
	d.log.Info("ended")
	return err
}

// watchStore ends the daemon when the store fails. A restart recovers: everything that was answered
// is on disk, and NASes retransmit the rest.
func (d *daemon) watchStore(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-d.store.Failed():
		return d.store.Err()
	}
}

// checkEvery is the interval between checks whether removed methods are still used.
const checkEvery = time.Second

// serveReloads runs the accounting methods, and loads the configuration again at each SIGHUP. It
// ends when all methods have ended.
func (d *daemon) serveReloads(ctx context.Context, hup <-chan os.Signal, first methods.Change) error {
	delivering, endDelivery := context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		d.readiness.ending.Store(true)
		d.service.SetEnding(d.offTime())
		d.servers.End() // before the groups of servers end
		d.stateChanges.Flush()
		d.conditions.Flush()
		endDelivery()
		d.awaitMethods(hup)
	}()
	d.methods.Apply(ctx, first, onoff.TriggerStartUp)
	d.methods.Deliver(delivering)
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-d.methods.Failed():
			return err
		case <-tick.C:
			d.methods.CheckRemoved(ctx)
			_ = d.overlays.file.Retry() // restoreOverlay has logged the error
		case r := <-d.overlays.queue.Requests():
			r.Done(d.serveOverlay(ctx, r))
		case <-hup:
			d.service.BeginReload()
			err := d.reload(ctx)
			d.reloads.count(err)
			if err != nil {
				logErrors(d.log, "configuration not loaded; the previous one stays in use", err)
			} else {
				d.log.Info("configuration loaded")
			}
			// Even if the configuration was refused: logrotate(8) has renamed the file, and would
			// compress and remove what follows.
			d.methods.Reopen()
			d.service.EndReload(err)
		}
	}
}

// awaitMethods returns when all methods have ended. Until then it refuses changes of the
// configuration.
func (d *daemon) awaitMethods(hup <-chan os.Signal) {
	defer d.overlays.queue.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.methods.Wait()
	}()
	for {
		select {
		case <-ended:
			return
		case <-hup:
			d.log.Warn("configuration not loaded: the daemon is ending")
		case r := <-d.overlays.queue.Requests():
			r.Done(d.refuseOverlay(r))
		}
	}
}
