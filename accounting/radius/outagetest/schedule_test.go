package outagetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/internal/radius/radiusnet"

	"aaasess/internal/radius/client"
	"aaasess/internal/retry"

	"github.com/google/go-cmp/cmp"
)

// s4Seconds returns the times of the transmissions in S4's example, as S4 lists them, up to the
// last.
func s4Seconds() []int {
	seconds := []int{0, 5, 10, 15, 25, 45, 85, 165, 325, 645, 1285, 2565, 5125, 8725, 12325}
	for len(seconds) < 36 {
		seconds = append(seconds, seconds[len(seconds)-1]+3600)
	}
	return seconds
}

// S4's example end to end, some time after the event: 36 transmissions to the second. After them
// the next server of the group is tried, since a group goes from server to server by itself. The
// next method gets the record after the normal retransmissions, when the group is marked down: no
// record waits for a back-off if another method takes it. The back-off continues with a copy.
func TestScheduleOfS4(t *testing.T) {
	const late = 7 // age of the event in seconds
	first, second := accounting.Group("first"), accounting.Group("second")
	seconds := s4Seconds()
	last := seconds[len(seconds)-1]
	for _, tt := range []struct {
		name    string
		servers int // servers of the first group
		next    []accounting.MethodName
		passed  int // when b gets the record
	}{
		{"next server", 2, nil, last + 5},
		{"next method", 1, []accounting.MethodName{second}, 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inSite(t, func(s *site) {
				a, b := s.host(0, radiusnet.Server{Handle: silent}), s.host(1, radiusnet.Server{})
				g := client.GroupConfig{Name: "first", Members: []client.Member{a.Member(s4)}}
				if tt.servers == 2 {
					g.Members = append(g.Members, b.Member(retry.Schedule{}))
				} else {
					s.deliver(accounting.MethodConfig{}, second, s.group(client.GroupConfig{
						Name: "second", Members: []client.Member{b.Member(retry.Schedule{})},
					}))
				}
				s.deliver(accounting.MethodConfig{}, first, s.group(g))

				at := s.began.Add(-late * time.Second)
				rec := record(1, start, 1, tt.next...)
				rec.At = at
				s.add(queued{first, rec})
				s.sleep(19)
				if st := s.delivery.Queue(first.Queue()); st.Pending != 1 || st.Delivered != 0 {
					t.Errorf("before the end of the normal retransmissions: %+v", st)
				}
				s.sleep(last + 4)
				st, m := s.delivery.Queue(first.Queue()), s.delivery.Method(first)
				if gone := tt.passed < last; (st.Pending == 0) != gone || (st.Elsewhere == 1) != gone || m.DownSince.IsZero() {
					t.Errorf("before the end of the schedule: %+v, %+v", st, m)
				}
				s.sleep(last + 3*3600)

				to := map[string][]int{}
				for _, c := range s.arrivals() {
					if c.ID != "00000001" || c.Status != start {
						t.Errorf("came: %+v", c)
					}
					to[c.Server] = append(to[c.Server], c.Second)
				}
				want := map[string][]int{"a": seconds, "b": {tt.passed}}
				if tt.servers == 1 { // no server of the group has answered: probing continues with a new schedule
					for _, second := range seconds {
						if second += last + 6; second < last+3*3600 {
							want["a"] = append(want["a"], second)
						}
					}
				}
				if diff := cmp.Diff(want, to); diff != "" {
					t.Error(diff)
				}
				s.checkRequests(at)
				if left := s.queue("group/first") + s.queue("group/second") + s.queue(accounting.SetAsideQueue); left != 0 {
					t.Errorf("%d records left", left)
				}
			})
		})
	}
}

// A backlog is probed with the schedule of one record, however many records wait. The group gets
// one packet at each time of the schedule, and one a minute of a record that was never sent, but
// not in the half minute before a time of the schedule. So the backlog is sent within a minute
// after the server is up.
func TestScheduleOfBacklog(t *testing.T) {
	inSite(t, func(s *site) {
		a := s.host(0, radiusnet.Server{Handle: func(_ []byte, a radiusnet.Arrival) radiusnet.Reaction {
			if a.At.Sub(s.began) < time.Hour {
				return radiusnet.Reaction{Answer: radiusnet.Silent}
			}
			return radiusnet.Reaction{}
		}})
		g := s.group(client.GroupConfig{Members: []client.Member{a.Member(s4)}})
		s.deliver(accounting.MethodConfig{}, accounting.Group("first"), g)
		const n = 300
		for i := range n {
			s.add(queued{accounting.Group("first"), record(1+idOf(i), start, 1)})
		}
		s.sleep(7200)
		count := map[int]int{}
		moments := s4Seconds()
		extra := 0 // time of the last packet outside of the schedule
		tried := map[string]bool{}
		for _, c := range s.arrivals() {
			count[c.Second]++
			if c.Second >= 3600 {
				continue
			}
			i, planned := slices.BinarySearch(moments, c.Second)
			switch {
			case count[c.Second] > 1:
				t.Errorf("%d packets in second %d", count[c.Second], c.Second)
			case planned:
			case c.Second-extra < 60 && extra > 0:
				t.Errorf("packets of records that were never sent in seconds %d and %d", extra, c.Second)
			case tried[c.ID]:
				t.Errorf("%s in second %d, though it was sent before", c.ID, c.Second)
			case moments[i]-c.Second < 30:
				t.Errorf("a packet in second %d, %d s before that of the schedule", c.Second, moments[i]-c.Second)
			default:
				extra = c.Second
			}
			tried[c.ID] = true
		}
		for _, second := range moments {
			if second < 3600 && count[second] != 1 {
				t.Errorf("%d packets in second %d", count[second], second)
			}
		}
		if extra == 0 {
			t.Error("no record but the first was tried")
		}
		back := 0
		for second := 3600; second < 3600+62; second++ {
			back += count[second]
		}
		if back != n {
			t.Errorf("%d packets in the minute after the server's return, want %d", back, n)
		}
	})
}

// After a restart, the record is at the start of its schedule again, and nothing is lost.
func TestScheduleAfterRestart(t *testing.T) {
	inSite(t, func(s *site) {
		a := s.host(0, radiusnet.Server{Handle: silent})
		begin := func() {
			g := s.group(client.GroupConfig{Members: []client.Member{a.Member(s4)}})
			s.deliver(accounting.MethodConfig{}, accounting.Group("first"), g)
		}
		begin()
		s.add(queued{accounting.Group("first"), record(1, start, 1)})
		s.sleep(100)
		s.stop()
		s.open()
		begin()
		s.sleep(1000)
		var want, got []string
		for _, second := range []int{0, 5, 10, 15, 25, 45, 85, 100, 105, 110, 115, 125, 145, 185, 265, 425, 745} {
			want = append(want, fmt.Sprint(second))
		}
		for _, c := range s.arrivals() {
			got = append(got, fmt.Sprint(c.Second))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		s.checkRequests(s.began)
	})
}
