package snmpmib

import (
	"aaasess/agent/snmp/usm"
	"aaasess/mib"
)

var (
	usmRoot      = mib.MustOID("1.3.6.1.6.3.15.1")
	usmUserEntry = usmRoot.Append(2, 2, 1)
)

// usmState has the counters and the rows of usmUserTable at one moment.
type usmState struct {
	usm.Counts
	users *table[usmUser]
}

// usmUser is a row of usmUserTable. It has no keys: their columns read empty.
type usmUser struct {
	name       string
	auth, priv mib.OID
}

// usmMIB is SNMP-USER-BASED-SM-MIB (RFC 3414 section 5).
func usmMIB(cfg Config) *mib.Module[*usmState] {
	type (
		state = *usmState
		row   = *usmUser
	)
	stats, user := usmRoot.Append(1), usmRoot.Append(2)
	spinLock := newSpinLock()
	users := &derived[usm.Users, table[usmUser]]{build: userRows}

	t := columns[state, usmUser]{usmUserEntry, rowsOf(func(s state) table[usmUser] { return *s.users })}
	empty := func(sub uint32, name string) mib.Object[state] {
		return t.octets(sub, name, func(row) string { return "" })
	}
	oid := func(sub uint32, name string, get func(row) mib.OID) mib.Object[state] {
		return t.col(sub, name, mib.ObjectIdentifier, mib.ReadWrite, func(r row, v *mib.Value) { v.SetOID(get(r)) })
	}
	return &mib.Module[state]{
		Name: "SNMP-USER-BASED-SM-MIB", Root: usmRoot,
		Pin: func() state { return &usmState{cfg.USM.Counts(), users.get(cfg.USM.Users())} },
		Objects: []mib.Object[state]{
			counter(stats, 1, "usmStatsUnsupportedSecLevels", func(s state) uint64 { return s.UnsupportedSecLevels }),
			counter(stats, 2, "usmStatsNotInTimeWindows", func(s state) uint64 { return s.NotInTimeWindows }),
			counter(stats, 3, "usmStatsUnknownUserNames", func(s state) uint64 { return s.UnknownUserNames }),
			counter(stats, 4, "usmStatsUnknownEngineIDs", func(s state) uint64 { return s.UnknownEngineIDs }),
			counter(stats, 5, "usmStatsWrongDigests", func(s state) uint64 { return s.WrongDigests }),
			counter(stats, 6, "usmStatsDecryptionErrors", func(s state) uint64 { return s.DecryptionErrors }),
			scalar(user, 1, "usmUserSpinLock", mib.Integer32, mib.ReadWrite, func(_ state, v *mib.Value) { v.SetInteger32(spinLock) }),
			t.col(3, "usmUserSecurityName", mib.OctetString, mib.ReadOnly, func(r row, v *mib.Value) { v.SetOctets(r.name) }),
			oid(4, "usmUserCloneFrom", func(row) mib.OID { return zeroDotZero }),
			oid(5, "usmUserAuthProtocol", func(r row) mib.OID { return r.auth }),
			empty(6, "usmUserAuthKeyChange"),
			empty(7, "usmUserOwnAuthKeyChange"),
			oid(8, "usmUserPrivProtocol", func(r row) mib.OID { return r.priv }),
			empty(9, "usmUserPrivKeyChange"),
			empty(10, "usmUserOwnPrivKeyChange"),
			empty(11, "usmUserPublic"),
			t.integer(12, "usmUserStorageType", storageReadOnly),
			t.integer(13, "usmUserStatus", statusActive),
		},
	}
}

// userRows builds the rows for the users of this engine. Users of other engines, which receive
// informs, are not in this table.
func userRows(users *usm.Users) *table[usmUser] {
	engine := appendName(nil, string(users.EngineID()))
	var rows []entry[usmUser]
	for _, u := range users.All() {
		rows = append(rows, entry[usmUser]{
			index: appendName(engine.Append(), u.Name),
			row:   usmUser{name: u.Name, auth: u.Auth.OID(), priv: u.Priv.OID()},
		})
	}
	t := newTable(usmUserEntry, rows)
	return &t
}
