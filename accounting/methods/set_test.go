package methods

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/onoff"
	"aaasess/sessions"
	"aaasess/store"
)

// TestInventedTransport: a transport that no other package knows works from the first start to its
// removal. Its Spec is all that it needs.
func TestInventedTransport(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.apply(s.announcing("x", 1))
		s.want("at the start", "x: open v1", "x: Accounting-On v1")
		s.startSession("x")
		s.add("x", 1)
		s.want("a record", "x: Start 1 v1")
		if q := s.queue("x"); q.Pending != 0 || q.Method.Delivered != 1 || !q.Configured {
			t.Errorf("its queue is %+v", q)
		}
		s.Reopen()
		s.want("logrotate", "x: reopen v1")

		s.apply(s.announcing("x", 2))
		s.wantSorted("a change", "x: Accounting-Off v1", "x: Accounting-On v2", "x: abandon v1", "x: end v1", "x: open v2")
		s.add("x", 2)
		s.want("a record", "x: Start 2 v2")

		s.apply(s.spec("y", 0))
		s.advance(3 * time.Second)
		s.add("x", 1)
		s.want("removed, and a session is live", "y: open", "x: Start 1 v2")
		if q := s.queue("x"); q.Configured || q.Lost {
			t.Errorf("its queue is %+v", q)
		}
		s.live = nil
		s.advance(3 * time.Second)
		s.want("the session is over", "x: abandon v2", "x: Accounting-Off v2", "x: end v2")
		if n := s.log.Count(`msg="accounting method removed" method="group x"`); n != 1 {
			t.Errorf("the log tells %d times of the removal", n)
		}

		s.apply(s.announcing("x", 2))
		s.wantSorted("it is back", "x: Accounting-On v2", "x: open v2", "y: end")
		s.cancel()
		s.Wait()
		s.want("the end", "x: abandon v2", "x: Accounting-Off v2", "x: end v2")
	})
}

// TestPrepare: an equal method runs on, with its new description. A failed Prepare leaves nothing
// open and the running methods as they are.
func TestPrepare(t *testing.T) {
	fault := errors.New("it is broken")
	inBubble(t, func(s *scene) {
		s.apply(s.spec("x", 1))
		s.want("at the start", "x: open v1")
		for _, tt := range []struct {
			name string
			last func(i *invented)
			want error
		}{
			{"one cannot be opened", func(i *invented) { i.fault = fault }, fault},
			{"one name twice", func(i *invented) { i.name = "y" }, ErrConfig},
			{"it announces and cannot", func(i *invented) { i.announces, i.onlySends = identity, true }, ErrConfig},
			{"it does not say who we are", func(i *invented) { i.announces = &accounting.OnOff{} }, onoff.ErrConfig},
		} {
			last := s.spec("z", 0)
			tt.last(&last)
			if _, err := s.Prepare(Config{Specs: []accounting.Spec{s.spec("x", 2), s.spec("y", 0), last}}); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
			opened := map[string]int{}
			for _, e := range s.newEvents() {
				switch e {
				case "x: open v2", "y: open", "z: open":
					opened[e[:1]]++
				case "x: end v2", "y: end", "z: end":
					opened[e[:1]]--
				default:
					t.Errorf("%s: %s", tt.name, e)
				}
			}
			for name, n := range opened {
				if n != 0 {
					t.Errorf("%s: %d of %s are left open", tt.name, n, name)
				}
			}
		}
		described := s.spec("x", 1)
		described.description = "the first"
		s.apply(described)
		s.want("another description")
		if got := s.Statuses(); len(got) != 1 || got[0].Spec.(invented).description != "the first" {
			t.Errorf("the status is %+v", got)
		}
		c, err := s.Prepare(Config{Specs: []accounting.Spec{s.spec("x", 2)}})
		if err != nil {
			t.Fatal(err)
		}
		c.Discard()
		s.want("discarded", "x: open v2", "x: end v2")
	})
}

// TestReconfigure: a change that the running method can make sends neither Off nor On, and records
// in flight stay in flight, also while a session keeps a removed method. It is applied only once the
// whole change is.
func TestReconfigure(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.apply(s.announcing("x", 1))
		s.want("at the start", "x: open v1", "x: Accounting-On v1")
		since := s.Statuses()[0].Since
		s.setSilent("x", true)
		s.add("x", 1)
		s.advance(time.Second)
		set := func(n int) accounting.Spec {
			spec := s.announcing("x", 1)
			spec.setting = n
			return spec
		}
		c, err := s.Prepare(Config{Specs: []accounting.Spec{set(2)}})
		if err != nil {
			t.Fatal(err)
		}
		c.Discard()
		s.want("prepared and discarded", "x: Start 1 v1")
		if _, err := s.Prepare(Config{Specs: []accounting.Spec{s.spec("y", 0), set(-1)}}); !errors.Is(err, errSetting) {
			t.Errorf("an invalid setting: %v", err)
		}
		s.want("an invalid setting", "y: open", "y: end")
		s.apply(set(3))
		s.advance(3 * time.Second)
		s.want("a change", "x: setting 3 v1")
		st := s.Statuses()[0]
		if !st.Since.After(since) || st.Spec.(invented).setting != 3 || st.OnOff.State != onoff.On {
			t.Errorf("the status is %+v", st)
		}
		s.startSession("x")
		s.apply()
		s.apply(set(4))
		s.want("removed and configured again", "x: setting 4 v1")
		if st := s.Statuses()[0]; !st.Configured {
			t.Errorf("the status is %+v", st)
		}
		s.setSilent("x", false) // so that its Off is answered
	})
}

// TestPerformAtTheEnd: while a method sends its last Off, no On can be requested.
func TestPerformAtTheEnd(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.apply(s.announcing("x", 1))
		s.setSilent("x", true)
		s.cancel()
		synctest.Wait()
		if err := s.Perform(accounting.Group("x"), true, true, 0); !errors.Is(err, accounting.ErrStopped) {
			t.Errorf("an On: %v", err)
		}
		s.want("the end has begun", "x: open v1", "x: Accounting-On v1", "x: abandon v1", "x: Accounting-Off v1")
		s.opened("x").unanswered()
		s.Wait()
	})
}

// TestReady: the Set is ready when the delivery and its first methods run.
func TestReady(t *testing.T) {
	inBubble(t, func(s *scene) {
		for _, method := range []string{"x", "y"} { // y is opened later, and nobody waits for it
			if got, want := isClosed(s.Ready()), method == "y"; got != want {
				t.Errorf("before %s: ready %v, want %v", method, got, want)
			}
			s.apply(s.announcing(method, 1))
			synctest.Wait()
		}
	})
}

// TestFailed: the error of a method is reported.
func TestFailed(t *testing.T) {
	fault := errors.New("it is broken")
	inBubble(t, func(s *scene) {
		broken := s.spec("x", 0)
		broken.runError = fault
		s.apply(broken)
		select {
		case err := <-s.Failed():
			if !errors.Is(err, fault) || err.Error() != "accounting method group x: it is broken" {
				t.Errorf("got %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("no error on Failed")
		}
	})
}

// TestChangesDuringOff: a method is replaced, or removed and configured again, several times while
// its first Off is unanswered. The last On goes out after that Off. The instances in between send
// nothing.
func TestChangesDuringOff(t *testing.T) {
	for name, changes := range map[string]func(s *scene){
		"replaced twice": func(s *scene) {
			s.apply(s.announcing("x", 2))
			s.apply(s.announcing("x", 3))
		},
		"removed and configured again, twice": func(s *scene) {
			s.apply()
			s.apply(s.announcing("x", 2))
			s.apply()
			s.apply(s.announcing("x", 3))
		},
		"replaced, removed and configured again": func(s *scene) {
			s.apply(s.announcing("x", 2))
			s.apply()
			s.apply(s.announcing("x", 3))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(s *scene) {
				s.apply(s.announcing("x", 1))
				first := s.opened("x")
				s.setSilent("x", true)
				changes(s)
				s.wantSorted("the first Off is in flight", "x: Accounting-Off v1", "x: Accounting-On v1", "x: abandon v1",
					"x: open v1", "x: open v2", "x: open v3")
				s.setSilent("x", false)
				first.unanswered()
				s.advance(5 * time.Second)
				s.wantSorted("it is over", "x: Accounting-On v3", "x: end v1", "x: end v2")
				if n := s.log.Count("state=sendAcctOn"); n != 2 {
					t.Errorf("the log tells of %d Accounting-Ons, want 2", n)
				}
				if n := s.log.Count("Accounting-On not sent"); n != 1 {
					t.Errorf("the log tells %d times that an On was not sent", n)
				}
			})
		})
	}
}

// TestApplyAtTheEnd: a change of a method that is ending leaves nothing running.
func TestApplyAtTheEnd(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.apply(s.announcing("x", 1))
		s.setSilent("x", true)
		s.newEvents()
		s.cancel()
		synctest.Wait()
		s.want("the end has begun", "x: abandon v1", "x: Accounting-Off v1")
		s.apply(s.announcing("x", 2))
		s.want("a change", "x: open v2", "x: end v2")
		s.opened("x").unanswered()
		s.Wait()
		s.want("the end", "x: end v1")
	})
}

// TestEqualAcrossTransports: a method whose transport changes is a different method.
func TestEqualAcrossTransports(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.apply(s.spec("x", 1))
		s.apply(wrapped{s.spec("x", 1)})
		s.want("the transport changes", "x: open v1", "x: open v1", "x: end v1")
	})
}

// wrapped is a Spec of another type.
type wrapped struct{ accounting.Spec }

func (w wrapped) Equal(other accounting.Spec) bool { return other == accounting.Spec(w) }

// TestContextOfApply: the end of the context of Apply does not end a method.
func TestContextOfApply(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.apply()
		c, err := s.Prepare(Config{Specs: []accounting.Spec{s.spec("x", 0)}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(s.ctx)
		s.Apply(ctx, c, onoff.TriggerConfigChange)
		cancel()
		s.add("x", 1)
		s.want("it delivers", "x: open", "x: Start 1")
	})
}

// TestWaiting: a start that waits for the address of its user does not wait for its method.
func TestWaiting(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.setSilent("x", true)
		s.apply(s.spec("x", 0))
		s.add("x", 1)
		rec := &accounting.Record{Session: 2, Type: sessions.Start, At: time.Now(), List: "network/default", Hold: time.Hour}
		queue := accounting.Group("x").Queue()
		s.store.Commit(store.Change{Appends: []store.Append{{Queue: queue, Data: accounting.AppendRecord(nil, rec)}}}, func(error) {})
		s.advance(2 * time.Second)
		for name, want := range map[string]bool{"x": true, "y": false} {
			n, configured := s.Waiting(accounting.Group(name))
			if configured != want || want && n != 1 || !want && n != 0 {
				t.Errorf("%s: %d records, configured %t", name, n, configured)
			}
		}
	})
}
