package main

import (
	"slices"

	"aaasess/accounting"
	"aaasess/accounting/local"
	"aaasess/accounting/methods"
	"aaasess/accounting/onoff"
	acctradius "aaasess/accounting/radius"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/retry"
)

// newMethods translates what is configured of accounting methods. servers has the servers, names gives the
// dictionary of the day.
func newMethods(cfg *config.Config, servers *client.Client, names func() *radius.Dictionary) (methods.Config, error) {
	out := methods.Config{Lists: map[string][]accounting.MethodName{}, OnOffGroups: newOnOffGroups(cfg)}
	identity := radius.Attributes(radius.AppendAttribute(nil, radius.NASIdentifier, cfg.RADIUS.NASIdentifier))
	for i := range cfg.RADIUS.Groups {
		spec, err := newGroup(&cfg.RADIUS.Groups[i], identity)
		if err != nil {
			return methods.Config{}, err
		}
		spec.Client = servers
		out.Specs = append(out.Specs, spec)
	}
	usesLocal := false
	for _, l := range cfg.Accounting.Lists {
		names := methodNames(l)
		usesLocal = usesLocal || slices.Contains(names, accounting.Local)
		if l.Record != accounting.None.String() {
			out.Lists[l.Type+"/"+l.Name] = names
		}
	}
	if usesLocal {
		out.Specs = append(out.Specs, local.Spec{File: cfg.Accounting.Local.File, Names: names})
	}
	return out, nil
}

func methodNames(l config.List) []accounting.MethodName {
	var names []accounting.MethodName
	for _, m := range l.Methods {
		names = append(names, accounting.MethodName(m))
	}
	return names
}

func newOnOffGroups(cfg *config.Config) onoff.Groups {
	var out onoff.Groups
	for _, og := range cfg.RADIUS.AcctOnOffGroups {
		group := onoff.Group{Name: og.Name, Description: og.Description}
		for _, g := range cfg.RADIUS.Groups {
			switch {
			case g.AcctOnOff == nil:
			case g.AcctOnOff.Group == og.Name:
				group.Controller = g.Name
			case g.AcctOnOff.MonitorGroup == og.Name:
				group.Monitors = append(group.Monitors, g.Name)
			}
		}
		out = append(out, group)
	}
	return out
}

// newGroup translates a server group. identity is what it says of us in Accounting-On and -Off.
func newGroup(g *config.Group, identity radius.Attributes) (*acctradius.Spec, error) {
	algorithm, err := client.ParseAlgorithm(g.AccessAlgorithm)
	if err != nil {
		return nil, err
	}
	spec := &acctradius.Spec{
		Group: g.Name, Description: g.Description, Algorithm: algorithm, Source: g.SourceAddress, HoldDown: g.HoldDown,
		DeadCriteria: client.DeadCriteria(g.DeadCriteria), Window: g.Window, DrainRate: float64(g.DrainRate),
	}
	for _, s := range g.Servers {
		spec.Servers = append(spec.Servers, client.Member{
			Identity: client.Identity{Name: s.Name, Host: s.Host, Port: s.Port, Secret: radius.Secret(s.Secret)},
			Schedule: retry.Schedule{
				Timeout: s.Timeout, Retransmit: s.Retransmit, MaxDelay: s.Backoff.MaxDelay, BackoffRetry: s.Backoff.Retry,
			},
		})
	}
	switch on := g.AcctOnOff; {
	case on == nil:
	case on.MonitorGroup != "":
		spec.MonitorGroup = on.MonitorGroup
	default:
		spec.AcctOnOff = &accounting.OnOff{Attributes: identity, Blocks: on.OperStateChange, Controls: on.Group}
	}
	return spec, nil
}
