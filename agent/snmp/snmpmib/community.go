package snmpmib

import "aaasess/mib"

var (
	communityRoot      = mib.MustOID("1.3.6.1.6.3.18.1")
	communityEntry     = communityRoot.Append(1, 1)
	targetAddrExtEntry = communityRoot.Append(2, 1)
)

// unknownMessageSize is the value of snmpTargetAddrMMS for an address whose maximum is not known.
const unknownMessageSize = 0

// communityMIB is SNMP-COMMUNITY-MIB (RFC 3584 section 5.3). Whoever serves it must show
// snmpCommunityName only to requests at authPriv: see [vacm.CommunityName].
func communityMIB(cfg Config, a *admin) *mib.Module[*adminRows] {
	type state = *adminRows
	engineID := string(cfg.Engine.ID())
	c := columns[state, community]{communityEntry, rowsOf(func(s state) table[community] { return s.communities })}
	x := columns[state, address]{targetAddrExtEntry, rowsOf(func(s state) table[address] { return s.addresses })}
	return &mib.Module[state]{
		Name: "SNMP-COMMUNITY-MIB", Root: communityRoot,
		Pin: a.get,
		Objects: []mib.Object[state]{
			c.octets(2, "snmpCommunityName", func(r *community) string { return r.name }),
			c.octets(3, "snmpCommunitySecurityName", func(r *community) string { return r.securityName }),
			c.octets(4, "snmpCommunityContextEngineID", func(*community) string { return engineID }),
			c.octets(5, "snmpCommunityContextName", func(*community) string { return "" }),
			c.octets(6, "snmpCommunityTransportTag", func(r *community) string { return r.tag }),
			c.integer(7, "snmpCommunityStorageType", storageReadOnly),
			c.integer(8, "snmpCommunityStatus", statusActive),
			x.octets(1, "snmpTargetAddrTMask", func(r *address) string { return r.mask }),
			x.integer(2, "snmpTargetAddrMMS", unknownMessageSize),
		},
	}
}
