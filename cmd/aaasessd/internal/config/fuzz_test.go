package config_test

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/internal/strictyaml"
)

// FuzzParse holds that no file makes the daemon panic, and that every fault has a place in the file.
func FuzzParse(f *testing.F) {
	for _, file := range []string{"default.yaml", "../../../../deploy/aaasess.yaml"} {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, tc := range slices.Concat(rejected, rejectedDelivery, rejectedSNMP) {
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

// checkInvariants holds what the doc of Config promises.
func checkInvariants(t *testing.T, c *config.Config) {
	if c.State == "" || c.Control.Socket == "" || c.Accounting.Local.File == "" || len(c.RADIUS.Accounting.Listen) == 0 {
		t.Error("a default is missing")
	}
	for _, n := range c.RADIUS.Clients {
		if !n.Prefix.IsValid() || n.Prefix != n.Prefix.Masked() || n.Name == "" || n.Secret == "" || n.Disconnect.Port == 0 {
			t.Errorf("client %+v", n)
		}
	}
	groups := map[string]bool{}
	for _, g := range c.RADIUS.Groups {
		groups["group "+g.Name] = true
		if len(g.Servers) == 0 || g.HoldDown < 0 || g.Window < 1 || g.DrainRate < 0 || (g.DeadCriteria.Time > 0) != (g.DeadCriteria.Tries > 0) {
			t.Errorf("group %+v", g)
		}
		for _, s := range g.Servers {
			checkServer(t, s)
			if a, err := netip.ParseAddr(s.Host); err == nil && g.SourceAddress.IsValid() && a.Is4() != g.SourceAddress.Is4() {
				t.Errorf("group %s: server %s can't be reached from %v", g.Name, s.Name, g.SourceAddress)
			}
		}
	}
	for _, s := range c.RADIUS.Servers {
		checkServer(t, s)
	}
	checkAcctOnOff(t, &c.RADIUS)
	checkSNMP(t, &c.SNMP)
	if n := len(c.RADIUS.NASIdentifier); n < 1 || n > 253 {
		t.Errorf("NAS-Identifier %q", c.RADIUS.NASIdentifier)
	}
	for _, l := range c.Accounting.Lists {
		if (l.Record == "none") != (len(l.Methods) == 0) {
			t.Errorf("list %+v", l)
		}
		for _, m := range l.Methods {
			if m != "local" && !groups[m] {
				t.Errorf("method %q of %s is nowhere", m, l.Type)
			}
		}
	}
	if d := c.Sessions.Disconnect; c.Store.MinFree <= 0 || c.Store.MaxSize < 0 || c.Sessions.Remember <= 0 || d.RetryMin <= 0 || d.RetryMin > d.RetryMax {
		t.Errorf("store or sessions: %+v %+v", c.Store, c.Sessions)
	}
}

func checkServer(t *testing.T, s config.Server) {
	if s.Name == "" || s.Host == "" || s.Port == 0 || s.Secret == "" || s.Timeout <= 0 || s.Retransmit < 0 || s.Backoff.Retry < 0 ||
		(s.Backoff.MaxDelay > 0) != (s.Backoff.Retry > 0) {
		t.Errorf("server %+v", s)
	}
}

func checkAcctOnOff(t *testing.T, c *config.RADIUS) {
	controlled := map[string]int{}
	for _, g := range c.Groups {
		if on := g.AcctOnOff; on != nil && on.Group != "" {
			controlled[on.Group]++
			if !on.OperStateChange || on.MonitorGroup != "" {
				t.Errorf("group %s controls with %+v", g.Name, on)
			}
		}
	}
	for _, g := range c.Groups {
		if on := g.AcctOnOff; on != nil && on.MonitorGroup != "" && (on.OperStateChange || controlled[on.MonitorGroup] != 1) {
			t.Errorf("group %s monitors with %+v", g.Name, on)
		}
	}
	for name, n := range controlled {
		if n != 1 || !slices.ContainsFunc(c.AcctOnOffGroups, func(g config.AcctOnOffGroup) bool { return g.Name == name }) {
			t.Errorf("acct-on-off-group %q is controlled by %d groups", name, n)
		}
	}
}
