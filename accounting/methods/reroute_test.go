package methods

import (
	"errors"
	"testing"
	"testing/synctest"

	"aaasess/accounting"
)

// lists configures these Specs, each in a list of its own name, and one list that records nothing.
func (s *scene) lists(specs ...accounting.Spec) {
	s.Helper()
	cfg := Config{Specs: specs, Lists: map[string][]accounting.MethodName{"none": nil}}
	for _, spec := range specs {
		cfg.Lists[spec.Name().Group()] = []accounting.MethodName{spec.Name()}
	}
	s.configure(cfg)
}

// restart ends the Set and starts another one on its store.
func (s *scene) restart() {
	s.Helper()
	s.end()
	s.newEvents()
	s.open()
}

// TestCheckReroute: which queue may be rerouted to which list, before and after a change and a
// restart that remove its method, and when the method is back.
func TestCheckReroute(t *testing.T) {
	type test struct {
		queue, list string
		want        error
	}
	inBubble(t, func(s *scene) {
		s.setSilent("old", true)
		s.startSession("old")
		for _, when := range []struct {
			name  string
			begin func()
			tests []test
		}{
			{"at first", func() { s.lists(s.spec("old", 0), s.spec("b", 0)); s.add("old", 1) }, []test{
				{"group/old", "b", ErrConfigured},
				{"group/old", "old", ErrConfigured},
				{"group/b", "old", ErrConfigured},
				{"group/old", "none", ErrNoList}, // records nothing
				{"group/old", "default", ErrNoList},
				{"group/none", "b", ErrNoQueue},
				{"old", "b", ErrNoQueue},
				{"group old", "b", ErrNoQueue}, // the name of the method, not of its queue
				{accounting.SetAsideQueue, "b", ErrNoQueue},
			}},
			{"after a change", func() { s.lists(s.spec("new", 0)) }, []test{
				{"group/old", "new", nil},
				{"group/new", "new", ErrConfigured},
				{"group/old", "b", ErrNoList},
			}},
			{"after a restart", func() { s.restart(); s.lists(s.spec("new", 0)) }, []test{
				{"group/old", "new", nil},
				{"group/new", "new", ErrConfigured},
			}},
			{"when it is back", func() { s.lists(s.spec("old", 0), s.spec("b", 0)) }, []test{
				{"group/old", "b", ErrConfigured},
			}},
		} {
			when.begin()
			for _, tt := range when.tests {
				if err := s.checkReroute(tt.queue, tt.list); !errors.Is(err, tt.want) {
					t.Errorf("%s, %s by %s: %v, want %v", when.name, tt.queue, tt.list, err, tt.want)
				}
			}
		}
	})
}

// TestReroute: present and later records of a queue go to a list, also after a restart, by the
// methods that the list has then, until the method of the queue is back.
func TestReroute(t *testing.T) {
	inBubble(t, func(s *scene) {
		reroute := func(list string, want int) {
			t.Helper()
			n, err := s.Reroute("group/old", list)
			synctest.Wait()
			if n != want || err != nil {
				t.Errorf("by %s: %d records, %v", list, n, err)
			}
		}
		s.add("old", 1)
		s.add("old", 2)
		s.lists(s.spec("new", 1))
		if _, err := s.Reroute("group/old", "none"); !errors.Is(err, ErrNoList) {
			t.Errorf("got %v", err)
		}
		s.want("lost", "new: open v1")
		reroute("new", 2)
		s.want("rerouted", "new: Start 1 v1", "new: Start 2 v1")
		if q := s.queue("new"); q.Rerouted != "" {
			t.Errorf("the other queue is %+v", q)
		}
		reroute("new", 0) // with no records

		s.restart()
		s.add("old", 3)
		s.lists(s.spec("new", 2))
		s.want("after a restart", "new: open v2", "new: Start 3 v2")
		if !s.Delivers("group/old", nil) {
			t.Error("records that are replayed into it have no method")
		}
		s.lists(s.spec("other", 0))
		s.add("old", 4)
		if q := s.queue("old"); !q.Lost || q.Rerouted != "new" {
			t.Errorf("the list was removed, and its queue is %+v", q)
		}
		reroute("other", 1)
		s.want("by another list", "other: open", "new: end v2", "other: Start 4")

		s.lists(s.spec("old", 0))
		s.restart()
		s.add("old", 5)
		s.lists(s.spec("other", 0))
		s.want("when it was back", "other: open")
		if q := s.queue("old"); !q.Lost || q.Rerouted != "" {
			t.Errorf("the list is not forgotten: %+v", q)
		}
	})
}
