package methods

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/store"
)

// TestIsUsed: which sessions and records keep the removed group g.
func TestIsUsed(t *testing.T) {
	inBubble(t, func(s *scene) {
		g, r := accounting.Group("g"), &removal{}
		add := func(queue string) {
			s.store.Commit(store.Change{Appends: []store.Append{{Queue: queue, Data: []byte("x")}}}, func(error) {})
		}
		settle := func(queue string, seq uint64) { s.store.Discard([]store.Ack{{Queue: queue, Seq: seq}}) }
		for _, tt := range []struct {
			name   string
			before func()
			live   bool
			want   bool
		}{
			{"a session names it", func() {}, true, true},
			{"none does any more, and its last record is not durable yet", func() { add("group/z") }, false, true},
			{"that waits", func() {}, false, true},
			{"its record is settled, others came since", func() { add("group/z"); settle("group/z", 1) }, false, false},
			{"a record is replayed", func() { add("group/g"); s.flush() }, false, true},
			{"its record is settled", func() { settle("group/g", 1) }, false, false},
			{"what is set aside does not count", func() { add(accounting.SetAsideQueue); s.flush() }, false, false},
			{"it is named again", func() {}, true, true},
			{"and left a record", func() { add("group/z") }, false, true},
		} {
			tt.before()
			if got := s.isUsed(g, r, tt.live); got != tt.want {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		}
	})
}

// TestRemovedWithRecord: a record keeps a removed method running after its session is over.
func TestRemovedWithRecord(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.setSilent("x", true)
		s.apply(s.spec("x", 0))
		s.startSession("x")
		s.add("x", 1)
		s.want("at first", "x: open", "x: Start 1")
		s.live = nil
		s.apply(s.spec("y", 0))
		s.advance(5 * time.Second)
		s.want("removed, with a record", "y: open")
		s.setSilent("x", false)
		s.opened("x").unanswered()
		s.advance(5 * time.Second)
		s.want("the record is delivered", "x: Start 1", "x: end")
		if q := s.queue("x"); q.Queue != "" {
			t.Errorf("it is shown: %+v", q)
		}
		if n := s.log.Count("records wait for a method"); n > 0 {
			t.Error("the log tells of orphans")
		}
	})
}

// TestStartedAgain: a removed method that has ended runs again for a record that is replayed. Its
// error is logged once.
func TestStartedAgain(t *testing.T) {
	inBubble(t, func(s *scene) {
		fault := errors.New("it is broken")
		spec := &failing{Spec: s.spec("x", 0)}
		s.apply(spec)
		s.apply()
		s.advance(2 * time.Second)
		s.want("removed", "x: open", "x: end")
		spec.fault = fault
		s.add("x", 1)
		s.advance(3 * time.Second)
		if n := s.log.Count("removed accounting method still has records"); n != 1 {
			t.Errorf("the log tells %d times that it cannot be opened", n)
		}
		spec.fault = nil
		s.advance(3 * time.Second)
		s.want("it is well again", "x: open", "x: Start 1", "x: end")
	})
}

// failing is a Spec that sometimes cannot be opened.
type failing struct {
	accounting.Spec
	fault error
}

func (f *failing) Open(answered func(), log *slog.Logger) (*accounting.Opened, error) {
	if f.fault != nil {
		return nil, f.fault
	}
	return f.Spec.Open(answered, log)
}

// TestOrphans: records of a method that was removed while no daemon ran are logged once, and
// delivered when the method is configured again.
func TestOrphans(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.add("x", 1)
		s.apply(s.spec("y", 0))
		s.advance(5 * time.Second)
		if n := s.log.Count("queue=group/x records=1"); n != 1 {
			t.Errorf("the log tells of the orphan %d times", n)
		}
		if q := s.queue("x"); !q.Lost || q.Configured || q.Pending != 1 {
			t.Errorf("its queue is %+v", q)
		}
		for queue, want := range map[string]bool{"group/x": false, "group/y": true} {
			if s.Delivers(queue, nil) != want || !s.Delivers(queue, []accounting.MethodName{accounting.Group("y")}) {
				t.Errorf("who delivers %s is wrong", queue)
			}
		}
		s.apply(s.spec("x", 0))
		s.advance(2 * time.Second)
		s.want("it is back", "y: open", "x: open", "x: Start 1", "y: end")
	})
}
