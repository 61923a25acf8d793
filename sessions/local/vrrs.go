package local

import (
	"aaasess/internal/radius"
	localreport "aaasess/sessions/local/report"
)

// checkGroup rejects what a report of a group of routers cannot have: the group has no user.
func (t *translation) checkGroup() {
	if t.verb != localreport.Start && t.verb != localreport.Stop {
		t.reject("/kind", "a session of kind vrrs only starts and stops")
	}
	for _, m := range []struct {
		pointer string
		given   bool
	}{
		{"/user", t.User != ""},
		{"/address", t.Address != ""},
		{"/service", t.Service != ""},
		{"/end", t.End != nil},
	} {
		if m.given {
			t.reject(m.pointer, "a session of kind vrrs has none")
		}
	}
}

// addGroup names the group, unless the report does: servers would take an Accounting-On without a group
// for a restart of this host.
func (t *translation) addGroup() {
	if radius.Attributes(t.attrs).VRRS() == "" {
		t.attrs = radius.AppendAVPair(t.attrs, "vrrs-name", t.Session)
	}
}
