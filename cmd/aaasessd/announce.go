package main

import (
	"context"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/onoff"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
)

// onOffConfig is what Accounting-On and -Off are sent with, besides what the groups say (R63).
type onOffConfig struct {
	nasIdentifier string
	groups        onoff.Groups
	descriptions  map[string]string // of groups
}

func newOnOffConfig(cfg *config.Config) onOffConfig {
	c := onOffConfig{nasIdentifier: cfg.RADIUS.NASIdentifier, descriptions: map[string]string{}}
	for _, og := range cfg.RADIUS.AcctOnOffGroups {
		group := onoff.Group{Name: og.Name}
		for _, g := range cfg.RADIUS.Groups {
			switch {
			case g.AcctOnOff == nil:
			case g.AcctOnOff.Group == og.Name:
				group.Controller = g.Name
			case g.AcctOnOff.MonitorGroup == og.Name:
				group.Monitors = append(group.Monitors, g.Name)
			}
		}
		c.groups = append(c.groups, group)
		c.descriptions[og.Name] = og.Description
	}
	return c
}

// differs reports whether what is made from spec announces itself otherwise than under another one.
func (c onOffConfig) differs(other onOffConfig, spec any) bool {
	g, ok := spec.(config.Group)
	return ok && announces(g) && c.nasIdentifier != other.nasIdentifier
}

// announces reports whether a group sends Accounting-On and -Off of its own.
func announces(g config.Group) bool { return g.AcctOnOff != nil && g.AcctOnOff.MonitorGroup == "" }

// part is an implementation of a method that runs, with the Accounting-On and -Off of its servers.
type part struct {
	made
	onOff  *onoff.Sender // nil: none is sent
	loaded time.Time     // when it was configured
	stop   context.CancelFunc
}

// newPart runs an implementation until its end is called; the context's end does not end it. The caller
// holds the lock.
func (m *methods) newPart(ctx context.Context, name accounting.MethodName, f made) *part {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	p := &part{made: f, loaded: time.Now(), stop: stop}
	m.tasks.Go(func() { m.report(f.impl.Run(ctx)) })
	g, ok := f.spec.(config.Group)
	if !ok || !announces(g) {
		return p
	}
	onOff, err := onoff.New(onoff.Config{
		Group: g.Name, AcctOnOffGroup: g.AcctOnOff.Group, Blocks: g.AcctOnOff.OperStateChange,
		Attributes: radius.Attributes(radius.AppendAttribute(nil, radius.NASIdentifier, m.onOff.nasIdentifier)),
		Logger:     m.log, Changed: func(onoff.Status) { m.holdAgain() },
	}, f.impl.(onoff.Announcer))
	if err != nil { // not with a NAS-Identifier
		m.report(err)
		return p
	}
	p.onOff = onOff
	m.tasks.Go(func() { m.report(onOff.Run(ctx)) })
	return p
}

// begin has the Accounting-On sent.
func (p *part) begin(trigger onoff.Trigger) {
	if p.onOff != nil {
		p.onOff.On(trigger)
	}
}

// abandoner is what gives up the records that are under way.
type abandoner interface{ Abandon() }

// end sends the Accounting-Off, waits until it is answered or had its chance with every server, and
// ends the implementation. A store that failed ends the daemon without it: NASes wait for the next one.
func (m *methods) end(p *part, trigger onoff.Trigger) {
	defer p.stop()
	if p.onOff == nil || m.store.Err() != nil {
		return
	}
	if a, ok := p.impl.(abandoner); ok {
		a.Abandon() // nothing of them is to follow the Off
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-m.store.Failed():
			cancel()
		case <-ctx.Done():
		}
	}()
	_ = p.onOff.Off(ctx, trigger, 0) // its end is logged, and nothing hangs on it
}

func (m *methods) holdAgain() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hold()
}

// hold tells the delivery for which methods records wait for an Accounting-On. The caller holds the lock.
func (m *methods) hold() {
	statuses := map[string]onoff.Status{}
	for name, r := range m.running {
		if r.onOff != nil {
			statuses[name.Group()] = r.onOff.Status()
		}
	}
	blocks := m.onOff.groups.Blocks(statuses)
	for _, g := range m.onOff.groups {
		if _, runs := statuses[g.Controller]; !runs { // not yet
			for _, name := range g.Monitors {
				blocks[name] = onoff.Block{Blocked: true}
			}
		}
	}
	for name := range m.running {
		hold := delivery.Open
		switch b := blocks[name.Group()]; {
		case b.Blocked && b.NoResponse:
			hold = delivery.Away
		case b.Blocked:
			hold = delivery.Held
		}
		m.delivery.SetHold(name, hold)
	}
}
