//go:build partners

package agentx_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"aaasess/agent/agentx"
	"aaasess/internal/partner"
)

// sysORTable has the rows that snmpd shows to managers: sysORID and sysORDescr.
const sysORTable = "1.3.6.1.2.1.1.9"

// TestPartnerCapabilities: snmpd lists our modules in its sysORTable as long as the session lasts,
// whether it ends with a Close or the connection is lost.
func TestPartnerCapabilities(t *testing.T) {
	s := partner.Snmpd(t, partner.SnmpdOptions{})
	var conn net.Conn
	sub := agentx.New(agentx.Config{Network: s.AgentXNetwork, Address: s.AgentXAddress, Dial: func(ctx context.Context, network, address string) (_ net.Conn, err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return conn, err
	}}, agentx.NewFixture(t, 2).Identify(t).Tree)
	before := tool(t, s, "snmpwalk", s.Addr, sysORTable)
	listed := func() bool {
		text := strings.Join(tool(t, s, "snmpwalk", s.Addr, sysORTable), "\n")
		for _, id := range []struct{ oid, descr string }{
			{agentx.FixtureIdentity.ID.String(), agentx.FixtureIdentity.Descr},
			{agentx.FixtureOtherIdentity.ID.String(), agentx.FixtureOtherIdentity.Descr},
		} {
			if strings.Count(text, " = OID: "+id.oid+"\n") != 1 || strings.Count(text, ` = STRING: "`+id.descr+`"`) != 1 {
				return false
			}
		}
		return true
	}
	unlisted := func() bool { return len(tool(t, s, "snmpwalk", s.Addr, sysORTable)) == len(before) }

	stop := start(t, sub)
	eventually(t, "our modules are listed", listed)
	// The connection is lost, and comes back.
	conn.Close()
	eventually(t, "the second session", func() bool { return sub.Stats().Connects == 2 })
	eventually(t, "our modules are listed once again", listed)
	if now := tool(t, s, "snmpwalk", s.Addr, sysORTable); len(now) != len(before)+2*3 {
		t.Errorf("%d lines, without us %d:\n%s", len(now), len(before), strings.Join(now, "\n"))
	}
	stop()
	eventually(t, "our modules are gone", unlisted)
	time.Sleep(100 * time.Millisecond)
	if !unlisted() {
		t.Error("they are back")
	}
}
