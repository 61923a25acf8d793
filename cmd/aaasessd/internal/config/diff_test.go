package config_test

import (
	"net/netip"
	"strings"
	"testing"

	"aaasess/cmd/aaasessd/internal/config"
)

// running is a configuration that has all that a reload can't change.
func running(t *testing.T) *config.Config {
	t.Helper()
	return mustParse(t, replaced(managed(engineLine, engineLine), "snmp:", "snmp:\n  agentx: {}\n  session-mib-disconnect: true")+
		"radius: {clients: [{name: a, address: 10.0.0.1, secret: s}]}\naccounting: {exec: {default: {record: none}}}\n", ".")
}

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
		{"snmp.responder", func(c *config.Config) { c.SNMP.Responder = nil }},
		{"state snmp.agentx snmp.responder radius.accounting.listen", func(c *config.Config) {
			*c = config.Config{Log: c.Log, Control: c.Control, Sessions: c.Sessions, Store: c.Store}
		}},
		{"snmp.responder.listen", func(c *config.Config) { c.SNMP.Responder.Listen = c.SNMP.Responder.Listen[:1] }},
		{"snmp.responder.engine-id snmp.responder.max-message-size", func(c *config.Config) {
			c.SNMP.Responder.EngineID = nil
			c.SNMP.Responder.MaxMessageSize--
		}},
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
			old := c.SNMP.Responder
			c.SNMP.Responder = &config.Responder{Listen: old.Listen, EngineID: old.EngineID, MaxMessageSize: old.MaxMessageSize}
			c.SNMP.Notifications = nil
			c.RADIUS.Clients = c.RADIUS.Clients[1:]
			c.RADIUS.Servers = []config.Server{{Name: "r1"}}
			c.RADIUS.Groups = []config.Group{{Name: "isp"}}
			c.RADIUS.NASIdentifier = "x"
			c.RADIUS.AcctOnOffGroups = []config.AcctOnOffGroup{{Name: "g"}}
			c.Accounting.Lists = nil
			c.Accounting.Local.File = "x"
		}},
	} {
		c := running(t)
		tc.change(c)
		if got := strings.Join(c.Diff(running(t)), " "); got != tc.want {
			t.Errorf("Diff() = %q, want %q", got, tc.want)
		}
		if got := strings.Join(running(t).Diff(c), " "); got != tc.want {
			t.Errorf("Diff() the other way = %q, want %q", got, tc.want)
		}
	}
}

// A file without SNMP has nothing of it that a reload could not change.
func TestDiffOfNothing(t *testing.T) {
	if got := mustParse(t, minimal, ".").Diff(mustParse(t, minimal, ".")); len(got) > 0 {
		t.Errorf("Diff() = %q, want nothing", got)
	}
}
