package sessions

import (
	"strings"

	"aaasess/internal/radius"
)

// A session of kind VRRS is the time that a NAS is the master of a group of routers (S2 "Virtual Router
// Redundancy Service"). It begins and ends as other sessions do and has a number, but it is no row,
// has no user and is in no call. Records tell of it with an Accounting-On and an Accounting-Off.

// Groups returns how many sessions of kind VRRS are live.
func (t *Table) Groups() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.groups.n
}

// isOfGroup reports whether an event starts or stops the session of a group of routers, and has the
// name of the group. Servers would take an Accounting-On without the name for a restart of the NAS.
func (ev *Event) isOfGroup() bool {
	return (ev.Type == Start || ev.Type == Stop) && ev.Attrs.VRRS() != ""
}

// fromVRRS changes an Accounting-On or -Off about a group of routers to the start or stop of a session
// of kind VRRS. The NAS goes on, so it ends no other session. Its name is the Cisco-AVPair with the
// group: NASes may send the On and the Off with different Acct-Session-Ids.
func (ev *Event) fromVRRS() {
	if ev.Type != On && ev.Type != Off {
		return
	}
	group := ev.Attrs.VRRS()
	if group == "" {
		return
	}
	if ev.Kind = VRRS; ev.Type == On {
		ev.Type = Start
	} else {
		ev.Type = Stop
	}
	b := make([]byte, 0, len(ev.Attrs)+2+len(group))
	for t, v := range ev.Attrs.All() {
		if t != radius.AcctSessionID {
			b = radius.AppendAttribute(b, t, v)
		}
	}
	ev.AcctSessionID = strings.Clone(group)
	ev.Attrs = radius.Attributes(radius.AppendAttribute(b, radius.AcctSessionID, group))
}
