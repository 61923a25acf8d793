package snmpmib

import (
	"time"

	"aaasess/mib"
)

var (
	systemRoot = mib.MustOID("1.3.6.1.2.1.1")
	sysOREntry = systemRoot.Append(9, 1)
)

// ownORs returns the rows of sysORTable for the modules of this package. If a module requires
// writable objects that are read-only here, its row names the implemented groups, not the
// compliance statement.
func ownORs() []mib.Identity {
	return []mib.Identity{
		{ID: mib.MustOID("1.3.6.1.6.3.1"), Descr: "SNMPv2-MIB: the agent and its SNMP traffic (RFC 3418)"},
		{ID: mib.MustOID("1.3.6.1.6.3.10.3.1.1"), Descr: "SNMP-FRAMEWORK-MIB: the SNMP engine (RFC 3411)"},
		{ID: mib.MustOID("1.3.6.1.6.3.11.3.1.1"), Descr: "SNMP-MPD-MIB: message processing (RFC 3412)"},
		{ID: mib.MustOID("1.3.6.1.6.3.12.3.1.1"), Descr: "SNMP-TARGET-MIB: requests for contexts that are not here (RFC 3413)"},
		{ID: mib.MustOID("1.3.6.1.6.3.12.3.2.1"), Descr: "SNMP-TARGET-MIB: where notifications go, read-only (RFC 3413)"},
		{ID: mib.MustOID("1.3.6.1.6.3.13.3.2.1"), Descr: "SNMP-NOTIFICATION-MIB: who gets notifications, read-only (RFC 3413)"},
		{ID: mib.MustOID("1.3.6.1.6.3.15.2.2.1"), Descr: "SNMP-USER-BASED-SM-MIB: the users, read-only (RFC 3414)"},
		{ID: mib.MustOID("1.3.6.1.6.3.16.2.2.1"), Descr: "SNMP-VIEW-BASED-ACM-MIB: who may see what, read-only (RFC 3415)"},
		{ID: mib.MustOID("1.3.6.1.6.3.18.2.1.1"), Descr: "SNMP-COMMUNITY-MIB: the communities, read-only (RFC 3584)"},
	}
}

type systemState struct {
	*System
	up uint32 // sysUpTime, centiseconds
}

// system is the system group (RFC 3418 section 2).
func system(cfg Config) *mib.Module[*systemState] {
	type state = *systemState
	text := func(sub uint32, name string, configured func(*System) string) mib.Scalar[state] {
		return scalar(systemRoot, sub, name, mib.OctetString, mib.ReadWrite, func(s state, v *mib.Value) {
			v.SetOctets(cfg.Settings.text(s.System, name, configured(s.System)))
		})
	}
	// The rows exist from the start, so sysORLastChange and sysORUpTime are 0.
	zeroTicks := func(_ state, v *mib.Value) { v.SetTimeTicks(0) }

	type or = mib.Identity
	var ors []entry[or]
	for i, id := range append(ownORs(), cfg.Modules...) {
		ors = append(ors, entry[or]{mib.OID{uint32(i + 1)}, id})
	}
	rows := newTable(sysOREntry, ors)
	sysOR := columns[state, or]{sysOREntry, rowsOf(func(state) table[or] { return rows })}

	return &mib.Module[state]{
		Name: "SNMPv2-MIB", Root: systemRoot,
		Pin:    func() state { return &systemState{cfg.System(), ticks(cfg.Engine.UpTime())} },
		Writer: newSettingsWriter(cfg),
		Objects: []mib.Object[state]{
			scalar(systemRoot, 1, "sysDescr", mib.OctetString, mib.ReadOnly, func(s state, v *mib.Value) { v.SetOctets(s.Descr) }),
			scalar(systemRoot, 2, "sysObjectID", mib.ObjectIdentifier, mib.ReadOnly, sysObjectID),
			scalar(systemRoot, 3, "sysUpTime", mib.TimeTicks, mib.ReadOnly, func(s state, v *mib.Value) { v.SetTimeTicks(s.up) }),
			text(4, sysContact, func(s *System) string { return s.Contact }),
			text(5, sysName, func(s *System) string { return s.Name }),
			text(6, sysLocation, func(s *System) string { return s.Location }),
			scalar(systemRoot, 7, "sysServices", mib.Integer32, mib.ReadOnly, func(s state, v *mib.Value) { v.SetInteger32(int32(s.Services)) }),
			scalar(systemRoot, 8, "sysORLastChange", mib.TimeTicks, mib.ReadOnly, zeroTicks),
			sysOR.col(2, "sysORID", mib.ObjectIdentifier, mib.ReadOnly, func(r *or, v *mib.Value) { v.SetOID(r.ID) }),
			sysOR.col(3, "sysORDescr", mib.OctetString, mib.ReadOnly, func(r *or, v *mib.Value) { v.SetOctets(r.Descr) }),
			sysOR.col(4, "sysORUpTime", mib.TimeTicks, mib.ReadOnly, func(_ *or, v *mib.Value) { v.SetTimeTicks(0) }),
		},
	}
}

func sysObjectID(s *systemState, v *mib.Value) {
	if len(s.ObjectID) == 0 {
		v.SetOID(zeroDotZero)
	} else {
		v.SetOID(s.ObjectID)
	}
}

// ticks converts a duration to TimeTicks, which wrap after 497 days.
func ticks(d time.Duration) uint32 { return uint32(d / (10 * time.Millisecond)) }
