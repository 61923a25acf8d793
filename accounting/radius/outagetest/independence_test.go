package outagetest

import (
	"fmt"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius/radiusnet"
	"aaasess/sessions"

	"aaasess/internal/radius/client"
	"aaasess/internal/retry"

	"github.com/google/go-cmp/cmp"
)

// One dead group delays no other. What a group on the same store gets, and when, is the same to the
// nanosecond whether the other group is dead with a growing backlog or does not exist.
func TestDeadGroupDelaysNoOther(t *testing.T) {
	schedules := map[string]retry.Schedule{
		"no back-off": {},
		"back-off":    s4,
	}
	for name, schedule := range schedules {
		t.Run(name, func(t *testing.T) {
			alone := twoGroups(t, false, schedule)
			if len(alone) == 0 {
				t.Fatal("nothing arrived")
			}
			if diff := cmp.Diff(alone, twoGroups(t, true, schedule)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// twoGroups sends sessions to a group that is up. With withDead, the same sessions and as many
// others go to a dead group too. It returns what the first group got.
func twoGroups(t *testing.T, withDead bool, schedule retry.Schedule) (got []string) {
	dead, alive := accounting.Group("dead"), accounting.Group("alive")
	inSite(t, func(s *site) {
		never := []radiusnet.Interval{{}}
		var servers []client.Member
		for n := range 2 {
			servers = append(servers, s.host(n, radiusnet.Server{Link: radiusnet.Link{Dead: never}}).Member(schedule))
		}
		h := s.host(2, radiusnet.Server{Link: radiusnet.Link{Delay: 3 * time.Millisecond}})
		if withDead {
			s.deliver(accounting.MethodConfig{}, dead, s.group(client.GroupConfig{Name: "dead", Members: servers}))
		}
		s.deliver(accounting.MethodConfig{}, alive, s.group(client.GroupConfig{
			Name: "alive", Members: []client.Member{h.Member(schedule)},
		}))
		const seconds, each = 400, 10
		for second := range seconds {
			for i := range each {
				id := sessions.ID(second*each+i)/4 + 1
				typ := [...]sessions.EventType{start, interim, interim, stop}[i%4]
				rec := record(id, typ, uint32(second))
				if withDead { // a broadcast list: one change, two queues
					s.add(queued{dead, rec}, queued{alive, rec}, queued{dead, record(id+1<<20, typ, 0)})
				} else {
					s.add(queued{alive, rec})
				}
			}
			s.sleep(second + 1)
		}
		s.sleep(seconds + 60)
		for _, a := range h.Arrivals() {
			if a.DelayTime != 0 {
				t.Errorf("%v: Acct-Delay-Time %d", a.At.Sub(s.began), a.DelayTime)
			}
			got = append(got, fmt.Sprint(a.At.Sub(s.began), a.SessionID, a.StatusType))
		}
		if n := s.queue(alive.Queue()); n != 0 || len(got) != seconds*each {
			t.Errorf("alive: %d arrived, %d left", len(got), n)
		}
		if withDead {
			st, m := s.delivery.Queue(dead.Queue()), s.delivery.Method(dead)
			if st.Delivered != 0 || st.Pending+st.Superseded != 2*seconds*each || m.DownSince.IsZero() {
				t.Errorf("dead: %+v, %+v", st, m)
			}
		}
	})
	return got
}

// Records of a group that is down go to the next method when they should: the first one after its
// schedule, the others at once.
func TestFailoverOfDeadGroup(t *testing.T) {
	inSite(t, func(s *site) {
		a := s.host(0, radiusnet.Server{Handle: silent})
		b := s.host(1, radiusnet.Server{})
		first, second := accounting.Group("first"), accounting.Group("second")
		s.deliver(accounting.MethodConfig{}, first, s.group(client.GroupConfig{Members: []client.Member{a.Member(retry.Schedule{})}}))
		s.deliver(accounting.MethodConfig{}, second, s.group(client.GroupConfig{Members: []client.Member{b.Member(retry.Schedule{})}}))
		for i := range 60 {
			s.add(queued{first, record(sessions.ID(i+1), start, 1, second)})
			s.sleep(i + 1)
		}
		s.sleep(120)
		late := map[string]int{}
		for _, c := range s.arrivals() {
			if c.Server == "b" {
				late[c.ID] = c.Second
			}
		}
		for i := range 60 {
			// The first record is tried for 20 s. Records that arrive meanwhile go on together with
			// it, and later ones at once, except for the next probe.
			id, want := sessions.ID(i+1).String(), max(20, i)
			got, ok := late[id]
			if !ok || got != want && got != want+20 {
				t.Errorf("%s of second %d came in second %d, want %d", id, i, got, want)
			}
		}
		if n := s.queue(first.Queue()); n != 0 {
			t.Errorf("%d left", n)
		}
	})
}
