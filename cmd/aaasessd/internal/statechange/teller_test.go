package statechange

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/servers"
	"aaasess/mib"
	"aaasess/mib/cas"
)

// scene is a Teller that runs in a bubble, with the servers "four" (of index 3) and "six", which has no
// row.
type scene struct {
	*Teller
	t *testing.T

	mu       sync.Mutex // guards the fields below
	enabled  bool
	gone     bool // no server is in the view
	own      []string
	toMaster []string
	answer   func() error // of the master agent
}

func newScene(t *testing.T, change func(*Config)) *scene {
	t.Helper()
	s := &scene{t: t, enabled: true, answer: func() error { return nil }}
	cfg := Config{
		Enabled: func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.enabled },
		View:    s.view,
		Ways: Ways{
			Notify: func(trap mib.OID, vbs ...mib.Varbind) error {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.own = append(s.own, text(trap, vbs))
				return errors.New("the queue of a target is full")
			},
			Master: func(_ context.Context, trap mib.OID, vbs []mib.Varbind) error {
				s.mu.Lock()
				answer := s.answer
				s.toMaster = append(s.toMaster, text(trap, vbs))
				s.mu.Unlock()
				return answer()
			},
		},
	}
	if change != nil {
		change(&cfg)
	}
	s.Teller = New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *scene) view() *servers.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return &servers.View{}
	}
	later := servers.Lifetime{Dead: true, TotalDead: 99 * time.Hour} // of a later change, or of now
	return &servers.View{Entries: []servers.Entry{
		{Identity: servers.Identity{Protocol: servers.RADIUS, Name: "four"}, Index: 3, Addr: netip.MustParseAddr("192.0.2.1"), State: later},
		{Identity: servers.Identity{Protocol: servers.RADIUS, Name: "six"}, Index: 4, Addr: netip.MustParseAddr("2001:db8::1"), State: later},
	}}
}

// text is a notification: "3 dead 1 2", with the index, casState, casPreviousStateDuration and
// casTotalDeadTime in seconds.
func text(trap mib.OID, vbs []mib.Varbind) string {
	want, _ := cas.StateChange(&servers.Entry{})
	if trap.String() != want.String() || len(vbs) != 3 {
		return fmt.Sprint("not casServerStateChange: ", trap, vbs)
	}
	name := vbs[0].Name
	state := map[int32]string{1: "up", 2: "dead"}[vbs[0].Value.Int32()]
	return fmt.Sprint(name[len(name)-1], " ", state, " ", vbs[1].Value.Int32()/100, " ", vbs[2].Value.Int32()/100)
}

// happen tells the Teller of n changes, one a second. The first is a death. Each state lasts a second.
func (s *scene) happen(name string, n int) {
	for i := range n {
		dead := time.Duration((i + 1) / 2)
		s.Changed(servers.Change{Protocol: servers.RADIUS, Name: name, Lifetime: servers.Lifetime{Dead: i%2 == 0, Previous: time.Second, TotalDead: dead * time.Second}})
		if i < n-1 {
			time.Sleep(time.Second)
		}
	}
	synctest.Wait()
}

// want checks what was told, to our own targets and to the master agent.
func (s *scene) want(stats Stats, own ...string) {
	s.t.Helper()
	s.wantMaster(own...)
	got := s.Stats()
	got.Master = nil
	s.set(func() {
		if got := strings.Join(s.own, ", "); got != strings.Join(own, ", ") {
			s.t.Errorf("our targets are told %s, want %s", got, strings.Join(own, ", "))
		}
		stats.Enabled = s.enabled
	})
	if diff := cmp.Diff(stats, got); diff != "" {
		s.t.Errorf("(-want +got):\n%s", diff)
	}
}

func (s *scene) wantMaster(want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := strings.Join(s.toMaster, ", "); got != strings.Join(want, ", ") {
		s.t.Errorf("the master agent is told %s, want %s", got, strings.Join(want, ", "))
	}
}

func (s *scene) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func TestTeller(t *testing.T) {
	burst := []string{"3 dead 1 0", "3 up 1 1", "3 dead 1 1", "3 up 1 2", "3 dead 1 2", "3 up 1 3", "3 dead 1 3", "3 up 1 4", "3 dead 1 4", "3 up 1 5"}
	for name, test := range map[string]func(*scene){
		"a death and a return a second apart": func(s *scene) {
			s.happen("four", 2)
			s.want(Stats{SenderStats: SenderStats{Told: 2}}, "3 dead 1 0", "3 up 1 1")
		},
		"at the same moment": func(s *scene) {
			for _, dead := range []bool{true, false} {
				s.Changed(servers.Change{Protocol: servers.RADIUS, Name: "four", Lifetime: servers.Lifetime{Dead: dead}})
			}
			synctest.Wait()
			s.want(Stats{SenderStats: SenderStats{Told: 2}}, "3 dead 0 0", "3 up 0 0")
		},
		"a server without a row": func(s *scene) {
			s.happen("six", 1)
			s.want(Stats{WithoutRow: 1})
		},
		"an unknown server": func(s *scene) {
			s.Changed(servers.Change{Protocol: servers.TACACS, Name: "four"})
			synctest.Wait()
			s.want(Stats{WithoutRow: 1})
		},
		"disabled, and enabled": func(s *scene) {
			s.set(func() { s.enabled = false })
			s.happen("four", 1)
			s.want(Stats{Disabled: 1})
			s.set(func() { s.enabled = true })
			s.happen("four", 1)
			s.want(Stats{SenderStats: SenderStats{Told: 1}, Disabled: 1}, "3 dead 1 0")
		},
		"a flapping server is told of in the end": func(s *scene) {
			s.happen("four", 13) // the last one 12 s after the first
			s.want(Stats{SenderStats: SenderStats{Told: 10, Suppressed: 2, Held: 1}}, burst...)
			time.Sleep(Every - 12*time.Second - time.Millisecond)
			synctest.Wait()
			s.want(Stats{SenderStats: SenderStats{Told: 10, Suppressed: 2, Held: 1}}, burst...)
			time.Sleep(time.Millisecond)
			synctest.Wait()
			s.want(Stats{SenderStats: SenderStats{Told: 11, Suppressed: 2}}, append(burst, "3 dead 1 6")...)
		},
		"the end while it flaps": func(s *scene) {
			s.happen("four", 11)
			s.Flush()
			s.Flush()
			synctest.Wait()
			s.want(Stats{SenderStats: SenderStats{Told: 11}}, append(burst, "3 dead 1 5")...)
		},
		"a server that is destroyed while it flaps": func(s *scene) {
			s.happen("four", 11)
			s.set(func() { s.gone = true })
			time.Sleep(Every)
			synctest.Wait()
			s.want(Stats{SenderStats: SenderStats{Told: 10}, WithoutRow: 1}, burst...)
		},
		"disabled while it flaps": func(s *scene) {
			s.happen("four", 11)
			s.set(func() { s.enabled = false })
			time.Sleep(Every)
			synctest.Wait()
			s.want(Stats{SenderStats: SenderStats{Told: 10}, Disabled: 1}, burst...)
		},
		"disabled while it flaps, and enabled": func(s *scene) {
			s.happen("four", 11)
			s.set(func() { s.enabled = false })
			time.Sleep(Every)
			synctest.Wait()
			s.set(func() { s.enabled = true })
			for _, dead := range []bool{false, true} {
				s.Changed(servers.Change{Protocol: servers.RADIUS, Name: "four", Lifetime: servers.Lifetime{Dead: dead}})
			}
			synctest.Wait()
			s.want(Stats{SenderStats: SenderStats{Told: 10, Suppressed: 1, Held: 1}, Disabled: 1}, burst...)
			time.Sleep(Every)
			synctest.Wait()
			s.want(Stats{SenderStats: SenderStats{Told: 11, Suppressed: 1}, Disabled: 1}, append(burst, "3 dead 0 0")...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(newScene(t, nil)) })
		})
	}
}

// TestSlowMaster: a master agent that does not answer delays neither the clients nor our own targets. Its
// queue keeps the last change.
func TestSlowMaster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, nil)
		s.Teller.master.limit = 2
		held := make(chan error)
		s.set(func() { s.answer = func() error { return <-held } })
		s.happen("four", 6)
		s.set(func() {
			if len(s.own) != 6 {
				t.Errorf("our targets are told %d", len(s.own))
			}
		})
		s.wantMaster("3 dead 1 0")
		if diff := cmp.Diff(&MasterStats{Waiting: 3, Dropped: 3}, s.Stats().Master); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, err := range []error{errors.New("refused"), nil, nil} {
			held <- err
			synctest.Wait()
		}
		s.wantMaster("3 dead 1 0", "3 dead 1 2", "3 up 1 3")
		if diff := cmp.Diff(&MasterStats{Accepted: 2, Failed: 1, Dropped: 3, Error: "refused"}, s.Stats().Master); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestNobody: without targets and without a master agent nothing fails.
func TestNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, func(c *Config) { c.Notify, c.Master = nil, nil })
		s.happen("four", 1)
		if got := s.Stats(); got.Told != 1 || got.Master != nil {
			t.Errorf("%+v", got)
		}
	})
}

// TestBeforeRun: changes that happen before Run are told by Run.
func TestBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		s := &scene{t: t}
		teller := New(Config{
			Enabled: func() bool { return true }, View: s.view,
			Ways: Ways{Notify: func(trap mib.OID, vbs ...mib.Varbind) error { got = append(got, text(trap, vbs)); return nil }},
		})
		teller.Changed(servers.Change{Protocol: servers.RADIUS, Name: "four"})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _ = teller.Run(ctx) }()
		synctest.Wait()
		if strings.Join(got, ", ") != "3 up 0 0" {
			t.Errorf("told %q", got)
		}
	})
}
