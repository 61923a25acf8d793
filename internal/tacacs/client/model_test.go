package client_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"aaasess/internal/tacacs"
	tacclient "aaasess/internal/tacacs/client"
	"aaasess/internal/tacacs/tacacstest"
)

// modelStep is something that happens.
type modelStep struct {
	what     string
	server   int
	requests int
	behavior tacacstest.Behavior
	cfg      tacclient.GroupConfig
	wait     time.Duration
	settled  bool // everything that follows happens before the next step
}

// modelPlan is all that happens in a run.
type modelPlan struct {
	hosts []string
	cfg   tacclient.GroupConfig
	steps []modelStep
}

// modelBehaviors is what servers do.
var modelBehaviors = []tacacstest.Behavior{
	{},
	{CloseAfter: 1},
	{CloseAfter: 2},
	{OneSession: true},
	{Delay: 300 * time.Millisecond},
	{Delay: 1700 * time.Millisecond},
	{Silent: true},
	{Stall: true},
	{Cut: 14},
	{Garbage: []byte("garbage garbage")},
	{OtherSession: true},
	{Key: wrongKey},
	{Status: tacacs.StatusError},
	{Status: tacacs.StatusFollow},
	{Unencrypted: true},
}

func drawPlan(t *rapid.T) (p modelPlan) {
	for i := range rapid.IntRange(1, 3).Draw(t, "servers") {
		p.hosts = append(p.hosts, fmt.Sprintf("192.0.2.%d", i+1))
	}
	config := rapid.Custom(func(t *rapid.T) tacclient.GroupConfig {
		cfg := tacclient.GroupConfig{HoldDown: time.Duration(rapid.IntRange(-1, 3).Draw(t, "hold-down")) * time.Second}
		for _, host := range p.hosts {
			m := to(host)
			m.SingleConnection = rapid.Bool().Draw(t, "single")
			m.Connections = rapid.IntRange(1, 3).Draw(t, "connections")
			m.Schedule.Retransmit = rapid.IntRange(0, 2).Draw(t, "retransmit")
			cfg.Members = append(cfg.Members, m)
		}
		return cfg
	})
	p.cfg = config.Draw(t, "config")
	step := rapid.Custom(func(t *rapid.T) modelStep {
		return modelStep{
			what:     rapid.SampledFrom([]string{"send", "behave", "kill", "start", "wait", "abandon", "reconfigure"}).Draw(t, "what"),
			server:   rapid.IntRange(0, len(p.hosts)-1).Draw(t, "server"),
			requests: rapid.IntRange(1, 40).Draw(t, "requests"),
			behavior: rapid.SampledFrom(modelBehaviors).Draw(t, "behavior"),
			cfg:      config.Draw(t, "config"),
			wait:     time.Duration(rapid.IntRange(1, 3000).Draw(t, "milliseconds")) * time.Millisecond,
			settled:  rapid.Bool().Draw(t, "settled"),
		}
	})
	p.steps = rapid.SliceOfN(step, 1, 40).Draw(t, "steps")
	return p
}

// TestAgainstModel: whatever servers do and whenever, each request has exactly one result, within
// the time of its schedules, and one that was accepted is at that server. When the servers are well
// again, so is the group. Nothing is left.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt)
		var faults []string
		withRig(t, func(r *rig) { faults = runPlan(r, &p) })
		for _, fault := range faults {
			rt.Error(fault)
		}
	})
}

// modelRun is a run of a plan.
type modelRun struct {
	*rig
	plan    *modelPlan
	servers []*tacacstest.Server
	group   *tacclient.Group
	all     []*sent
	stopped map[int]bool
	faults  []string
}

func runPlan(r *rig, p *modelPlan) []string {
	m := &modelRun{rig: r, plan: p, stopped: map[int]bool{}}
	for _, host := range p.hosts {
		m.servers = append(m.servers, r.host(host, tacacstest.Behavior{}))
	}
	var err error
	if m.group, err = m.client.NewGroup(p.cfg); err != nil {
		return []string{err.Error()}
	}
	var running sync.WaitGroup
	running.Go(func() { _ = m.group.Run(context.Background()) })
	for i := range p.steps {
		m.step(&p.steps[i])
	}
	m.finish()
	_ = m.group.Close()
	running.Wait()
	synctest.Wait()
	for i, s := range m.servers {
		if n := s.Open(); n != 0 {
			m.fault("%d connections to server %d are open", n, i)
		}
	}
	return m.faults
}

func (m *modelRun) fault(format string, args ...any) {
	m.faults = append(m.faults, fmt.Sprintf(format, args...))
}

func (m *modelRun) send(n int) {
	for range n {
		m.all = append(m.all, m.rig.send(m.group, len(m.all)))
	}
}

func (m *modelRun) step(step *modelStep) {
	s := m.servers[step.server]
	switch step.what {
	case "send":
		m.send(step.requests)
	case "behave":
		s.Set(step.behavior)
	case "kill":
		s.Stop()
		m.stopped[step.server] = true
	case "start":
		if m.stopped[step.server] {
			_ = s.Start()
			m.stopped[step.server] = false
		}
	case "abandon":
		m.group.Abandon()
	case "reconfigure":
		apply, err := m.group.Reconfigure(step.cfg)
		if err != nil || apply == nil {
			m.fault("cannot be reconfigured: %v", err)
			return
		}
		apply()
	case "wait":
		time.Sleep(step.wait)
	}
	if step.settled {
		synctest.Wait()
	}
}

// finish waits for all results and checks them. Then the servers are well, and all connections new.
func (m *modelRun) finish() {
	// Slow servers answer one request after the other, and each answer prolongs the waiting.
	time.Sleep(time.Duration(len(m.all)+30) * 2 * time.Second)
	synctest.Wait()
	m.check(m.all, false)
	for i, st := range m.group.Stats().Servers {
		if st.PendingRequests != 0 {
			m.fault("server %d: %+v", i, st)
		}
	}
	for i, s := range m.servers {
		s.Set(tacacstest.Behavior{})
		if m.stopped[i] {
			_ = s.Start()
		}
	}
	m.send(1)                   // finds the connections that stall
	time.Sleep(4 * time.Second) // longer than each hold-down
	for _, s := range m.servers {
		s.Stop()
		_ = s.Start()
	}
	synctest.Wait()
	before := len(m.all)
	m.send(20)
	time.Sleep(10 * time.Millisecond)
	synctest.Wait()
	m.check(m.all[before:], true)
	for _, s := range m.servers {
		for _, err := range s.Problems() {
			m.fault("%v", err)
		}
	}
}

func (m *modelRun) check(requests []*sent, wantAccepted bool) {
	at := map[string]map[string]int{}
	for i, host := range m.plan.hosts {
		at[host] = tasks(m.servers[i])
	}
	for _, s := range requests {
		select {
		case end := <-s.ends:
			host, accepted := strings.CutPrefix(end, "accepted by of ")
			switch {
			case accepted && at[host][fmt.Sprint(s.number)] == 0:
				m.fault("request %d is not at %s", s.number, host)
			case accepted:
			case wantAccepted || end != nobody && end != "tacacs: group was closed" && end != "tacacs: too many requests in flight":
				m.fault("request %d: %s", s.number, end)
			}
		default:
			m.fault("request %d has no result", s.number)
		}
	}
}
