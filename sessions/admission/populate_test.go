package admission

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// entries lists the rows that SNMP has: number, state, user and address.
func (s *stand) entries() (out []string) {
	s.settle()
	v := s.table.View()
	for is := v.EntryFrom(1); is != nil; is = v.EntryFrom(is.ID + 1) {
		out = append(out, fmt.Sprintf("%d %s %s %x", is.ID, is.State, is.User(), is.IPv4))
		if v.Entry(is.ID) != is {
			s.t.Errorf("row %d is not found", is.ID)
		}
	}
	if len(out) != v.Entries() || int(v.HighWater) < v.Entries() {
		s.t.Errorf("%d rows, %d counted, at most %d", len(out), v.Entries(), v.HighWater)
	}
	return out
}

// TestPopulateAtSetup: an accepted login is a row, which its session takes over. Only sessions are what
// the rest of the daemon sees.
func TestPopulateAtSetup(t *testing.T) {
	timed(t, Config{PopulateAtSetup: true}, func(s *stand) {
		s.run()
		check := func(when string, total uint64, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, s.entries()); diff != "" {
				t.Errorf("%s: %s", when, diff)
			}
			if got := s.table.View().Total; got != total {
				t.Errorf("%s: %d sessions in all, want %d", when, got, total)
			}
		}
		bob, carol := loginAt(nas1, "bob", radius.NASPort, 1), loginAt(nas1, "carol", radius.NASPort, 2)
		s.Ask(bob)
		check("asked", 0)
		s.accept(bob, radius.UserName, "bob@isp", radius.FramedIPAddress, 0x0a000001)
		s.accept(preauth(nas1, radius.NASPort, 3))
		s.accept(carol)
		check("accepted", 2, "1 set up bob@isp a000001", "2 set up carol 0")
		if v := s.table.View(); v.Len() != 0 || v.Get(1) != nil || v.From(1) != nil {
			t.Errorf("%d sessions are live", v.Len())
		}
		if _, err := s.table.Disconnect([]sessions.ID{1}, nil); !errors.As(err, new(*sessions.NotLiveError)) {
			t.Errorf("disconnect: %v", err)
		}
		s.start(nas1, "x", "dave")
		is := s.start(nas1, "a", "bob", radius.NASPort, 1)
		if is.ID != 1 || is.State != sessions.Active {
			t.Errorf("the session has number %d, %s", is.ID, is.State)
		}
		check("started", 3, "1 active bob@isp a000001", "2 set up carol 0", "3 active dave 0")
		s.accept(bob, radius.UserName, "bob@isp2") // again, of the live session
		check("again", 3, "1 active bob@isp a000001", "2 set up carol 0", "3 active dave 0")
		s.reject(carol)
		check("rejected", 3, "1 active bob@isp a000001", "3 active dave 0")
		erin := loginAt(nas1, "erin")
		s.accept(erin)
		s.event(sessions.Stop, sessions.Network, nas1, "a", "bob", radius.NASPort, 1)
		check("stopped", 4, "3 active dave 0", "4 set up erin 0")
		time.Sleep(DefaultStartWait)
		synctest.Wait()
		check("expired", 4, "3 active dave 0")
		s.accept(erin)
		s.restart()
		check("after a restart", 5, "3 active dave 0")
		if is := s.start(nas1, "e", "erin"); is.ID <= 5 {
			t.Errorf("number %d again", is.ID)
		}
	})
}

// TestPopulateWithNASNumber: with sync-with-client the row has the number that the session will have.
func TestPopulateWithNASNumber(t *testing.T) {
	s := newStand(t, Config{PopulateAtSetup: true, SyncWithClient: true})
	for _, nas := range []sessions.NAS{nas1, nas2} {
		s.accept(loginAt(nas, "bob", radius.AcctSessionID, "0000002A"))
	}
	s.accept(loginAt(nas1, "bob", radius.AcctSessionID, "none-"))
	if got := s.entries(); !slices.Equal(got, []string{"1 set up bob 0", "2 set up bob 0", "42 set up bob 0"}) {
		t.Errorf("rows %q", got)
	}
	for nas, want := range map[sessions.NAS]sessions.ID{nas1: 42, nas2: 1} {
		if is := s.start(nas, "0000002A", "bob"); is.ID != want || is.Name() != "0000002A" {
			t.Errorf("number %d, name %q", is.ID, is.Name())
		}
	}
	if got := s.table.View(); got.Total != 3 || got.HighWater != 3 {
		t.Errorf("%+v", got.Counters)
	}
}
