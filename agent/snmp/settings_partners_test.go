//go:build partners

package snmp

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aaasess/agent/snmp/snmpmib"
	"aaasess/internal/partner"
)

// Objects of SNMPv2-MIB.
const (
	sysDescr    = ".1.3.6.1.2.1.1.1.0"
	sysContact  = ".1.3.6.1.2.1.1.4.0"
	sysName     = ".1.3.6.1.2.1.1.5.0"
	sysLocation = ".1.3.6.1.2.1.1.6.0"
	authenTraps = ".1.3.6.1.2.1.11.30.0"
)

// settable is a policy and an snmpd where the community "c" may SET everything. Both have a sysName
// in their configuration.
func settable(t *testing.T) (*fixture, *partner.SnmpdProc) {
	t.Helper()
	f := newRig(t, func(c *Config) {
		settings, err := snmpmib.OpenSettings(filepath.Join(t.TempDir(), "settings"), nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Settings, c.System = settings, snmpmib.System{Name: "fixed", Fixed: []string{"sysName"}}
	})
	f.SetPolicy(openPolicy(t))
	return f, partner.Snmpd(t, partner.SnmpdOptions{Config: []string{"rwcommunity c 127.0.0.1", "sysName fixed"}})
}

// TestSettingsSameAsSnmpd: snmpset prints the same for each SET of SNMPv2-MIB. If theirs is set,
// snmpd deviates from the RFC in the comment.
func TestSettingsSameAsSnmpd(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		want   string
		theirs string
	}{
		{"contact", []string{sysContact, "s", "noc@example.net"}, `STRING: "noc@example.net"`, ""},
		{"location", []string{sysLocation, "s", `rack "7" \ 8`}, `STRING: "rack \"7\" \\ 8"`, ""},
		{"empty", []string{sysContact, "s", ""}, `""`, ""},
		{"255 octets", []string{sysContact, "s", strings.Repeat("x", 255)}, "xxx\"\n", ""},
		{"256 octets", []string{sysContact, "s", strings.Repeat("x", 256)}, "Reason: wrongLength", ""},
		{"NUL", []string{sysContact, "x", "610062"}, "Reason: wrongValue", ""},
		// RFC 2579 DisplayString: NVT ASCII.
		{"not ASCII", []string{sysContact, "x", "fffe"}, "Reason: wrongValue", "Hex-STRING: FF FE"},
		{"control characters", []string{sysContact, "x", "010a"}, "Hex-STRING: 01 0A", ""},
		{"a number", []string{sysContact, "i", "5"}, "Reason: wrongType", ""},
		{"another instance", []string{".1.3.6.1.2.1.1.4.1", "s", "a"}, "Reason: noCreation", ""},
		{"no instance", []string{".1.3.6.1.2.1.1.4", "s", "a"}, "Reason: noCreation", ""},
		{"given by the configuration", []string{sysName, "s", "a"}, "Reason: notWritable", ""},
		{"both", []string{sysContact, "s", "a", sysName, "s", "a"}, "Reason: notWritable (That object does not support modification)\nFailed object: " + sysName, ""},
		{"read-only", []string{sysDescr, "s", "a"}, "Reason: notWritable", ""},
		{"traps on", []string{authenTraps, "i", "1"}, "INTEGER: 1", ""},
		{"traps off", []string{authenTraps, "i", "2"}, "INTEGER: 2", ""},
		{"traps 0", []string{authenTraps, "i", "0"}, "Reason: wrongValue", ""},
		{"traps 3", []string{authenTraps, "i", "3"}, "Reason: wrongValue", ""},
		// RFC 3416 section 4.2.5: step 2 is for names that can never be modified or created.
		{"another instance of traps", []string{".1.3.6.1.2.1.11.30.1", "i", "1"}, "Reason: noCreation", "Reason: notWritable"},
		{"good and bad", []string{sysContact, "s", "lost", authenTraps, "i", "3"}, "Failed object: " + authenTraps, ""},
		{"the same twice", []string{sysContact, "s", "a", sysContact, "s", "b"}, `"b"`, ""},
		{"several", []string{sysContact, "s", "kept", authenTraps, "i", "1", sysLocation, "s", "here"}, `"here"`, ""},
	}
	f, s := settable(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ours, theirs := both(t, f.ipv4(), s.Addr, "snmpset", append([]string{"-v2c", "-c", "c", "AGENT"}, tt.args...)...)
			if !strings.Contains(ours.Out+ours.Err, tt.want) {
				t.Errorf("%+v, want %q", ours, tt.want)
			}
			if tt.theirs == "" {
				if diff := cmp.Diff(theirs, ours); diff != "" {
					t.Errorf("(-snmpd +ours):\n%s", diff)
				}
			} else if !strings.Contains(theirs.Out+theirs.Err, tt.theirs) {
				t.Errorf("at snmpd %+v, not %q", theirs, tt.theirs)
			}
		})
	}
	ours, theirs := both(t, f.ipv4(), s.Addr, "snmpget", "-v2c", "-c", "c", "AGENT", sysContact, sysName, sysLocation, authenTraps)
	if diff := cmp.Diff(theirs, ours); diff != "" || !strings.Contains(ours.Out, `"kept"`) {
		t.Errorf("at the end %+v (-snmpd +ours):\n%s", ours, diff)
	}
}
