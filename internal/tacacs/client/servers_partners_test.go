//go:build partners

package client_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aaasess/internal/partner"
	"aaasess/internal/retry"
	"aaasess/internal/servers"
	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
)

// partnerGroup runs a group with a server on loopback until the test ends.
func partnerGroup(t *testing.T, addr, key string, mode bool, log *lines) *tacclient.Group {
	t.Helper()
	m := tacclient.Member{
		Identity: tacclient.Identity{Host: "127.0.0.1", Port: netip.MustParseAddrPort(addr).Port(), Key: tacacs.Key(key)}, SingleConnection: mode,
		Schedule: retry.Schedule{Timeout: 10 * time.Second},
	}
	c := tacclient.New(tacclient.Config{Logger: slog.New(slog.NewTextHandler(log, nil))})
	g, err := c.NewGroup(tacclient.GroupConfig{Members: []tacclient.Member{m}})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = g.Run(context.Background()) })
	t.Cleanup(func() {
		_ = g.Close()
		running.Wait()
	})
	return g
}

// killable is a foreign server.
type killable interface {
	Kill()
	Start()
}

// TestKilledPartner: foreign servers are killed and started again under load, with and without single
// connection mode, and with one that claims it and closes idle connections. Each request is repeated
// until it is accepted, and then the server has stored it.
func TestKilledPartner(t *testing.T) {
	for _, mode := range []bool{false, true} {
		t.Run(fmt.Sprintf("tacquito, single connection %v", mode), func(t *testing.T) {
			p := partner.Tacquito(t, partner.TacquitoOptions{Users: []string{"nemo"}})
			killUnderLoad(t, p, partnerGroup(t, p.Addr, p.Key, mode, &lines{}))
			stored := map[string]bool{}
			for _, r := range p.Records() {
				stored[r.Arg("task_id")] = true
			}
			checkStored(t, stored)
		})
		t.Run(fmt.Sprintf("tacplus, keeps connections %v", mode), func(t *testing.T) {
			p := partner.Tacplus(t, partner.TacplusOptions{SingleConnect: mode})
			killUnderLoad(t, p, partnerGroup(t, p.Addr, p.Key, true, &lines{}))
			stored := map[string]bool{}
			for _, r := range p.Records() {
				stored[strings.TrimPrefix(r.Arg[0], "task_id=")] = true
			}
			checkStored(t, stored)
		})
	}
}

const (
	partnerSenders = 40
	partnerEach    = 50
)

// killUnderLoad kills a server several times while requests are sent, until all are accepted.
func killUnderLoad(t *testing.T, p killable, g *tacclient.Group) {
	t.Helper()
	var accepted atomic.Int64
	var sending sync.WaitGroup
	for sender := range partnerSenders {
		sending.Go(func() {
			for n := range partnerEach {
				for {
					request := newSent(t, sender*partnerEach+n)
					g.Send(request, start)
					if end := <-request.ends; strings.HasPrefix(end, "accepted by") {
						break
					}
					time.Sleep(5 * time.Millisecond) // the caller's schedule
				}
				accepted.Add(1)
			}
		})
	}
	for kill := range int64(3) {
		for accepted.Load() < (kill+1)*partnerSenders*partnerEach/5 {
			time.Sleep(time.Millisecond)
		}
		p.Kill()
		p.Start()
	}
	sending.Wait()
	t.Logf("%+v", g.Stats().Servers[0])
}

func checkStored(t *testing.T, stored map[string]bool) {
	t.Helper()
	if len(stored) != partnerSenders*partnerEach {
		t.Errorf("%d requests are stored, want %d", len(stored), partnerSenders*partnerEach)
	}
}

// TestTacquitoRefuses: tacquito answers ERROR to users that it does not know, and to
// those of a client with another key, which cannot read the answer.
func TestTacquitoRefuses(t *testing.T) {
	p := partner.Tacquito(t, partner.TacquitoOptions{Users: []string{"alice"}})
	for _, tt := range []struct {
		name, key string
		state     servers.State
		log       string
	}{
		{"unknown user", p.Key, servers.Up, "answered ERROR"},
		{"wrong key", "another", servers.Dead, "check the key"},
	} {
		log := &lines{}
		g := partnerGroup(t, p.Addr, tt.key, true, log)
		for range 5 {
			request := newSent(t, 1)
			g.Send(request, start)
			if end := <-request.ends; end != nobody {
				t.Errorf("%s: %s", tt.name, end)
			}
		}
		if st := g.Stats().Servers[0]; st.State != tt.state || !strings.Contains(log.String(), tt.log) {
			t.Errorf("%s: %+v\n%s", tt.name, st, log)
		}
	}
}
