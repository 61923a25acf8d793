package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	localreport "aaasess/sessions/local/report"
)

// TestKeepalivedReports: what the hook of keepalived reports in each state. It keeps quiet if the daemon
// does not know the group.
func TestKeepalivedReports(t *testing.T) {
	d := startLocalDaemon(t)
	group := func(verb, name string) []arrived {
		return []arrived{{Verb: verb, Report: localreport.Report{
			Source: "keepalived", Session: name, Kind: "vrrs", Attributes: []localreport.Attribute{{Name: "Cisco-AVPair", Value: "vrrs-name=" + name}},
		}}}
	}
	for _, tt := range []struct {
		name string
		args []string
		want []arrived
	}{
		{"master", []string{"INSTANCE", "VI_1", "MASTER", "100"}, group("start", "VI_1")},
		{"backup", []string{"INSTANCE", "VI_1", "BACKUP", "100"}, group("stop", "VI_1")},
		{"fault", []string{"INSTANCE", "VI_1", "FAULT", "100"}, group("stop", "VI_1")},
		{"the end of keepalived", []string{"INSTANCE", "VI_1", "STOP", "100"}, group("stop", "VI_1")},
		{"removed", []string{"INSTANCE", "VI_1", "DELETED", "100"}, group("stop", "VI_1")},
		{"a sync group", []string{"GROUP", "VI_1", "MASTER", "0"}, group("start", "VI_1-group")},
		{"a name like an option", []string{"INSTANCE", "--json", "MASTER", "100"}, group("start", "--json")},
		{"an unknown state", []string{"INSTANCE", "VI_1", "MASTER_RX_LOWER_PRI", "100"}, nil},
		{"no name", []string{"INSTANCE"}, nil},
	} {
		for _, status := range []int{200, 404} {
			d.will(status, "{}")
			out, err := hook{"keepalived/notify", tt.args, nil}.command(t, d.socket).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%s: %v, prints %q", tt.name, err, out)
			}
			got := d.reports()
			for i := range got {
				if at := got[i].Report.At; at == nil || time.Since(*at).Abs() > time.Hour {
					t.Errorf("%s: at %v", tt.name, at)
				}
				got[i].Report.At = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s: %s", tt.name, diff)
			}
		}
	}
}

// TestKeepalivedNeverFails: whatever the daemon does, the hook exits with 0 and says nothing to keepalived.
func TestKeepalivedNeverFails(t *testing.T) {
	refuses, hangs := startLocalDaemon(t), startLocalDaemon(t)
	refuses.will(503, "{}")
	hangs.mu.Lock()
	defer hangs.mu.Unlock()
	for name, socket := range map[string]string{"down": filepath.Join(t.TempDir(), "none"), "refuses": refuses.socket, "hangs": hangs.socket} {
		h := hook{"keepalived/notify", []string{"INSTANCE", "VI_1", "MASTER", "100"}, map[string]string{"AAASESS_TIMEOUT": "30ms"}}
		if out, err := h.command(t, socket).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v, prints %q", name, err, out)
		}
	}
}
