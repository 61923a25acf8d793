package config_test

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"aaasess/accounting"
	"aaasess/accounting/onoff"
	"aaasess/accounting/policy"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/internal/strictyaml"
	"aaasess/internal/radius/client"
)

// FuzzParse: no file makes the daemon panic, and every fault has a place in the file.
func FuzzParse(f *testing.F) {
	for _, file := range []string{"default.yaml", "../../../../deploy/aaasess.yaml"} {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, tc := range slices.Concat(rejected, rejectedTypes, rejectedDelivery, rejectedTACACS, rejectedAuth, rejectedDynAuth, rejectedSNMP) {
		if len(tc.text) < 1500 {
			f.Add([]byte(tc.text))
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse("f.yaml", data, dir)
		if err == nil {
			checkInvariants(t, c)
			return
		}
		if c != nil {
			t.Error("a Config beside an error")
		}
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Fatalf("error is a %T", err)
		}
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
		for _, e := range joined.Unwrap() {
			var fault *strictyaml.Error
			if !errors.As(e, &fault) || fault.File != "f.yaml" || fault.Line < 1 || fault.Line > lines || fault.Column < 1 || fault.Text == "" {
				t.Errorf("fault without a place: %#v", e)
			}
		}
	})
}

// checkInvariants checks what the comments of Config promise.
func checkInvariants(t *testing.T, c *config.Config) {
	if c.State == "" || c.Control.Socket == "" || len(c.Listener.Addresses) == 0 || c.Local != nil && c.Local.File == "" {
		t.Error("a default is missing")
	}
	for _, n := range c.Listener.Clients {
		if !n.Prefix.IsValid() || n.Prefix != n.Prefix.Masked() || n.Name == "" || n.Secret == "" || n.DisconnectProfile == "" {
			t.Errorf("client %+v", n)
		}
	}
	groups := map[accounting.MethodName]bool{}
	for _, g := range c.Groups {
		groups[g.Name()] = true
		if len(g.Servers) == 0 || g.HoldDown < 0 || g.Window < 1 || g.DrainRate < 0 || (g.DeadCriteria.Time > 0) != (g.DeadCriteria.Tries > 0) {
			t.Errorf("group %+v", g)
		}
		for _, s := range g.Servers {
			checkServer(t, s)
			if a, err := netip.ParseAddr(s.Host); err == nil && g.Source.IsValid() && a.Is4() != g.Source.Is4() {
				t.Errorf("group %s: server %s can't be reached from %v", g.Group, s.Name, g.Source)
			}
		}
	}
	checkTACACS(t, c, groups)
	checkAcctOnOff(t, c)
	checkSNMP(t, &c.SNMP)
	if _, err := policy.New(&c.Policy); err != nil {
		t.Error(err)
	}
	for list, all := range c.Policy.MethodsByList() {
		for _, m := range all {
			if (m != accounting.Local || c.Local == nil) && !groups[m] {
				t.Errorf("method %q of %s is nowhere", m, list)
			}
		}
	}
	if d := c.Terminator; c.Store.MinFree <= 0 || c.Store.MaxSize < 0 || c.Sessions.Remember <= 0 || d.RetryMin <= 0 || d.RetryMin > d.RetryMax {
		t.Errorf("store or sessions: %+v %+v", c.Store, c.Sessions)
	}
}

func checkServer(t *testing.T, m client.Member) {
	if s := m.Schedule; m.Name == "" || m.Host == "" || m.Port == 0 || m.Secret == "" || s.Timeout <= 0 || s.Retransmit < 0 || s.BackoffRetry < 0 ||
		(s.MaxDelay > 0) != (s.BackoffRetry > 0) {
		t.Errorf("server %+v", m)
	}
}

// checkTACACS checks the groups of TACACS+ servers, and adds their names.
func checkTACACS(t *testing.T, c *config.Config, groups map[accounting.MethodName]bool) {
	for i := range c.TACACSGroups {
		g := &c.TACACSGroups[i]
		if groups[g.Name()] || len(g.Servers) == 0 || g.HoldDown < 0 || g.Window < 1 || g.DrainRate < 0 || (g.DeadCriteria.Time > 0) != (g.DeadCriteria.Tries > 0) {
			t.Errorf("group %+v", g)
		}
		groups[g.Name()] = true
		for _, s := range g.Servers {
			schedule := s.Schedule
			if s.Name == "" || s.Host == "" || s.Port == 0 || s.Key == "" || s.Connections < 1 || schedule.Timeout <= 0 || schedule.Retransmit < 0 ||
				(schedule.MaxDelay > 0) != (schedule.BackoffRetry > 0) {
				t.Errorf("server %+v", s)
			}
		}
		for _, r := range g.Arguments.Ports {
			if err := r.Check(); err != nil {
				t.Error(err)
			}
		}
	}
}

func checkAcctOnOff(t *testing.T, c *config.Config) {
	if err := c.OnOffGroups.Validate(); err != nil {
		for _, g := range c.OnOffGroups { // a group without a controller has no monitors
			if g.Controller == "" && len(g.Monitors) > 0 {
				t.Error(err)
			}
		}
	}
	controlled := map[string]int{}
	for _, g := range c.Groups {
		if on := g.AcctOnOff; on != nil {
			if n := len(on.Attributes) - 2; n < 1 || n > 253 {
				t.Errorf("group %s: NAS-Identifier of %d octets", g.Group, n)
			}
			if on.Controls != "" {
				controlled[on.Controls]++
				if !on.Blocks || g.MonitorGroup != "" {
					t.Errorf("group %s controls with %+v", g.Group, on)
				}
			}
		}
	}
	for _, g := range c.Groups {
		if g.MonitorGroup != "" && (g.AcctOnOff != nil || controlled[g.MonitorGroup] != 1) {
			t.Errorf("group %s monitors with %+v", g.Group, g.AcctOnOff)
		}
	}
	for name, n := range controlled {
		if n != 1 || !slices.ContainsFunc(c.OnOffGroups, func(g onoff.Group) bool { return g.Name == name }) {
			t.Errorf("acct-on-off-group %q is controlled by %d groups", name, n)
		}
	}
}
