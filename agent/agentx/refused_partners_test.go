//go:build partners

package agentx

import (
	"errors"
	"testing"
	"time"

	"github.com/posteo/go-agentx/pdu"

	"aaasess/internal/partner"
)

// TestPartnerRefusedConnection: snmpd leaves a connection open whose session it has refused and we
// have closed, so its end means that snmpd has stopped.
func TestPartnerRefusedConnection(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			s := partner.Snmpd(t, partner.SnmpdOptions{AgentXNetwork: network})
			cfg := Config{Network: s.AgentXNetwork, Address: s.AgentXAddress}
			first, second := New(cfg, NewFixture(t, 1).Tree), New(cfg, NewFixture(t, 1).Tree)
			go func() { _ = first.Run(t.Context()) }()
			<-first.Ready()
			for _, stops := range []bool{false, true} {
				_, conn, err := second.attempt(t.Context(), func() {})
				if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Code != pdu.ErrorDuplicateRegistration {
					t.Fatalf("%v, want duplicateRegistration", err)
				}
				pause, stopped := 500*time.Millisecond, make(chan struct{})
				if stops {
					pause = time.Minute
					go func() { defer close(stopped); s.Stop() }()
				} else {
					close(stopped)
				}
				if gone := wait(t.Context(), pause, conn); gone != stops {
					t.Errorf("snmpd has ended the connection: %t, want %t", gone, stops)
				}
				<-stopped
			}
		})
	}
}
