package cas

import (
	"aaasess/internal/servers"
	"aaasess/mib"
)

// serverStateChange is casServerStateChange.
var serverStateChange = moduleID.Append(2, 0, 1)

// StateChange returns casServerStateChange for a server whose state has changed: the value of
// snmpTrapOID.0, and the variables that follow it. The server must have rows ([HasRow]): the variables
// are named after them.
func StateChange(e *servers.Entry) (trap mib.OID, vbs []mib.Varbind) {
	vbs = make([]mib.Varbind, 3)
	for i, v := range []struct {
		column uint32
		value  int32
	}{
		{25, casState(&e.State)},
		{27, interval(e.State.Previous)},
		{28, interval(e.State.TotalDead)},
	} {
		vbs[i].Name = statisticsEntry.Append(v.column, uint32(e.Protocol), e.Index)
		vbs[i].Value.SetInteger32(v.value)
	}
	return serverStateChange.Append(), vbs
}
