package config

import (
	"fmt"

	"aaasess/accounting/onoff"
)

// onOffGroups returns the acct-on-off-groups. It checks the groups that control and monitor each
// (S3).
func (d checker) onOffGroups(raw *rawRADIUS) onoff.Groups {
	names, byName, controlled := d.Unique(), map[nameText]*onoff.Group{}, map[nameText]bool{}
	groups := make(onoff.Groups, len(raw.AcctOnOffGroups))
	for i, r := range raw.AcctOnOffGroups {
		names.Check(fmt.Sprintf("radius.acct-on-off-groups[%d].name", i), string(r.Name), "the name of")
		groups[i] = onoff.Group{Name: string(r.Name), Description: r.Description}
		byName[r.Name] = &groups[i]
	}
	controllers := d.Unique()
	for i, g := range raw.Groups {
		on, path := g.AcctOnOff, acctOnOffPath(i)
		if on == nil || on.Group == "" {
			continue
		}
		group, exists := byName[on.Group]
		switch {
		case on.MonitorGroup != "":
			d.Fault(path+".monitor-group", "a group either controls an acct-on-off-group or monitors one")
		case !exists:
			d.Fault(path+".group", "no acct-on-off-group is called %s", on.Group)
		case !on.OperStateChange && !d.Faulty(path+".oper-state-change"): // S3: group needs oper-state-change
			d.Fault(path+".group", "has no effect without oper-state-change: true: the groups that monitor it would never be blocked")
		}
		controllers.Check(path+".group", string(on.Group), "controlled in")
		controlled[on.Group] = true
		if exists {
			group.Controller = string(g.Name)
		}
	}
	for i, g := range raw.Groups {
		on, path := g.AcctOnOff, acctOnOffPath(i)
		if on == nil || on.MonitorGroup == "" {
			continue
		}
		if on.OperStateChange {
			d.Fault(path+".oper-state-change", "is not allowed with monitor-group: this group sends no Accounting-On of its own")
		}
		group, exists := byName[on.MonitorGroup]
		switch {
		case !exists:
			d.Fault(path+".monitor-group", "no acct-on-off-group is called %s", on.MonitorGroup)
		case !controlled[on.MonitorGroup]:
			d.Fault(path+".monitor-group", "no group controls %s: this group would be blocked forever", on.MonitorGroup)
		default:
			group.Monitors = append(group.Monitors, string(g.Name))
		}
	}
	return groups
}

func acctOnOffPath(group int) string { return fmt.Sprintf("radius.groups[%d].acct-on-off", group) }
