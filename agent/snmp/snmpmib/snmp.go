package snmpmib

import "aaasess/mib"

var (
	snmpRoot = mib.MustOID("1.3.6.1.2.1.11")
	mpdRoot  = mib.MustOID("1.3.6.1.6.3.11.2.1")
)

// The values of snmpEnableAuthenTraps.
const (
	authenTrapsEnabled  = 1
	authenTrapsDisabled = 2
)

// authenTraps returns the value of snmpEnableAuthenTraps.
func authenTraps(enabled bool) int32 {
	if enabled {
		return authenTrapsEnabled
	}
	return authenTrapsDisabled
}

// pinned returns a Pin function, so that all counters of one request are from the same moment.
func pinned(counts func() Counts) func() *Counts {
	return func() *Counts {
		c := counts()
		return &c
	}
}

// snmp is the snmp group of RFC 3418 section 2, including the objects of RFC 1213 that are obsolete
// there.
func snmp(cfg Config) *mib.Module[*Counts] {
	type state = *Counts
	count := func(sub uint32, name string, get func(state) uint64) mib.Scalar[state] {
		return counter(snmpRoot, sub, name, get)
	}
	return &mib.Module[state]{
		Name: "SNMPv2-MIB", Root: snmpRoot,
		Pin: pinned(cfg.Counts), Writer: newSettingsWriter(cfg),
		Objects: []mib.Object[state]{
			count(1, "snmpInPkts", func(s state) uint64 { return s.InPkts }),
			count(2, "snmpOutPkts", func(s state) uint64 { return s.OutPkts }),
			count(3, "snmpInBadVersions", func(s state) uint64 { return s.InBadVersions }),
			count(4, "snmpInBadCommunityNames", func(s state) uint64 { return s.InBadCommunityNames }),
			count(5, "snmpInBadCommunityUses", func(s state) uint64 { return s.InBadCommunityUses }),
			count(6, "snmpInASNParseErrs", func(s state) uint64 { return s.InASNParseErrs }),
			count(8, "snmpInTooBigs", func(s state) uint64 { return s.InTooBigs }),
			count(9, "snmpInNoSuchNames", func(s state) uint64 { return s.InNoSuchNames }),
			count(10, "snmpInBadValues", func(s state) uint64 { return s.InBadValues }),
			count(11, "snmpInReadOnlys", func(s state) uint64 { return s.InReadOnlys }),
			count(12, "snmpInGenErrs", func(s state) uint64 { return s.InGenErrs }),
			count(13, "snmpInTotalReqVars", func(s state) uint64 { return s.InTotalReqVars }),
			count(14, "snmpInTotalSetVars", func(s state) uint64 { return s.InTotalSetVars }),
			count(15, "snmpInGetRequests", func(s state) uint64 { return s.InGetRequests }),
			count(16, "snmpInGetNexts", func(s state) uint64 { return s.InGetNexts }),
			count(17, "snmpInSetRequests", func(s state) uint64 { return s.InSetRequests }),
			count(18, "snmpInGetResponses", func(s state) uint64 { return s.InGetResponses }),
			count(19, "snmpInTraps", func(s state) uint64 { return s.InTraps }),
			count(20, "snmpOutTooBigs", func(s state) uint64 { return s.OutTooBigs }),
			count(21, "snmpOutNoSuchNames", func(s state) uint64 { return s.OutNoSuchNames }),
			count(22, "snmpOutBadValues", func(s state) uint64 { return s.OutBadValues }),
			count(24, "snmpOutGenErrs", func(s state) uint64 { return s.OutGenErrs }),
			count(25, "snmpOutGetRequests", func(s state) uint64 { return s.OutGetRequests }),
			count(26, "snmpOutGetNexts", func(s state) uint64 { return s.OutGetNexts }),
			count(27, "snmpOutSetRequests", func(s state) uint64 { return s.OutSetRequests }),
			count(28, "snmpOutGetResponses", func(s state) uint64 { return s.OutGetResponses }),
			count(29, "snmpOutTraps", func(s state) uint64 { return s.OutTraps }),
			scalar(snmpRoot, 30, snmpEnableAuthenTraps, mib.Integer32, mib.ReadWrite, func(_ state, v *mib.Value) {
				v.SetInteger32(authenTraps(cfg.Settings.AuthenTraps(cfg.System())))
			}),
			count(31, "snmpSilentDrops", func(s state) uint64 { return s.SilentDrops }),
			count(32, "snmpProxyDrops", func(s state) uint64 { return s.ProxyDrops }),
		},
	}
}

// snmpMPDStats is SNMP-MPD-MIB (RFC 3412 section 5).
func snmpMPDStats(cfg Config) *mib.Module[*Counts] {
	type state = *Counts
	return &mib.Module[state]{
		Name: "SNMP-MPD-MIB", Root: mpdRoot,
		Pin: pinned(cfg.Counts),
		Objects: []mib.Object[state]{
			counter(mpdRoot, 1, "snmpUnknownSecurityModels", func(s state) uint64 { return s.UnknownSecurityModels }),
			counter(mpdRoot, 2, "snmpInvalidMsgs", func(s state) uint64 { return s.InvalidMsgs }),
			counter(mpdRoot, 3, "snmpUnknownPDUHandlers", func(s state) uint64 { return s.UnknownPDUHandlers }),
		},
	}
}
