package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/accounting/methods"
	"aaasess/accounting/onoff"
	"aaasess/cmd/aaasessd/internal/acctcontrol"
	"aaasess/cmd/aaasessd/internal/authgroups"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/overlay"
	"aaasess/internal/servers"
)

// overlayFile is the file in the state folder that has what managers change by SETs of
// CISCO-AAA-SERVER-MIB.
const overlayFile = "server-overlay"

// maxGivenUp is how many entries that were given up are remembered for "show server-group".
const maxGivenUp = 128

// overlays is what managers have changed of the servers, on top of the configuration file. The
// goroutine of serveReloads makes all changes.
type overlays struct {
	file  *overlay.File
	set   func(servers.Overlay) error // of file; tests make it slow
	queue *overlay.Queue
	inUse atomic.Pointer[overlaid]
	// atStart are entries that do not fit the configuration of the start. run gives them up: if the
	// start fails, nothing is given up.
	atStart []*overlay.GivenUp

	mayConfigure atomic.Bool // snmp.aaa-server-config

	mu      sync.Mutex // guards givenUp
	givenUp []*overlay.GivenUp
}

// overlaid is the configuration of a file with an overlay. Nothing in it changes.
type overlaid struct {
	*config.Config
	file    *config.Config
	overlay servers.Overlay
}

// openOverlay reads the overlay and returns the configuration of the file with it.
func (d *daemon) openOverlay(cfg *config.Config) (*config.Config, error) {
	file, err := overlay.Open(filepath.Join(cfg.State, overlayFile), d.log)
	if err != nil {
		return nil, err
	}
	o := &d.overlays
	o.file, o.set, o.queue = file, file.SetOverlay, overlay.NewQueue()
	merged, applied, givenUp := overlay.Merge(cfg, file.Overlay())
	if len(applied.Created)+len(applied.Destroyed) > 0 {
		d.log.Info("SNMP managers have changed the servers of the configuration", "created", len(applied.Created), "destroyed", len(applied.Destroyed))
	}
	d.setConfig(cfg, merged, applied)
	o.atStart = givenUp
	return merged, nil
}

// setConfig sets the configuration that is in use: that of a file, merged with an overlay.
func (d *daemon) setConfig(file, merged *config.Config, applied servers.Overlay) {
	d.cfg = merged
	d.overlays.inUse.Store(&overlaid{merged, file, applied})
	d.overlays.mayConfigure.Store(merged.SNMP.AAAServerConfig)
}

// giveUp takes the entries that do not fit the file of the configuration in use out of the overlay
// file, for good.
func (d *daemon) giveUp(givenUp []*overlay.GivenUp) {
	if len(givenUp) == 0 {
		return
	}
	for _, g := range givenUp {
		d.log.Warn("snmp: a change that a manager has made is given up, because of the configuration file", "err", g)
	}
	o := &d.overlays
	o.mu.Lock()
	o.givenUp = append(o.givenUp, givenUp...)
	o.givenUp = o.givenUp[max(0, len(o.givenUp)-maxGivenUp):]
	o.mu.Unlock()
	d.restoreOverlay()
}

// restoreOverlay writes the overlay that is in use to its file. If the disk does not accept that,
// serveReloads tries again.
func (d *daemon) restoreOverlay() {
	if err := d.overlays.file.Restore(d.overlay()); err != nil {
		d.log.Error("snmp: the file of the servers that managers have changed is not up to date; it is written again later", "err", err)
	}
}

// overlay returns what managers have changed of the servers.
func (d *daemon) overlay() servers.Overlay { return d.overlays.inUse.Load().overlay }

// identities returns all servers that are in use. Each change of the configuration makes a new slice;
// none is written to.
func (d *daemon) identities() []servers.Identity { return d.overlays.inUse.Load().Servers }

// hasSecret reports whether the configuration has a secret for all servers of a protocol.
func (d *daemon) hasSecret(p servers.Protocol) bool { return d.overlays.inUse.Load().HasSecret(p) }

// stateChangeEnabled returns casServerStateChangeEnable.
func (d *daemon) stateChangeEnabled() bool { return d.overlays.file.StateChangeEnabled() }

// setStateChangeEnabled sets casServerStateChangeEnable. It is on the disk then.
func (d *daemon) setStateChangeEnabled(on bool) error {
	return d.overlays.file.SetStateChangeEnabled(on)
}

// managed returns what managers have changed of the servers, for the control socket.
func (d *daemon) managed() acctcontrol.Managed {
	o := &d.overlays
	o.mu.Lock()
	defer o.mu.Unlock()
	return acctcontrol.Managed{Overlay: d.overlay(), GivenUp: slices.Clone(o.givenUp)}
}

// checkOverlay returns the error that applyOverlay would return for an entry that does not fit the
// configuration, and changes nothing.
func (d *daemon) checkOverlay(next servers.Overlay) error {
	if _, _, givenUp := overlay.Merge(d.overlays.inUse.Load().file, next); len(givenUp) > 0 {
		return givenUp[0]
	}
	return nil
}

// applyOverlay changes the servers to those of an overlay. When it returns nil, they are in use and on
// the disk; after an error nothing has changed. The error is an [overlay.GivenUp] for an entry that
// does not fit the configuration. It returns within limit: a change that is late is undone.
func (d *daemon) applyOverlay(next servers.Overlay, limit time.Duration) error {
	return d.overlays.queue.Apply(next, limit)
}

// undoOverlay changes the servers back to those of an overlay, however long that takes. After an error
// they are not on the disk, or not in use.
func (d *daemon) undoOverlay(before servers.Overlay) error { return d.overlays.queue.Restore(before) }

// serveOverlay carries out a change of the servers, all or nothing. It uses the configuration file as
// it was loaded.
func (d *daemon) serveOverlay(ctx context.Context, r *overlay.Request) error {
	file := d.overlays.inUse.Load().file
	cfg, applied, givenUp := overlay.Merge(file, r.Next)
	if len(givenUp) > 0 {
		return givenUp[0]
	}
	change, err := d.prepareServers(cfg)
	if err != nil {
		return err
	}
	var notWritten error
	if r.Undo {
		notWritten = d.overlays.file.Restore(applied) // serveReloads tries again
	} else if err := d.overlays.set(applied); err != nil {
		change.discard()
		return err
	}
	if !r.Begin() {
		change.discard()
		d.restoreOverlay()
		return overlay.ErrLate
	}
	if err = d.dynAuth.setServers(cfg); err == nil {
		if err = d.authentication.apply(cfg, change.authentication); err != nil {
			err = errors.Join(err, d.dynAuth.setServers(d.cfg))
		}
	}
	if err != nil {
		// Does not happen: the configuration is valid.
		change.methods.Discard()
		d.restoreOverlay()
		return err
	}
	d.setServers(file, cfg)
	d.methods.Apply(ctx, change.methods, onoff.TriggerConfigChange)
	d.setConfig(file, cfg, applied)
	return notWritten
}

// refuseOverlay refuses a change because the daemon is ending. What is undone is written, so that the
// next daemon has it.
func (d *daemon) refuseOverlay(r *overlay.Request) error {
	if r.Undo {
		return errors.Join(overlay.ErrEnding, d.overlays.file.Restore(r.Next))
	}
	return overlay.ErrEnding
}

// serverChange is a prepared change of the servers and their groups.
type serverChange struct {
	methods        methods.Change
	authentication *authgroups.Change
	discard        func() // closes what was opened for it
}

// prepareServers prepares that the servers and their groups are those of a configuration.
func (d *daemon) prepareServers(cfg *config.Config) (serverChange, error) {
	change, err := d.methods.Prepare(cfg.Methods(d.radius, d.tacacs, d.dictionary.Load))
	if err != nil {
		return serverChange{}, err
	}
	groups, err := d.authentication.prepare(cfg)
	if err != nil {
		change.Discard()
		return serverChange{}, err
	}
	return serverChange{change, groups, func() {
		change.Discard()
		d.authentication.discard(groups)
	}}, nil
}
