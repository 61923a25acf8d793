package snmpmib

import (
	"aaasess/agent/snmp/vacm"
	"aaasess/mib"
)

var (
	vacmRoot     = mib.MustOID("1.3.6.1.6.3.16.1")
	contextEntry = vacmRoot.Append(1, 1)
	memberEntry  = vacmRoot.Append(2, 1)
	accessEntry  = vacmRoot.Append(4, 1)
	vacmMIBViews = vacmRoot.Append(5)
	familyEntry  = vacmMIBViews.Append(2, 1)
)

// The values of vacmAccessContextMatch and vacmViewTreeFamilyType that this agent uses.
const (
	matchExact     = 1
	familyIncluded = 1
	familyExcluded = 2
)

// vacmState has the tables of one policy.
type vacmState struct {
	contexts table[struct{}]
	members  table[vacm.Member]
	access   table[vacmAccess]
	families table[vacm.Family]
}

// vacmAccess is a row of vacmAccessTable, with the names of its views; "" means no view.
type vacmAccess struct{ read, write, notify string }

// vacmMIB is SNMP-VIEW-BASED-ACM-MIB (RFC 3415 section 4).
func vacmMIB(cfg Config) *mib.Module[*vacmState] {
	type state = *vacmState
	spinLock := newSpinLock()
	policies := &derived[vacm.Policy, vacmState]{build: policyRows}

	context := columns[state, struct{}]{contextEntry, rowsOf(func(s state) table[struct{}] { return s.contexts })}
	member := columns[state, vacm.Member]{memberEntry, rowsOf(func(s state) table[vacm.Member] { return s.members })}
	access := columns[state, vacmAccess]{accessEntry, rowsOf(func(s state) table[vacmAccess] { return s.access })}
	family := columns[state, vacm.Family]{familyEntry, rowsOf(func(s state) table[vacm.Family] { return s.families })}

	return &mib.Module[state]{
		Name: "SNMP-VIEW-BASED-ACM-MIB", Root: vacmRoot,
		Pin: func() state { return policies.get(cfg.Policy()) },
		Objects: []mib.Object[state]{
			context.col(1, "vacmContextName", mib.OctetString, mib.ReadOnly, func(_ *struct{}, v *mib.Value) { v.SetOctets("") }),
			member.octets(3, "vacmGroupName", func(r *vacm.Member) string { return r.Group }),
			member.integer(4, "vacmSecurityToGroupStorageType", storageReadOnly),
			member.integer(5, "vacmSecurityToGroupStatus", statusActive),
			access.integer(4, "vacmAccessContextMatch", matchExact),
			access.octets(5, "vacmAccessReadViewName", func(r *vacmAccess) string { return r.read }),
			access.octets(6, "vacmAccessWriteViewName", func(r *vacmAccess) string { return r.write }),
			access.octets(7, "vacmAccessNotifyViewName", func(r *vacmAccess) string { return r.notify }),
			access.integer(8, "vacmAccessStorageType", storageReadOnly),
			access.integer(9, "vacmAccessStatus", statusActive),
			scalar(vacmMIBViews, 1, "vacmViewSpinLock", mib.Integer32, mib.ReadWrite, func(_ state, v *mib.Value) { v.SetInteger32(spinLock) }),
			family.octets(3, "vacmViewTreeFamilyMask", func(*vacm.Family) string { return "" }), // all ones
			family.col(4, "vacmViewTreeFamilyType", mib.Integer32, mib.ReadWrite, familyType),
			family.integer(5, "vacmViewTreeFamilyStorageType", storageReadOnly),
			family.integer(6, "vacmViewTreeFamilyStatus", statusActive),
		},
	}
}

func familyType(f *vacm.Family, v *mib.Value) {
	if f.Excluded {
		v.SetInteger32(familyExcluded)
	} else {
		v.SetInteger32(familyIncluded)
	}
}

// policyRows builds the rows of all tables.
func policyRows(p *vacm.Policy) *vacmState {
	var (
		members  []entry[vacm.Member]
		access   []entry[vacmAccess]
		families []entry[vacm.Family]
	)
	for _, m := range p.Members() {
		members = append(members, entry[vacm.Member]{appendName(mib.OID{uint32(m.Model)}, m.SecurityName), m})
	}
	for _, e := range p.Entries() {
		index := appendName(appendName(nil, e.Group), "") // vacmAccessContextPrefix: there is one context
		access = append(access, entry[vacmAccess]{
			append(index, uint32(e.Model), uint32(e.Level)),
			vacmAccess{e.Read.Name(), e.Write.Name(), e.Notify.Name()},
		})
	}
	for _, v := range p.Views() {
		for _, f := range v.Families() {
			index := append(appendName(nil, v.Name()), uint32(len(f.Subtree)))
			families = append(families, entry[vacm.Family]{append(index, f.Subtree...), f})
		}
	}
	return &vacmState{
		contexts: newTable(contextEntry, []entry[struct{}]{{index: appendName(nil, "")}}),
		members:  newTable(memberEntry, members),
		access:   newTable(accessEntry, access),
		families: newTable(familyEntry, families),
	}
}
