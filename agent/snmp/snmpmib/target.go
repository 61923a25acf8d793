package snmpmib

import "aaasess/mib"

var (
	targetRoot        = mib.MustOID("1.3.6.1.6.3.12.1")
	targetAddrEntry   = targetRoot.Append(2, 1)
	targetParamsEntry = targetRoot.Append(3, 1)
	notifyRoot        = mib.MustOID("1.3.6.1.6.3.13.1")
	notifyEntry       = notifyRoot.Append(1, 1)
)

// The values of snmpNotifyType.
const (
	notifyTypeTrap   = 1
	notifyTypeInform = 2
)

// targetState has the counters and the rows of SNMP-TARGET-MIB at one moment.
type targetState struct {
	Counts
	rows *adminRows
}

// targetMIB is SNMP-TARGET-MIB (RFC 3413 section 4.1). Reports of unknown contexts refer to its
// counters. snmpTargetSpinLock is in snmpTargetBasicGroup, which each compliance statement with these
// tables demands, so it can be read. It protects changes of the tables. Managers cannot change them, so
// its value stays, and a SET of it is notWritable, as that of the other spin locks.
func targetMIB(cfg Config, a *admin) *mib.Module[*targetState] {
	type (
		state = *targetState
		addr  = *address
		par   = *params
	)
	spinLock := newSpinLock()
	t := columns[state, address]{targetAddrEntry, rowsOf(func(s state) table[address] { return s.rows.addresses })}
	p := columns[state, params]{targetParamsEntry, rowsOf(func(s state) table[params] { return s.rows.params })}
	number := func(sub uint32, name string, get func(addr) int32) mib.Column[state, addr] {
		return t.col(sub, name, mib.Integer32, mib.ReadWrite, func(r addr, v *mib.Value) { v.SetInteger32(get(r)) })
	}
	setting := func(sub uint32, name string, get func(par) int32) mib.Column[state, par] {
		return p.col(sub, name, mib.Integer32, mib.ReadWrite, func(r par, v *mib.Value) { v.SetInteger32(get(r)) })
	}
	return &mib.Module[state]{
		Name: "SNMP-TARGET-MIB", Root: targetRoot,
		Pin: func() state { return &targetState{cfg.Counts(), a.get()} },
		Objects: []mib.Object[state]{
			scalar(targetRoot, 1, "snmpTargetSpinLock", mib.Integer32, mib.ReadWrite, func(_ state, v *mib.Value) { v.SetInteger32(spinLock) }),
			t.col(2, "snmpTargetAddrTDomain", mib.ObjectIdentifier, mib.ReadWrite, func(r addr, v *mib.Value) { v.SetOID(r.domain) }),
			t.octets(3, "snmpTargetAddrTAddress", func(r addr) string { return r.octets }),
			number(4, "snmpTargetAddrTimeout", func(r addr) int32 { return r.timeout }),
			number(5, "snmpTargetAddrRetryCount", func(r addr) int32 { return r.retries }),
			t.octets(6, "snmpTargetAddrTagList", func(r addr) string { return r.tags }),
			t.octets(7, "snmpTargetAddrParams", func(r addr) string { return r.paramsOf }),
			t.integer(8, "snmpTargetAddrStorageType", storageReadOnly),
			t.integer(9, "snmpTargetAddrRowStatus", statusActive),
			setting(2, "snmpTargetParamsMPModel", func(r par) int32 { return int32(r.version) }),
			setting(3, "snmpTargetParamsSecurityModel", func(r par) int32 { return int32(r.model) }),
			p.octets(4, "snmpTargetParamsSecurityName", func(r par) string { return r.securityName }),
			setting(5, "snmpTargetParamsSecurityLevel", func(r par) int32 { return int32(r.level) }),
			p.integer(6, "snmpTargetParamsStorageType", storageReadOnly),
			p.integer(7, "snmpTargetParamsRowStatus", statusActive),
			counter(targetRoot, 4, "snmpUnavailableContexts", func(s state) uint64 { return s.UnavailableContexts }),
			counter(targetRoot, 5, "snmpUnknownContexts", func(s state) uint64 { return s.UnknownContexts }),
		},
	}
}

// notificationMIB is snmpNotifyTable of SNMP-NOTIFICATION-MIB (RFC 3413 section 4.2). The tables of
// filters are missing: the notify view of a group is the only filter.
func notificationMIB(a *admin) *mib.Module[*adminRows] {
	type state = *adminRows
	t := columns[state, notifyRow]{notifyEntry, rowsOf(func(s state) table[notifyRow] { return s.notify })}
	return &mib.Module[state]{
		Name: "SNMP-NOTIFICATION-MIB", Root: notifyRoot,
		Pin: a.get,
		Objects: []mib.Object[state]{
			t.octets(2, "snmpNotifyTag", func(r *notifyRow) string { return r.tag }),
			t.col(3, "snmpNotifyType", mib.Integer32, mib.ReadWrite, notifyType),
			t.integer(4, "snmpNotifyStorageType", storageReadOnly),
			t.integer(5, "snmpNotifyRowStatus", statusActive),
		},
	}
}

func notifyType(r *notifyRow, v *mib.Value) {
	if r.inform {
		v.SetInteger32(notifyTypeInform)
	} else {
		v.SetInteger32(notifyTypeTrap)
	}
}
