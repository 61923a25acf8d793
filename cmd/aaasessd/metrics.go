package main

import (
	"aaasess/accounting"
	acctradius "aaasess/accounting/radius"
	accttacacs "aaasess/accounting/tacacs"
	"aaasess/cmd/aaasessd/internal/metrics"
	"aaasess/cmd/internal/version"
	"aaasess/internal/servers"
	"aaasess/sessions/admission"
	nasradius "aaasess/sessions/radius"
	"aaasess/sessions/radius/relay"
	"aaasess/store"
)

// metricSources returns where the metrics come from, when all parts are open.
func (d *daemon) metricSources() metrics.Sources {
	s := metrics.Sources{
		Version: version.Version(), Commit: version.Commit(), NotReady: d.notReady, Reasons: d.reasons, Reloads: d.reloads.status,
		Sessions:    d.sessionFigures,
		Accounting:  func() (nasradius.Stats, []nasradius.AnswerTime) { return d.listener.Stats(), d.listener.AnswerTimes() },
		Disconnects: d.disconnector.Stats,
		Servers:     d.serverView, Groups: d.serverGroups,
		Queues: d.methods.Queues, Methods: d.methods.Statuses, DeliveryTime: d.methods.DeliveryTime, Records: d.router.Stats,
		Interims: d.interims.Records, SetAside: func() uint64 { return accounting.NewSpool(d.store).Len() }, WaitingStops: d.table.WaitingStops,
		Store: func() store.Space { return d.store.Space() }, Damage: func() int { return len(d.store.Damage()) },
	}
	s.Conditions = d.conditionFigures
	if a := d.authentication; a != nil {
		s.Authentication = func() (nasradius.AuthStats, []nasradius.AnswerTime) {
			return a.listener.Stats(), a.listener.AnswerTimes()
		}
		s.Relay = func() (relay.Stats, admission.Stats) { return a.relay.Stats(), d.admissions.Stats() }
	}
	if a := d.dynAuth; a != nil {
		s.DynAuth = func() (nasradius.ChangeStats, []nasradius.AnswerTime) {
			return a.listener.Stats(), a.listener.AnswerTimes()
		}
		s.Changes = a.forwarder.Stats
	}
	if d.snmp != nil {
		s.SNMP, s.SNMPOperations, s.Notifications = d.snmp.responder.Stats, d.snmp.responder.Operations, d.snmp.notifier.Stats
	}
	if d.subagent != nil {
		s.AgentX, s.AgentXOperations = d.subagent.Stats, d.subagent.Operations
	}
	if d.local != nil {
		s.Local = d.local.Requests
	}
	return s
}

func (d *daemon) conditionFigures() metrics.Conditions {
	states, limits := d.conditions.States(), d.conditions.Limits()
	c := metrics.Conditions{SpoolOver: states.Spool, DiskShort: states.Disk, Records: limits.Records, Age: limits.Age, Blocked: make(map[string]bool, len(states.Methods))}
	for name, m := range states.Methods {
		c.Blocked[name] = m.Reason.Blocked()
	}
	return c
}

func (d *daemon) sessionFigures() metrics.Sessions {
	superseded := d.superseded.status()
	return metrics.Sessions{
		View: d.table.View(), Calls: d.table.Calls(), Groups: d.table.Groups(), Refusals: d.table.Refusals(), Stale: d.stale.Ended(),
		Superseded: map[string]uint64{
			"NAS-Port": superseded.NASPort, "Framed-IP-Address": superseded.FramedIPAddress,
			"Calling-Station-Id": superseded.CallingStationID, "Acct-Session-Id": superseded.AcctSessionID,
		},
		Stuck: d.terminator.Stuck(),
	}
}

// serverGroups returns the groups that run, for accounting, authentication or both, with their servers.
func (d *daemon) serverGroups() (all []metrics.Group) {
	known := map[string]bool{}
	for _, s := range d.methods.Statuses() {
		g := metrics.Group{Name: s.Spec.Name().Group()}
		switch spec := s.Spec.(type) {
		case *acctradius.Spec:
			g.Protocol = servers.RADIUS
			for _, m := range spec.Servers {
				g.Servers = append(g.Servers, m.Name)
			}
		case *accttacacs.Spec:
			g.Protocol = servers.TACACS
			for _, m := range spec.Servers {
				g.Servers = append(g.Servers, m.Name)
			}
		default:
			continue
		}
		known[g.Name] = true
		all = append(all, g)
	}
	for _, a := range d.authGroups() {
		if known[a.Config.Name] {
			continue
		}
		g := metrics.Group{Protocol: servers.RADIUS, Name: a.Config.Name}
		for _, m := range a.Config.Members {
			g.Servers = append(g.Servers, m.Name)
		}
		all = append(all, g)
	}
	return all
}
