package methods

import (
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/delivery"
	"aaasess/accounting/onoff"
)

// systemList configures groups whose first announces for all of them, in this order.
func (s *scene) systemList(specs ...accounting.Spec) Config {
	cfg := Config{Specs: specs}
	for _, spec := range specs {
		cfg.System = append(cfg.System, spec.Name())
	}
	return cfg
}

// TestSystemInOrder: "Additional methods of authentication are used only if the previous method
// returns an error" (S1, R42). The system record goes to the first method that answers.
func TestSystemInOrder(t *testing.T) {
	inBubble(t, func(s *scene) {
		for _, name := range []string{"a", "b"} {
			s.setSilent(name, true)
		}
		s.add("c", 1)
		s.configure(s.systemList(s.announcing("a", 0), s.spec("b", 0), s.spec("c", 0)))
		s.wantSorted("at the start only the first is asked", "a: Accounting-On", "a: open", "b: open", "c: open")
		for i, name := range []string{"a", "b", "c"} {
			if h := s.queue(name).Method.Hold; h != delivery.Held {
				t.Errorf("%s is %v", name, h)
			}
			if st := s.Statuses()[i]; (st.OnOff != nil) != (name == "a") || (st.Monitored != nil) == (name == "a") || (len(st.Next) == 2) != (name == "a") || (st.After == accounting.Group("a")) == (name == "a") {
				t.Errorf("%s has the status %+v", name, st)
			}
		}
		s.opened("a").unanswered()
		synctest.Wait()
		s.want("the first does not answer", "b: Accounting-On")
		s.opened("b").unanswered()
		synctest.Wait()
		s.want("nor does the second", "c: Accounting-On", "c: Start 1")
		if st := s.Statuses()[0].OnOff; st.State != onoff.On || st.Server != "server of c" {
			t.Errorf("the status is %+v", st)
		}
		for _, name := range []string{"a", "b", "c"} {
			if h := s.queue(name).Method.Hold; h != delivery.Open {
				t.Errorf("%s is %v", name, h)
			}
		}
		s.setSilent("a", false)
		time.Sleep(time.Hour)
		s.want("the first is back: a record goes to one method")
		s.cancel()
		s.Wait()
		s.wantSorted("the end", "a: Accounting-Off", "a: abandon", "a: end", "b: end", "c: end")
	})
}

// TestReasons: servers are told why accounting is turned on and off, as Cisco's devices do: reload at
// the start and the end, reconfigure for a change (S1 "System Accounting"). Every server of a list of
// both protocols gets the same record.
func TestReasons(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.setSilent("a", true)
		s.configure(s.systemList(s.announcing("a", 1), s.spec("b", 1)))
		s.opened("a").unanswered()
		synctest.Wait()
		s.compare("the start", []string{"Accounting-On reload", "Accounting-On reload"}, s.newlyTold())
		s.setSilent("a", false)
		s.configure(s.systemList(s.announcing("a", 2), s.spec("b", 1)))
		s.advance(2 * time.Second)
		s.compare("a reload that changes accounting", []string{"Accounting-Off reconfigure", "Accounting-On reconfigure"}, s.newlyTold())
		if err := s.Perform(accounting.Group("a"), true, true, 0); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.compare("an operator", []string{"Accounting-On reconfigure"}, s.newlyTold())
		s.cancel()
		s.Wait()
		s.compare("the end", []string{"Accounting-Off reload"}, s.newlyTold())
	})
	inBubble(t, func(s *scene) {
		s.apply(s.withHosts(1, true, "a"))
		s.apply(s.withHosts(2, true, "a b"))
		synctest.Wait()
		s.compare("a server is added", []string{"Accounting-On reload", "Accounting-On reconfigure"}, s.newlyTold())
	})
}

// TestSystemListRemoved: the Off of a list that a reload removes reaches the method that has answered
// the On.
func TestSystemListRemoved(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.setSilent("a", true)
		s.configure(s.systemList(s.announcing("a", 0), s.spec("b", 0)))
		first := s.opened("a")
		first.unanswered()
		synctest.Wait()
		s.wantSorted("the second answers", "a: Accounting-On", "a: open", "b: Accounting-On", "b: open")
		s.apply(s.spec("a", 1), s.spec("b", 0))
		s.want("the list is removed", "a: open v1", "a: abandon", "a: Accounting-Off")
		first.unanswered()
		synctest.Wait()
		s.wantSorted("the first does not answer", "a: end", "b: Accounting-Off")
	})
}

// TestSystemWithoutFirst: as long as the first method does not run yet, the others wait.
func TestSystemWithoutFirst(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.add("b", 1)
		cfg := Config{Specs: []accounting.Spec{s.spec("b", 0)}, System: []accounting.MethodName{accounting.Group("a"), accounting.Group("b")}}
		s.configure(cfg)
		s.want("without it", "b: open")
		cfg.Specs = append(cfg.Specs, s.announcing("a", 0))
		s.configure(cfg)
		s.want("with it", "a: open", "a: Accounting-On", "b: Start 1")
	})
}

// TestSystemNoneAnswers: the round through all methods is repeated after a minute. Until then
// records may go to methods outside the list.
func TestSystemNoneAnswers(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.setSilent("a", true)
		s.setSilent("b", true)
		s.configure(s.systemList(s.announcing("a", 0), s.spec("b", 0)))
		s.newEvents()
		s.opened("a").unanswered()
		synctest.Wait()
		s.opened("b").unanswered()
		synctest.Wait()
		s.want("one round", "b: Accounting-On")
		for _, name := range []string{"a", "b"} {
			if h := s.queue(name).Method.Hold; h != delivery.Away {
				t.Errorf("%s is %v", name, h)
			}
		}
		s.setSilent("a", false)
		time.Sleep(onoff.DefaultRetry)
		synctest.Wait()
		s.want("the next round", "a: Accounting-On")
	})
}

// TestSystemOffInOrder: at the end the Off goes to the first method that answers. The next methods
// run until then, and their records in flight are abandoned before they get it.
func TestSystemOffInOrder(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.configure(s.systemList(s.announcing("a", 0), s.spec("b", 0)))
		a := s.opened("a")
		s.newEvents()
		s.setSilent("a", true)
		s.cancel()
		synctest.Wait()
		time.Sleep(20 * time.Second)
		synctest.Wait()
		s.want("the end has begun", "a: abandon", "a: Accounting-Off")
		a.unanswered()
		s.Wait()
		s.wantSorted("the first did not answer", "a: end", "b: Accounting-Off", "b: abandon", "b: end")
	})
}

// TestSystemListChanges: what a reload of the list sends.
func TestSystemListChanges(t *testing.T) {
	for _, tt := range []struct {
		name string
		to   func(s *scene) Config
		want []string
	}{
		{"another second method", func(s *scene) Config {
			return s.systemList(s.announcing("a", 1), s.spec("c", 1))
		}, []string{"b: end v1", "c: open v1"}},
		{"the second method changes", func(s *scene) Config {
			return s.systemList(s.announcing("a", 1), s.spec("b", 2))
		}, []string{"b: end v1", "b: open v2"}},
		{"the first method changes", func(s *scene) Config {
			return s.systemList(s.announcing("a", 2), s.spec("b", 1))
		}, []string{"a: Accounting-Off v1", "a: Accounting-On v2", "a: abandon v1", "a: end v1", "a: open v2"}},
		{"the first becomes the only one", func(s *scene) Config {
			return s.systemList(s.announcing("a", 1))
		}, []string{"b: end v1"}},
		{"none", func(s *scene) Config {
			return Config{Specs: []accounting.Spec{s.spec("a", 2), s.spec("b", 1)}}
		}, []string{"a: Accounting-Off v1", "a: abandon v1", "a: end v1", "a: open v2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(s *scene) {
				s.configure(s.systemList(s.announcing("a", 1), s.spec("b", 1)))
				s.newEvents()
				s.configure(tt.to(s))
				s.advance(2 * time.Second)
				s.wantSorted("the change", tt.want...)
			})
		})
	}
}

// TestSystemListTurned: if another method becomes the first, its On waits for the Off of the former
// first method: both may have the same servers behind them. That Off goes to no other method.
func TestSystemListTurned(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.configure(s.systemList(s.announcing("a", 1), s.spec("b", 1)))
		s.newEvents()
		a := s.opened("a")
		s.setSilent("a", true)
		s.configure(s.systemList(s.announcing("b", 2), s.spec("a", 2)))
		s.advance(10 * time.Second)
		s.wantSorted("the Off is in flight", "a: Accounting-Off v1", "a: abandon v1", "a: open v2", "b: end v1", "b: open v2")
		a.unanswered()
		s.advance(2 * time.Second)
		s.wantSorted("it is over", "a: end v1", "b: Accounting-On v2")
	})
}

// TestOnlyOff: with stop-only no Accounting-On is sent, and nothing waits for one.
func TestOnlyOff(t *testing.T) {
	inBubble(t, func(s *scene) {
		x := s.spec("x", 0)
		x.announces = &accounting.OnOff{Attributes: identity.Attributes, OnlyOff: true}
		s.apply(x)
		s.add("x", 1)
		s.want("at the start", "x: open", "x: Start 1")
		s.cancel()
		s.Wait()
		s.want("the end", "x: abandon", "x: Accounting-Off", "x: end")
	})
}

// TestSuppressSystem: over a restart, methods of live sessions are told nothing.
func TestSuppressSystem(t *testing.T) {
	for _, tt := range []struct {
		name     string
		suppress bool
		live     []string // groups of a live session
		want     []string // sent at the start and at the end
	}{
		{"a live session", true, []string{"a"}, nil},
		{"a live session of the second method", true, []string{"b"}, nil},
		{"sessions of another group", true, []string{"c"}, []string{"a: Accounting-On", "a: Accounting-Off"}},
		{"no session", true, nil, []string{"a: Accounting-On", "a: Accounting-Off"}},
		{"by default", false, []string{"a"}, []string{"a: Accounting-On", "a: Accounting-Off"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(s *scene) {
				if tt.live != nil {
					s.startSession(tt.live...)
				}
				cfg := s.systemList(s.announcing("a", 0), s.spec("b", 0))
				cfg.SuppressSystem = tt.suppress
				s.configure(cfg)
				if st := s.Statuses()[0].OnOff; st.State != onoff.On || st.Blocked || (st.Trigger == onoff.TriggerRedundancy) != (tt.want == nil) {
					t.Errorf("the status is %+v", st)
				}
				s.cancel()
				s.Wait()
				var sent []string
				for _, e := range s.newEvents() {
					if e == "a: Accounting-On" || e == "a: Accounting-Off" {
						sent = append(sent, e)
					}
				}
				s.compare("sent", tt.want, sent)
			})
		})
	}
}

// TestSuppressOnlyRestarts: a method that a reload adds or removes is told, with live sessions too.
func TestSuppressOnlyRestarts(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.startSession("a")
		cfg := Config{Specs: []accounting.Spec{s.announcing("a", 1)}, SuppressSystem: true}
		s.configure(cfg)
		s.want("at the start", "a: open v1")
		cfg.Specs = []accounting.Spec{s.announcing("a", 2)}
		s.configure(cfg)
		s.advance(2 * time.Second)
		s.wantSorted("a change", "a: Accounting-Off v1", "a: Accounting-On v2", "a: abandon v1", "a: end v1", "a: open v2")
	})
}

// TestSameMethodAnnounces: a method that needs no new instance runs on when a reload has it send
// Accounting-On and -Off, or no longer.
func TestSameMethodAnnounces(t *testing.T) {
	inBubble(t, func(s *scene) {
		silent, announcing := s.spec("x", 0), s.announcing("x", 0)
		announcing.setting = 1
		s.apply(silent)
		s.want("at the start", "x: open")
		change, err := s.Prepare(Config{Specs: []accounting.Spec{announcing}})
		if err != nil {
			t.Fatal(err)
		}
		change.Discard()
		s.want("discarded")
		s.apply(announcing)
		s.advance(2 * time.Second)
		s.wantSorted("it announces", "x: Accounting-On", "x: setting 1")
		s.add("x", 1)
		s.apply(silent)
		s.advance(2 * time.Second)
		s.add("x", 2)
		s.wantSorted("no longer", "x: Accounting-Off", "x: Start 1", "x: Start 2", "x: abandon", "x: setting 0")
		s.apply(announcing)
		s.advance(2 * time.Second)
		s.wantSorted("again", "x: Accounting-On", "x: setting 1")
		s.cancel()
		s.Wait()
		s.want("the end", "x: abandon", "x: Accounting-Off", "x: end")
	})
}
