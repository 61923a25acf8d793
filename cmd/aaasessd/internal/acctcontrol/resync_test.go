package acctcontrol

import (
	"testing"

	"aaasess/accounting"
	"aaasess/accounting/resync"
	"aaasess/cmd/internal/api"
)

// TestNames: the messages of the control socket, which do not know accounting, have its names.
func TestNames(t *testing.T) {
	for state, want := range map[resync.State]string{
		resync.Running: api.ResyncRunning, resync.Done: api.ResyncDone, resync.Canceled: api.ResyncCanceled,
	} {
		if got := describeResync(resync.Status{Progress: resync.Progress{State: state}}).State; got != want {
			t.Errorf("state %q, want %q", got, want)
		}
	}
	if got, want := api.GroupMethod("isp"), string(accounting.Group("isp")); got != want {
		t.Errorf("method %q, want %q", got, want)
	}
	if got, want := api.GroupQueue("isp"), accounting.Group("isp").Queue(); got != want {
		t.Errorf("queue %q, want %q", got, want)
	}
}
