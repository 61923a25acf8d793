package control_test

import (
	"testing"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

// TestLiveCounters: lists of sessions, one session, and accounted sessions have the counters that the
// kernel has of the session's interface at that moment.
func TestLiveCounters(t *testing.T) {
	now := time.Now()
	d, client := accountant(t, now)
	octets := uint64(0)
	d.Table.SetRefresher(func() {
		octets += 1000
		d.Table.Refreshed(d.Table.BeginRefresh(), 1, []sessions.Sample{{IfIndex: 7, Traffic: sessions.Traffic{octets}}})
	})
	begin(t, d, "ann", now, func(ev *sessions.Event) { ev.IfIndex, ev.Link = 7, &sessions.Link{Host: 1} })
	list, err := client.Sessions(t.Context(), api.Query{})
	if got := collect(t, list, err); len(got) != 1 || got[0].InputOctets != 1000 {
		t.Errorf("the list has %+v", got)
	}
	if got, err := client.Session(t.Context(), 1); err != nil || got.InputOctets != 2000 {
		t.Errorf("the session is %+v, %v", got, err)
	}
	_ = accounted(t, client, "")
	if octets != 3000 {
		t.Errorf("the interfaces were read %d times", octets/1000)
	}
}
