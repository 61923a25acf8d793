package config_test

import (
	"net/netip"
	"strings"
	"testing"

	"aaasess/cmd/aaasessd/internal/config"
)

func TestDiff(t *testing.T) {
	for _, tc := range []struct {
		want   string // keys with spaces between
		change func(c *config.Config)
	}{
		{"", func(*config.Config) {}},
		{"state", func(c *config.Config) { c.State = "x" }},
		{"log.format", func(c *config.Config) { c.Log.Format = "json" }},
		{"control.socket control.group", func(c *config.Config) { c.Control = config.Control{Socket: "x", Group: "y"} }},
		{"snmp.agentx", func(c *config.Config) { c.SNMP.AgentX.Address = "x" }},
		{"snmp.agentx", func(c *config.Config) { c.SNMP.AgentX = nil }},
		{"radius.accounting.listen", func(c *config.Config) {
			c.RADIUS.Accounting.Listen = append(c.RADIUS.Accounting.Listen, netip.MustParseAddrPort("[::1]:1813"))
		}},
		{"sessions.remember", func(c *config.Config) { c.Sessions.Remember++ }},
		{"sessions.disconnect.stop-wait sessions.disconnect.retry-min sessions.disconnect.retry-max", func(c *config.Config) {
			c.Sessions.Disconnect.StopWait++
			c.Sessions.Disconnect.RetryMin++
			c.Sessions.Disconnect.RetryMax++
		}},
		{"sessions.disconnect.timeout sessions.disconnect.retransmit", func(c *config.Config) {
			c.Sessions.Disconnect.Timeout++
			c.Sessions.Disconnect.Retransmit++
		}},
		{"store.max-size", func(c *config.Config) { c.Store.MaxSize = 64 << 20 }},
		{"store.min-free", func(c *config.Config) { c.Store.MinFree++ }},
		// What a reload does change.
		{"", func(c *config.Config) {
			c.Log.Level++
			c.SNMP.SessionMIBDisconnect = false
			c.RADIUS.Clients = c.RADIUS.Clients[1:]
			c.RADIUS.Servers = []config.Server{{Name: "r1"}}
			c.RADIUS.Groups = []config.Group{{Name: "isp"}}
			c.RADIUS.NASIdentifier = "x"
			c.RADIUS.AcctOnOffGroups = []config.AcctOnOffGroup{{Name: "g"}}
			c.Accounting.Lists = nil
			c.Accounting.Local.File = "x"
		}},
	} {
		c := config.Default()
		tc.change(c)
		if got := strings.Join(c.Diff(config.Default()), " "); got != tc.want {
			t.Errorf("Diff() = %q, want %q", got, tc.want)
		}
	}
}
