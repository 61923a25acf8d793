package main

import (
	"context"
	"errors"

	"aaasess/agent/agentx"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/statechange"
	"aaasess/cmd/internal/version"
	"aaasess/mib"
	"aaasess/mib/aaasess"
	"aaasess/mib/cas"
	"aaasess/mib/casn"
	"aaasess/mib/radiusclient"
)

// modules returns the MIB modules that the responder and the master agent serve.
func (d *daemon) modules() []mib.Part {
	modules := []mib.Part{
		casn.New(casn.Config{Disconnect: d.mayDisconnect.Load, ClientName: d.clientName, Logger: d.log}, d.table, d.terminator),
		cas.New(cas.Config{
			View: d.serverView, Writable: d.overlays.mayConfigure.Load, Overlay: d.overlay, Check: d.checkOverlay, Apply: d.applyOverlay, Restore: d.undoOverlay,
			GlobalKey: d.hasSecret, StateChangeEnabled: d.stateChangeEnabled, SetStateChangeEnabled: d.setStateChangeEnabled, Logger: d.log,
		}),
		radiusclient.NewAcc(d.serverView),
		radiusclient.NewDynAuth(d.disconnector.NASView),
		aaasess.New(d.cfg.SNMP.EnterpriseNumber, d.ownView),
	}
	if d.authentication != nil {
		modules = append(modules, radiusclient.NewAuth(d.serverView))
	}
	return modules
}

// openSNMP opens the responder and the subagent of the configuration. Both serve the same modules.
func (d *daemon) openSNMP(cfg *config.Config) error {
	modules := d.modules()
	if cfg.SNMP.Responder != nil {
		if err := d.openSNMPEngine(cfg, modules...); err != nil {
			return err
		}
	}
	if ax := cfg.SNMP.AgentX; ax != nil {
		tree, err := mib.New(modules...)
		if err != nil {
			return err
		}
		ac := *ax
		ac.Description, ac.ID, ac.Logger = "aaasess "+version.String(), casn.Root, d.log
		d.subagent = agentx.New(ac, tree)
	}
	return nil
}

// newStateChanges returns what tells managers of the changes of servers' states.
func (d *daemon) newStateChanges(cfg *config.Config) *statechange.Teller {
	return statechange.New(statechange.Config{Enabled: d.stateChangeEnabled, View: d.serverView, Ways: d.notificationWays(cfg)})
}

// notificationWays returns the ways out for notifications of a configuration. Nobody may use them before
// openSNMP.
func (d *daemon) notificationWays(cfg *config.Config) (ways statechange.Ways) {
	if cfg.SNMP.Responder != nil {
		ways.Notify = func(trap mib.OID, vbs ...mib.Varbind) error { return d.snmp.notifier.Notify(trap, vbs...) }
	}
	if cfg.SNMP.AgentX != nil {
		ways.Master = d.notifyMaster
	}
	return ways
}

// notifyMaster passes a notification to the master agent. If the connection is lost before the answer, it
// passes it again to the next one: a copy is better than a notification that is missing.
func (d *daemon) notifyMaster(ctx context.Context, trap mib.OID, vbs []mib.Varbind) error {
	for {
		err := d.subagent.Notify(ctx, withTrapOID(trap, vbs))
		if !errors.Is(err, agentx.ErrDisconnected) {
			return err
		}
	}
}
