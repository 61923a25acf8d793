package aaasess

import "aaasess/mib"

// The numbers of notifications below aaasessNotifications: that of a bad state. The good one follows.
const (
	spoolOver     = 1
	diskShort     = 3
	eventsRefused = 5
	methodBlocked = 7
)

// trap returns the OID of the notification of a state: the value of snmpTrapOID.0.
func trap(id mib.OID, number uint32, bad bool) mib.OID {
	if !bad {
		number++
	}
	return id.Append(0, number)
}

// vars returns the variables of a notification: the fields with these places in a list. subs are the
// numbers between aaasessObjects and that of the field, first is the number of the first field.
func vars[P any](id mib.OID, subs []uint32, instance mib.OID, fields []field[P], first int, part *P, places ...int) []mib.Varbind {
	out := make([]mib.Varbind, len(places))
	for i, place := range places {
		out[i].Name = objectID(id, subs...).Append(uint32(place + first)).Append(instance...)
		fields[place].write(part, &out[i].Value)
	}
	return out
}

// zero is the instance of a scalar.
var zero = mib.OID{0}

// SpoolChange returns aaasessSpoolOver or aaasessSpoolNormal, whichever is the state of the spool.
func SpoolChange(enterprise uint32, s *Spool) (mib.OID, []mib.Varbind) {
	id := root(enterprise)
	return trap(id, spoolOver, s.Over), vars(id, []uint32{spoolTree}, zero, spoolFields, 1, s, 0, 1, 2, 3)
}

// DiskChange returns aaasessDiskShort or aaasessDiskEnough.
func DiskChange(enterprise uint32, s *Store) (mib.OID, []mib.Varbind) {
	id := root(enterprise)
	return trap(id, diskShort, s.Short), vars(id, []uint32{storeTree}, zero, storeFields, 1, s, 1, 2, 4)
}

// EventsChange returns aaasessEventsRefused or aaasessEventsAccepted.
func EventsChange(enterprise uint32, s *Store, spool *Spool) (mib.OID, []mib.Varbind) {
	id := root(enterprise)
	list := vars(id, []uint32{storeTree}, zero, storeFields, 1, s, 0, 2)
	return trap(id, eventsRefused, s.Refused), append(list, vars(id, []uint32{spoolTree}, zero, spoolFields, 1, spool, 3)...)
}

// MethodChange returns aaasessMethodBlocked or aaasessMethodFlowing.
func MethodChange(enterprise uint32, m *Method) (mib.OID, []mib.Varbind) {
	id := root(enterprise)
	list := vars(id, []uint32{methodTable, 1}, indexOf(m.Name), methodFields, 2, m, 5, 7, 3, 4)
	return trap(id, methodBlocked, m.Reason.Blocked()), list
}
