//go:build partners

package agentx_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"aaasess/agent/agentx"
	"aaasess/internal/partner"
)

// TestPartnerDuplicate: two subagents with the same subtrees at one snmpd. The second one says why
// it does not serve, and serves after the first one has gone.
func TestPartnerDuplicate(t *testing.T) {
	s := partner.Snmpd(t, partner.SnmpdOptions{})
	cfg := agentx.Config{Network: s.AgentXNetwork, Address: s.AgentXAddress}
	first, second := agentx.NewFixture(t, 2), agentx.NewFixture(t, 3)
	stopFirst := start(t, agentx.New(cfg, first.Tree))

	log := &lockedBuffer{}
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	sub := agentx.New(cfg, second.Tree)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sub.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	eventually(t, "the second is refused", func() bool { return sub.Stats().Reason == agentx.DuplicateRegistration })
	rows := func() int { return len(tool(t, s, "snmpwalk", s.Addr, oid(agentx.FixtureTable, 4))) }
	if n := rows(); n != 2 {
		t.Errorf("%d rows are served, those of the first are 2", n)
	}
	time.Sleep(time.Second) // several attempts
	if n := rows(); n != 2 || sub.Stats().Connected {
		t.Errorf("%d rows are served after more attempts, statistics %+v", n, sub.Stats())
	}
	if text := log.String(); strings.Count(text, "duplicate registration") != 1 || strings.Contains(text, "no connection") {
		t.Errorf("log:\n%s", text)
	}

	stopFirst()
	eventually(t, "the second serves", func() bool { return sub.Stats().Connected })
	if n := rows(); n != 3 {
		t.Errorf("%d rows are served, those of the second are 3", n)
	}
	if st := sub.Stats(); st.Reason != "" || st.Connects != 1 {
		t.Errorf("statistics %+v", st)
	}
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
