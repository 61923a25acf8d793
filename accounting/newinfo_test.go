package accounting

import (
	"fmt"
	"slices"
	"testing"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/store"
)

// Without newinfo, only the interims that second starts become are left out.
func TestSetNewInfo(t *testing.T) {
	s := openStore(t, store.NewDisk())
	r := newRouter(t, s, policy)
	of := func(status uint32, typ sessions.EventType) sessions.Notice {
		n := notice(1, sessions.Network, typ)
		n.Attrs += radius.Attributes(radius.AppendUint32(nil, radius.AcctStatusType, status))
		n.SecondStart = typ == sessions.Interim && status == uint32(sessions.Start)
		return n
	}
	ours := notice(1, sessions.Network, sessions.Interim)
	ours.Attrs = ""
	all := sessions.Change{Notices: []sessions.Notice{of(1, sessions.Start), of(1, sessions.Interim), of(3, sessions.Interim), ours, of(2, sessions.Stop)}}
	got := func() (types []string) {
		for _, rec := range records(t, s, "group/radius") {
			types = append(types, fmt.Sprint(rec.Type))
		}
		return types
	}
	committed(t, r, all)
	with := []string{"Start", "Interim-Update", "Interim-Update", "Interim-Update", "Stop"}
	if g := got(); !slices.Equal(g, with) {
		t.Errorf("by default: %q", g)
	}
	r.SetNewInfo(false)
	committed(t, r, all)
	want := slices.Concat(with, []string{"Start", "Interim-Update", "Interim-Update", "Stop"})
	if g := got(); !slices.Equal(g, want) {
		t.Errorf("without newinfo: %q, want %q", g, want)
	}
}
