package accounting

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
	"aaasess/store"
)

// TestOneOffRecords: an event without a session goes from the table through the Router into the queue
// of its list, and its record has what S1's examples have. It has the version that earlier versions
// read.
func TestOneOffRecords(t *testing.T) {
	s := openStore(t, store.NewDisk())
	r := newRouter(t, s, routes{
		sessions.Command: {List: "commands/15/default", Record: StartStop, Methods: []MethodName{Local}},
		sessions.Exec:    {List: "exec/default", Record: StartStop, Broadcast: true, Methods: []MethodName{Local, Group("isp")}},
	})
	table := sessions.New(sessions.Config{}, r)
	record := func(o sessions.OneOff) {
		o.NAS, o.At = sessions.NAS{Addr: nas4.Addr}, time.Unix(993617247, 0)
		o.Attrs = radius.Attributes(radius.AppendAttribute(radius.AppendAttribute(nil, radius.UserName, "username1"), radius.NASPortID, "tty3"))
		sessionstest.Await(t, func(done func(error)) error { _, err := table.Record(o, done); return err })
	}
	record(sessions.OneOff{Kind: sessions.Command, Level: 15, Text: "configure terminal"})
	record(sessions.OneOff{Kind: sessions.Exec, Unstarted: sessions.AuthenticationFailed})
	record(sessions.OneOff{Kind: sessions.Exec, Unstarted: sessions.AuthenticatedRemotely})
	got := records(t, s, "local")
	for i, want := range []struct {
		kind  sessions.Kind
		list  string
		attrs []string
	}{
		{sessions.Command, "commands/15/default", []string{
			"User-Name = username1", "NAS-Port-Id = tty3", "Acct-Status-Type = Stop", "Cisco-AVPair = priv-lvl=15", "Cisco-AVPair = cmd=configure terminal",
			"Acct-Session-Id = 00000001", "NAS-IP-Address = " + nas4.Addr.String(), "Event-Timestamp = 2001-06-27T04:47:27Z",
		}},
		{sessions.Exec, "exec/default", []string{
			"User-Name = username1", "NAS-Port-Id = tty3", "Acct-Status-Type = Stop", "Acct-Session-Time = 0", "Acct-Terminate-Cause = User-Error",
			"Acct-Session-Id = 00000002", "NAS-IP-Address = " + nas4.Addr.String(), "Event-Timestamp = 2001-06-27T04:47:27Z",
		}},
		{sessions.Exec, "exec/default", []string{
			"User-Name = username1", "NAS-Port-Id = tty3", "Acct-Status-Type = Stop", "Acct-Session-Time = 0", "Acct-Terminate-Cause = Service-Unavailable",
			"Acct-Session-Id = 00000003", "NAS-IP-Address = " + nas4.Addr.String(), "Event-Timestamp = 2001-06-27T04:47:27Z",
		}},
	} {
		rec := got[i]
		var attrs []string
		for p := range radius.Standard().Print(rec.Attrs) {
			attrs = append(attrs, p.Name+" = "+p.Text)
		}
		if diff := cmp.Diff(want.attrs, attrs); diff != "" {
			t.Error(diff)
		}
		if rec.Kind != want.kind || rec.List != want.list || rec.Type != sessions.Stop || rec.Session != sessions.ID(i+1) || rec.NASSession != "" {
			t.Errorf("%+v", rec)
		}
		if b := AppendRecord(nil, rec); b[0] != recordWithoutNAS {
			t.Errorf("version %d", b[0])
		}
	}
	if n := len(records(t, s, "group/isp")); len(got) != 3 || n != 2 || r.Stats() != (RouterStats{Records: 5}) {
		t.Errorf("%d and %d records, %+v", len(got), n, r.Stats())
	}
}
