package config

import "fmt"

func (d checker) acctOnOffGroups(raw []rawAcctOnOffGroup) []AcctOnOffGroup {
	names := d.Unique()
	groups := make([]AcctOnOffGroup, 0, len(raw))
	for i, r := range raw {
		names.Check(fmt.Sprintf("radius.acct-on-off-groups[%d].name", i), string(r.Name), "the name of")
		groups = append(groups, AcctOnOffGroup{Name: string(r.Name), Description: r.Description})
	}
	return groups
}

// acctOnOff checks who controls and who monitors an acct-on-off-group (S3).
func (d checker) acctOnOff(c *RADIUS) {
	exists, controlled := map[string]bool{}, map[string]bool{}
	for _, g := range c.AcctOnOffGroups {
		exists[g.Name] = true
	}
	controllers := d.Unique()
	for i, g := range c.Groups {
		on, path := g.AcctOnOff, acctOnOffPath(i)
		if on == nil || on.Group == "" {
			continue
		}
		switch {
		case on.MonitorGroup != "":
			d.Fault(path+".monitor-group", "a group either controls an acct-on-off-group or monitors one")
		case !exists[on.Group]:
			d.Fault(path+".group", "no acct-on-off-group is called %s", on.Group)
		case !on.OperStateChange && !d.Faulty(path+".oper-state-change"): // S3 has the one only with the other
			d.Fault(path+".group", "is of no use without oper-state-change: true: the groups that monitor it would never be blocked")
		}
		controllers.Check(path+".group", on.Group, "controlled in")
		controlled[on.Group] = true
	}
	for i, g := range c.Groups {
		on, path := g.AcctOnOff, acctOnOffPath(i)
		if on == nil || on.MonitorGroup == "" {
			continue
		}
		if on.OperStateChange {
			d.Fault(path+".oper-state-change", "is for groups that send an Accounting-On; with monitor-group none is sent")
		}
		switch {
		case !exists[on.MonitorGroup]:
			d.Fault(path+".monitor-group", "no acct-on-off-group is called %s", on.MonitorGroup)
		case !controlled[on.MonitorGroup]:
			d.Fault(path+".monitor-group", "no group controls %s: this one would be blocked for ever", on.MonitorGroup)
		}
	}
}

func acctOnOffPath(group int) string { return fmt.Sprintf("radius.groups[%d].acct-on-off", group) }
