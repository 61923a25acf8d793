package outagetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/accounting/radius"
	"aaasess/accounting/radius/radiusnet"

	"github.com/google/go-cmp/cmp"
)

// s4Seconds are the transmissions of S4's example, as S4 lists them, up to the last.
func s4Seconds() []int {
	seconds := []int{0, 5, 10, 15, 25, 45, 85, 165, 325, 645, 1285, 2565, 5125, 8725, 12325}
	for len(seconds) < 36 {
		seconds = append(seconds, seconds[len(seconds)-1]+3600)
	}
	return seconds
}

// S4's example end to end, at a moment when the event is a while ago: 36 transmissions to the second,
// then whoever is next gets the record.
func TestScheduleOfS4(t *testing.T) {
	const late = 7 // the event was so many seconds before
	for _, tt := range []struct {
		name    string
		servers int // of the first group
		next    []accounting.MethodName
	}{
		{"next server", 2, nil},
		{"next method", 1, []accounting.MethodName{accounting.Group("second")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inSite(t, func(s *site) {
				a, b := s.host(0, radiusnet.Server{Handle: silent}), s.host(1, radiusnet.Server{})
				first := radius.Config{Name: "first", Servers: []radius.Server{a.Config(s4)}}
				second := radius.Config{Name: "second", Servers: []radius.Server{b.Config(accounting.Schedule{})}}
				if tt.servers == 2 {
					first.Servers = append(first.Servers, b.Config(accounting.Schedule{}))
				} else {
					s.deliver(accounting.DelivererConfig{}, accounting.Group("second"), s.group(second))
				}
				d := s.deliver(accounting.DelivererConfig{}, accounting.Group("first"), s.group(first))

				at := s.began.Add(-late * time.Second)
				rec := record(1, start, 1, tt.next...)
				rec.At = at
				s.add(queued{accounting.Group("first"), rec})
				seconds := s4Seconds()
				last := seconds[len(seconds)-1]
				s.sleep(last + 4)
				if st := d.Stats(); st.Pending != 1 || st.Moved != 0 || st.DownSince.IsZero() {
					t.Errorf("before the end of the schedule: %+v", st)
				}
				s.sleep(last + 3*3600)

				var want []came
				for _, second := range seconds {
					want = append(want, came{second, "a", "00000001", start})
				}
				want = append(want, came{last + 5, "b", "00000001", start})
				if diff := cmp.Diff(want, s.came()); diff != "" {
					t.Error(diff)
				}
				s.freshness(at)
				if left := s.queue("group/first") + s.queue("group/second") + s.queue(accounting.RefusedQueue); left != 0 {
					t.Errorf("%d records left", left)
				}
			})
		})
	}
}

// A backlog is probed on the schedule of one record: however many wait, the group sees one packet at
// each of its moments, and one a minute of a record that was never sent. By that the backlog follows
// within a minute of the server's return.
func TestScheduleOfBacklog(t *testing.T) {
	inSite(t, func(s *site) {
		a := s.host(0, radiusnet.Server{Handle: func(_ []byte, a radiusnet.Arrival) radiusnet.Reaction {
			if a.At.Sub(s.began) < time.Hour {
				return radiusnet.Reaction{Answer: radiusnet.Silent}
			}
			return radiusnet.Reaction{}
		}})
		g := s.group(radius.Config{Servers: []radius.Server{a.Config(s4)}})
		s.deliver(accounting.DelivererConfig{}, accounting.Group("first"), g)
		const n = 300
		for i := range n {
			s.add(queued{accounting.Group("first"), record(1+idOf(i), start, 1)})
		}
		s.sleep(7200)
		count := map[int]int{}
		for _, c := range s.came() {
			count[c.Second]++
		}
		moments := s4Seconds()
		extra := 0 // when the last packet came that is not of the schedule
		for second := range 3600 {
			planned := slices.Contains(moments, second)
			switch got := count[second]; {
			case planned && got != 1, got > 1:
				t.Errorf("%d packets in second %d", got, second)
			case !planned && got == 1 && second-extra < 60 && extra > 0:
				t.Errorf("packets of records that were never sent in seconds %d and %d", extra, second)
			case !planned && got == 1:
				extra = second
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

// The same record after a restart is at the beginning of its schedule again, and nothing is lost.
func TestScheduleAfterRestart(t *testing.T) {
	inSite(t, func(s *site) {
		a := s.host(0, radiusnet.Server{Handle: silent})
		begin := func() {
			g := s.group(radius.Config{Servers: []radius.Server{a.Config(s4)}})
			s.deliver(accounting.DelivererConfig{}, accounting.Group("first"), g)
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
		for _, c := range s.came() {
			got = append(got, fmt.Sprint(c.Second))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		s.freshness(s.began)
	})
}
