package methods

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/onoff"
	"aaasess/sessions"
	"aaasess/store"
)

// onOffGroup is a controlling group, groups that monitor it and one that does neither. Monitoring
// groups come first.
func (s *scene) onOffGroup() Config {
	controller := s.announcing("on", 0)
	controller.announces.Controls = "tied"
	return Config{
		Specs:       []accounting.Spec{s.spec("a monitor", 0), s.spec("free", 0), controller, s.spec("z monitor", 0)},
		OnOffGroups: onoff.Groups{{Name: "tied", Controller: "on", Monitors: []string{"a monitor", "z monitor"}}},
	}
}

// TestHold: while the Accounting-On is unanswered, neither its group nor a group that monitors it
// gets a record, not even at the first moment. Other groups do.
func TestHold(t *testing.T) {
	groups := []string{"a monitor", "free", "on", "z monitor"}
	inBubble(t, func(s *scene) {
		if !s.Blocked("on") || !s.Blocked("free") {
			t.Error("nothing is configured, and a group is not blocked")
		}
		s.setSilent("on", true)
		for i, name := range groups {
			s.add(name, sessions.ID(i+1))
		}
		s.configure(s.onOffGroup())
		holds := func(want map[string]delivery.Hold) {
			t.Helper()
			for name, hold := range want {
				if got := s.queue(name).Method.Hold; got != hold {
					t.Errorf("%s is %v, want %v", name, got, hold)
				}
				if got := s.Blocked(name); got != (hold != delivery.Open) {
					t.Errorf("%s is blocked: %v, and its records are %v", name, got, hold)
				}
			}
		}
		s.wantSorted("at the start", "a monitor: open", "free: Start 2", "free: open", "on: Accounting-On", "on: open", "z monitor: open")
		holds(map[string]delivery.Hold{"a monitor": delivery.Held, "free": delivery.Open, "on": delivery.Held, "z monitor": delivery.Held})
		for _, st := range s.Statuses() {
			name := st.Spec.Name().Group()
			if (st.OnOff != nil) != (name == "on") || (st.Monitored != nil) != (name == "a monitor" || name == "z monitor") {
				t.Errorf("%s has the status %+v", name, st)
			}
			if st.Monitored != nil && !st.Monitored.Blocked || st.OnOff != nil && !st.OnOff.Blocked {
				t.Errorf("%s is not blocked", name)
			}
		}
		s.opened("on").unanswered()
		synctest.Wait()
		holds(map[string]delivery.Hold{"a monitor": delivery.Away, "free": delivery.Open, "on": delivery.Away, "z monitor": delivery.Away})
		s.setSilent("on", false)
		time.Sleep(onoff.DefaultRetry)
		synctest.Wait()
		holds(map[string]delivery.Hold{"a monitor": delivery.Open, "on": delivery.Open, "z monitor": delivery.Open})
		got := s.newEvents()
		slices.Sort(got[1:])
		if want := []string{"on: Accounting-On", "a monitor: Start 1", "on: Start 3", "z monitor: Start 4"}; !slices.Equal(got, want) {
			t.Errorf("it is answered: %q, want %q", got, want)
		}
		if got := s.OnOffGroups(); len(got) != 1 || got[0].Name != "tied" {
			t.Errorf("the groups are %+v", got)
		}
	})
}

// TestOffBeforeOn: a method that is configured again sends its On after the Off of the instance
// before.
func TestOffBeforeOn(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.apply(s.announcing("x", 1))
		s.setSilent("x", true)
		old := s.opened("x")
		s.apply()
		s.want("removed", "x: open v1", "x: Accounting-On v1", "x: abandon v1", "x: Accounting-Off v1")
		s.apply(s.announcing("x", 2))
		s.advance(time.Minute)
		s.want("back", "x: open v2")
		s.setSilent("x", false)
		old.unanswered()
		synctest.Wait()
		s.wantSorted("the Off is over", "x: Accounting-On v2", "x: end v1")
	})
}

// TestOffIsLast: records in flight are abandoned before the Off, and the next instance sends them
// again.
func TestOffIsLast(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.apply(s.announcing("x", 1))
		s.setSilent("x", true)
		s.add("x", 1)
		s.setSilent("x", false)
		s.apply(s.announcing("x", 2))
		s.advance(2 * time.Second)
		got := s.newEvents()
		off, last := slices.Index(got, "x: Accounting-Off v1"), slices.Index(got, "x: Start 1 v1")
		if on, again := slices.Index(got, "x: Accounting-On v2"), slices.Index(got, "x: Start 1 v2"); last < 0 || last > off || off > on || on > again {
			t.Errorf("the order is %q", got)
		}
	})
}

// TestStoreFails: after the store has failed, nothing waits for an Off, neither before it is sent
// nor while it is in flight. A failed store leaves goroutines behind, so the test uses real time. A
// bug would make it hang.
func TestStoreFails(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before bool // the store fails before the end
		want   []string
	}{
		{"before the end", true, []string{"x: end"}},
		{"while the Off is sent", false, []string{"x: abandon", "x: Accounting-Off", "x: end"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			on, off := make(chan struct{}), make(chan struct{})
			s := &scene{T: t, disk: store.NewDisk()}
			s.once = map[string]chan struct{}{"x: Accounting-On": on, "x: Accounting-Off": off}
			s.open()
			c, err := s.Prepare(Config{Specs: []accounting.Spec{s.announcing("x", 0)}})
			if err != nil {
				t.Fatal(err)
			}
			s.Apply(s.ctx, c, onoff.TriggerStartUp)
			s.Deliver(s.ctx)
			<-on
			s.setSilent("x", true)
			s.newEvents()
			if !tt.before {
				s.cancel()
				<-off
			}
			s.disk.Break(errors.New("broken"))
			s.store.Commit(store.Change{Puts: []store.Put{{Key: []byte("k"), Value: []byte("v")}}}, func(error) {})
			<-s.store.Failed()
			s.end()
			s.want("the end", tt.want...)
		})
	}
}

// TestPerform: which methods' Accounting-On can be requested.
func TestPerform(t *testing.T) {
	inBubble(t, func(s *scene) {
		removed := s.announcing("removed", 0)
		s.startSession("removed")
		cfg := s.onOffGroup()
		cfg.Specs = append(cfg.Specs, removed)
		s.configure(cfg)
		s.configure(s.onOffGroup())
		s.newEvents()
		for _, tt := range []struct {
			name  string
			force bool
			want  error
			sent  []string
		}{
			{"none", false, ErrNoMethod, nil},
			{"removed", false, ErrNoMethod, nil},
			{"a monitor", false, ErrNoOnOff, nil},
			{"on", false, onoff.ErrAcknowledged, nil},
			{"on", true, nil, []string{"on: Accounting-On"}},
		} {
			if err := s.Perform(accounting.Group(tt.name), true, tt.force, 0); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
			synctest.Wait()
			s.want(tt.name, tt.sent...)
		}
	})
}
