package config

import (
	"fmt"
	"slices"
	"strings"

	"aaasess/agent/snmp/vacm"
	"aaasess/agent/snmp/wire"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/mib"
)

// maxViewOID is the largest number of sub-identifiers in a subtree of a view. An instance of
// vacmViewTreeFamilyTable has it in its OID, with the 12 of the column, a name of 32 and two
// lengths.
const maxViewOID = mib.MaxSubIDs - 12 - 32 - 2

// The names of the views that always exist.
const (
	ViewAll      = "all"      // all of internet, 1.3.6.1
	ViewCommon   = "common"   // ViewAll without the modules about users, groups, communities and targets
	ViewSessions = "sessions" // CISCO-AAA-SESSION-MIB and the system group
)

// impliedViews are the views that always exist.
func impliedViews() []rawView {
	internet := mib.MustOID("1.3.6.1")
	// SNMP-TARGET-, -NOTIFICATION-, -USER-BASED-SM-, -VIEW-BASED-ACM- and -COMMUNITY-MIB
	var administration []mib.OID
	for _, module := range []uint32{12, 13, 15, 16, 18} {
		administration = append(administration, internet.Append(6, 3, module))
	}
	return []rawView{
		{Name: ViewAll, Include: []mib.OID{internet}},
		{Name: ViewCommon, Include: []mib.OID{internet}, Exclude: administration},
		{Name: ViewSessions, Include: []mib.OID{mib.MustOID("1.3.6.1.4.1.9.9.150.1"), mib.MustOID("1.3.6.1.2.1.1")}},
	}
}

// view is a view of the file or an implied one. View is nil if its subtrees have faults.
type view struct {
	name viewText
	*vacm.View
}

func indexOf(views []view, name viewText) int {
	return slices.IndexFunc(views, func(v view) bool { return v.name == name })
}

// views returns the implied views and then those of the file.
func (d checker) views(raw []rawView) []view {
	var views []view
	for _, r := range impliedViews() {
		views = append(views, newView(r))
	}
	names := d.Unique()
	for i, r := range raw {
		path := fmt.Sprintf("snmp.responder.views[%d]", i)
		switch r.Name {
		case ViewAll, ViewCommon, ViewSessions:
			d.Fault(path+".name", "the view %s always exists and is not listed", r.Name)
		}
		names.Check(path+".name", string(r.Name), "the name of")
		subtrees := d.Unique()
		d.checkSubtrees(path+".include", r.Include, subtrees)
		d.checkSubtrees(path+".exclude", r.Exclude, subtrees)
		views = append(views, newView(r))
	}
	return views
}

func (d checker) checkSubtrees(path string, oids []mib.OID, seen strictyaml.Unique) {
	for i, oid := range oids {
		path := fmt.Sprintf("%s[%d]", path, i)
		seen.Check(path, strings.TrimPrefix(oid.String(), "."), "in")
		if len(oid) > maxViewOID {
			d.Fault(path, "has %d numbers, at most %d are possible in a view", len(oid), maxViewOID)
		}
	}
}

func newView(r rawView) view {
	var families []vacm.Family
	for _, oid := range r.Include {
		families = append(families, vacm.Family{Subtree: oid})
	}
	for _, oid := range r.Exclude {
		families = append(families, vacm.Family{Subtree: oid, Excluded: true})
	}
	v, err := vacm.NewView(string(r.Name), families)
	if err != nil || len(r.Include) == 0 { // reported already
		v = nil
	}
	return view{viewText(r.Name), v}
}

// newPolicy returns the access control tables of RFC 3415. Entries below authPriv have a write view
// only with allow-insecure-set. Entries of users at noAuthNoPriv never have one.
func newPolicy(r *rawResponder, views []view) (*vacm.Policy, error) {
	byName := map[viewText]*vacm.View{}
	var list []*vacm.View
	for _, v := range views {
		byName[v.name], list = v.View, append(list, v.View)
	}
	entry := func(g rawAccessGroup, model wire.SecurityModel, level wire.SecurityLevel) vacm.AccessEntry {
		e := vacm.AccessEntry{Group: string(g.Name), Model: model, Level: level, Read: byName[g.Read], Notify: byName[g.Notify]}
		if level == wire.AuthPriv || r.AllowInsecureSet && (model != wire.ModelUSM || level == wire.AuthNoPriv) {
			e.Write = byName[g.Write]
		}
		return e
	}
	var access []vacm.AccessEntry
	for _, g := range r.Groups {
		if hasV1(r.Communities, g.Name) {
			access = append(access, entry(g, wire.ModelV1, wire.NoAuthNoPriv))
		}
		access = append(access, entry(g, wire.ModelV2c, wire.NoAuthNoPriv))
		for level := g.Level; level <= wire.AuthPriv; level++ {
			access = append(access, entry(g, wire.ModelUSM, level))
		}
	}
	var members []vacm.Member
	var communities []vacm.Community
	seen := map[vacm.Member]bool{}
	for _, c := range r.Communities {
		name := string(c.securityName())
		for _, model := range c.models() {
			m := vacm.Member{Model: model, SecurityName: name, Group: string(c.Group)}
			if !seen[m] {
				seen[m], members = true, append(members, m)
			}
		}
		communities = append(communities, vacm.Community{Name: string(c.Community), SecurityName: name, From: c.From, Models: c.models()})
	}
	for _, u := range r.Users {
		members = append(members, vacm.Member{Model: wire.ModelUSM, SecurityName: u.Name, Group: string(u.Group)})
	}
	return vacm.New(list, access, members, communities)
}

// hasV1 reports whether a community of a group lists v1.
func hasV1(communities []rawCommunity, group shortName) bool {
	return slices.ContainsFunc(communities, func(c rawCommunity) bool {
		return c.Group == group && slices.Contains(c.models(), wire.ModelV1)
	})
}
