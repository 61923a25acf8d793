//go:build partners

package partner

import (
	"strings"
	"testing"
	"time"
)

func TestSnmptrapd(t *testing.T) {
	p := Snmptrapd(t, TrapdOptions{Config: []string{"authCommunity log public"}})
	send := func(kind, community string) {
		t.Helper()
		Run(t, 5*time.Second, kind, "-v2c", "-c", community, p.Addr, "", ".1.3.6.1.6.3.1.1.5.1", ".1.3.6.1.2.1.1.5.0", "s", "partner")
	}
	send("snmptrap", "public")
	send("snmptrap", "other") // not accepted
	p.AwaitGot(1, 5*time.Second)
	p.Restart()
	send("snmpinform", "public")
	got := p.AwaitGot(2, 5*time.Second)
	want := []string{"TRAP2, SNMP v2c, community public|", "INFORM, SNMP v2c, community public|"}
	for i, line := range got {
		if i >= len(want) || !strings.HasPrefix(line, want[i]) || !strings.Contains(line, `.1.3.6.1.2.1.1.5.0 = STRING: "partner"`) {
			t.Errorf("notification %d: %q", i+1, line)
		}
	}
}
