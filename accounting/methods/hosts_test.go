package methods

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/onoff"
)

// withHosts returns an announcing Spec of a group x with these servers.
func (s *scene) withHosts(version int, hostConfig bool, hosts string) invented {
	i := s.announcing("x", version)
	i.announces.HostConfig, i.hosts = hostConfig, hosts
	return i
}

// TestHostConfig: "radius-server accounting system host-config" (S1, R52: a record when a server is
// added or removed). The servers that stay are told nothing.
func TestHostConfig(t *testing.T) {
	for _, tt := range []struct {
		name       string
		hostConfig bool
		hosts      string   // after the change; a b before
		want       []string // what is sent
	}{
		{"a server is added", true, "a b c", []string{"x: Accounting-On v2 to c"}},
		{"a server is removed", true, "b", []string{"x: Accounting-Off v1 to a"}},
		{"a server is replaced", true, "c a", []string{"x: Accounting-Off v1 to b", "x: Accounting-On v2 to c"}},
		{"another order", true, "b a", nil},
		{"by default nothing is sent while a server stays", false, "a c", nil},
		{"all servers are replaced", true, "c d", []string{"x: Accounting-Off v1", "x: Accounting-On v2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(s *scene) {
				s.apply(s.withHosts(1, tt.hostConfig, "a b"))
				first := s.Statuses()[0].OnOff
				s.newEvents()
				time.Sleep(time.Minute)
				s.apply(s.withHosts(2, tt.hostConfig, tt.hosts))
				s.advance(2 * time.Second)
				var sent []string
				for _, e := range s.newEvents() {
					if strings.Contains(e, "Accounting-") {
						sent = append(sent, e)
					}
				}
				s.compare("sent", tt.want, sent)
				st := s.Statuses()[0].OnOff
				if st.State != onoff.On || st.Blocked || (st.SessionID == first.SessionID) != (tt.name != "all servers are replaced") || st.Server != "server of x" {
					t.Errorf("the status is %+v, before %+v", st, first)
				}
				if n := s.log.Count("Accounting-On/Off answered"); n != 1+len(tt.want) {
					t.Errorf("the log tells of %d answers", n)
				}
				if waits := s.log.Count("Accounting-On waits") > 0; waits && st.SessionID == first.SessionID {
					t.Error("the log tells of an On that is not sent")
				}
				s.cancel()
				s.Wait()
				s.wantSorted("the end", "x: Accounting-Off v2", "x: abandon v2", "x: end v2")
			})
		})
	}
}

// TestHostConfigUnanswered: the On to an added server is repeated until it answers, also over a reload
// that adds another one. Once the server is removed again, it gets an Off with the id of its On, and
// no more Ons. The group is not blocked meanwhile.
func TestHostConfigUnanswered(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.apply(s.withHosts(1, true, "a"))
		s.setSilent("b", true)
		s.apply(s.withHosts(2, true, "a b"))
		s.advance(2*time.Minute + 30*time.Second)
		s.wantSorted("it is repeated", "x: Accounting-On v1", "x: Accounting-On v2 to b", "x: Accounting-On v2 to b", "x: Accounting-On v2 to b",
			"x: end v1", "x: open v1", "x: open v2")
		s.apply(s.withHosts(3, true, "a b c"))
		s.advance(30 * time.Second)
		s.wantSorted("another one is added", "x: Accounting-On v3 to b", "x: Accounting-On v3 to c", "x: end v2", "x: open v3")
		if st := s.Statuses()[0].OnOff; st.Blocked || st.State != onoff.On {
			t.Errorf("the status is %+v", st)
		}
		s.add("x", 1)
		s.want("a record", "x: Start 1 v3")
		s.apply(s.withHosts(4, true, "a c"))
		s.advance(5 * time.Minute)
		s.wantSorted("it is removed", "x: Accounting-Off v3 to b", "x: abandon v3", "x: end v3", "x: open v4")
	})
}

// TestHostConfigID: the Off to a server has the id of its On, if that is known.
func TestHostConfigID(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.apply(s.withHosts(1, false, "a"))
		s.apply(s.withHosts(2, true, "a b")) // the key may change at the same time
		s.apply(s.withHosts(3, true, "a"))
		s.advance(2 * time.Second)
		if len(s.ids) != 2 || s.ids[0] != s.ids[1] {
			t.Errorf("the ids are %q", s.ids)
		}
	})
}

// TestHostConfigOnlyOff: with stop-only an added server gets nothing.
func TestHostConfigOnlyOff(t *testing.T) {
	inBubble(t, func(s *scene) {
		for i, hosts := range []string{"a b", "b c"} {
			spec := s.withHosts(i+1, true, hosts)
			spec.announces.OnlyOff, spec.announces.Blocks = true, false
			s.apply(spec)
			s.advance(2 * time.Second)
		}
		s.wantSorted("the change", "x: Accounting-Off v1 to a", "x: abandon v1", "x: end v1", "x: open v1", "x: open v2")
	})
}

// TestHostConfigThenReplaced: a method whose Accounting-On goes on waits for the Off to a removed
// server. If it is replaced meanwhile, it sends its own Off, and then the next On follows.
func TestHostConfigThenReplaced(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.apply(s.withHosts(1, true, "a b"))
		s.newEvents()
		s.setSilent("b", true)
		s.apply(s.withHosts(2, true, "a"))
		s.apply(s.withHosts(3, true, "z"))
		s.advance(3 * time.Second)
		var sent []string
		for _, e := range s.newEvents() {
			if strings.Contains(e, "Accounting-") {
				sent = append(sent, e)
			}
		}
		s.compare("sent", []string{"x: Accounting-Off v1 to b", "x: Accounting-Off v2", "x: Accounting-On v3"}, sent)
	})
}

// TestHostConfigOnUnanswered: while the On of the group itself is unanswered, a change of the servers
// begins it anew.
func TestHostConfigOnUnanswered(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.setSilent("x", true)
		s.apply(s.withHosts(1, false, "a"))
		s.setSilent("x", false)
		s.apply(s.withHosts(2, false, "a b"))
		synctest.Wait()
		s.wantSorted("the change", "x: Accounting-On v1", "x: Accounting-On v2", "x: end v1", "x: open v1", "x: open v2")
		if st := s.Statuses()[0].OnOff; st.State != onoff.On {
			t.Errorf("the status is %+v", st)
		}
	})
}

// TestHostsOfOtherIdentity: a method that identifies itself in another way has not gone on.
func TestHostsOfOtherIdentity(t *testing.T) {
	inBubble(t, func(s *scene) {
		s.apply(s.withHosts(1, true, "a"))
		s.newEvents()
		other := s.withHosts(2, true, "a")
		other.announces = &accounting.OnOff{Attributes: identity.Attributes, Controls: "c"}
		s.apply(other)
		s.advance(2 * time.Second)
		s.wantSorted("the change", "x: Accounting-Off v1", "x: Accounting-On v2", "x: abandon v1", "x: end v1", "x: open v2")
	})
}
