package radius_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	acctradius "aaasess/accounting/radius"
	"aaasess/internal/radius"
	"aaasess/internal/radius/client"
	"aaasess/internal/radius/radiusnet"
	"aaasess/internal/retry"
)

// accountingOn is an Accounting-On (RFC 2866 section 5.1).
func accountingOn(id string) *accounting.Record {
	attrs := radius.AppendUint32(nil, radius.AcctStatusType, 7)
	attrs = radius.AppendAttribute(attrs, radius.AcctSessionID, id)
	return &accounting.Record{At: time.Now(), Attrs: radius.Attributes(attrs)}
}

// answered is the result of an announcement.
type answered struct {
	Second int
	Server string
	Err    string
}

// announce sends an announcement and waits for its result.
func (w *world) announce(id string) answered {
	ch := make(chan answered)
	w.group.Announce(accountingOn(id), func(server string, err error) {
		a := answered{Second: int(time.Since(w.began) / time.Second), Server: server}
		if err != nil {
			a.Err = err.Error()
		}
		ch <- a
	})
	return <-ch
}

// TestAnnounceTo: only one server of the group gets the announcement, with the normal transmissions.
func TestAnnounceTo(t *testing.T) {
	for _, tc := range []struct {
		name      string
		algorithm client.Algorithm
		up        bool
		want      string
		came      string
	}{
		{"it answers", client.Direct, true, "b", "b"},
		{"it does not", client.Direct, false, "", "bb"},
		{"round-robin", client.RoundRobin, true, "b", "b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				for i := range 3 {
					s := radiusnet.Server{}
					if i == 1 && !tc.up {
						s.Handle = silent
					}
					w.add(s)
				}
				w.start(acctradius.Config{Algorithm: tc.algorithm}, retry.Schedule{Retransmit: 1})
				ch := make(chan string)
				w.group.AnnounceTo(1, accountingOn("on"), func(server string, err error) {
					if (err == nil) != tc.up || err != nil && !errors.Is(err, accounting.ErrNoResponse) {
						t.Error(err)
					}
					ch <- server
				})
				if got := <-ch; got != tc.want {
					t.Errorf("answered by %q", got)
				}
				came := ""
				for _, a := range w.net.Arrivals() {
					came += a.Server
				}
				if came != tc.came {
					t.Errorf("went to %s, want %s", came, tc.came)
				}
			})
		})
	}
}

func TestAnnounce(t *testing.T) {
	unanswered := accounting.ErrNoResponse.Error()
	for _, tc := range []struct {
		name      string
		algorithm client.Algorithm
		up        []bool
		schedule  retry.Schedule
		before    int // records sent before, which find out which server is dead; the announcement is in this second
		want      answered
		came      string // servers, in order
	}{
		{"the first answers", client.Direct, []bool{true, true}, retry.Schedule{}, 0, answered{0, "a", ""}, "a"},
		{"the second answers", client.Direct, []bool{false, true, true}, retry.Schedule{}, 0, answered{20, "b", ""}, "aaaab"},
		{"no server answers", client.Direct, []bool{false, false}, retry.Schedule{Retransmit: 1}, 0, answered{20, "", unanswered}, "aabb"},
		{"no back-off", client.Direct, []bool{false, true}, s4, 0, answered{20, "b", ""}, "aaaab"},
		{"also who is held down", client.Direct, []bool{false, true}, once, 6, answered{11, "b", ""}, "ab" + "ab"},
		{"least-outstanding", client.LeastOutstanding, []bool{false, true, true}, once, 1, answered{10, "b", ""}, "ab" + "ab"},
		{"round-robin", client.RoundRobin, []bool{true, false, true}, once, 1, answered{6, "c", ""}, "a" + "bc"},
		{"round-robin, all the way round", client.RoundRobin, []bool{false, false, false}, once, 16, answered{31, "", unanswered}, "abc" + "bca"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				for _, up := range tc.up {
					s := radiusnet.Server{Handle: silent}
					if up {
						s.Handle = nil
					}
					w.add(s)
				}
				w.start(acctradius.Config{Algorithm: tc.algorithm}, tc.schedule)
				if tc.before > 0 {
					w.one(1)
					w.sleep(tc.before)
				}
				if diff := cmp.Diff(tc.want, w.announce("on")); diff != "" {
					t.Error(diff)
				}
				came := ""
				for _, a := range w.net.Arrivals() {
					came += a.Server
				}
				if came != tc.came {
					t.Errorf("went to %s, want %s", came, tc.came)
				}
				last := w.net.Arrivals()[len(tc.came)-1]
				if last.StatusType != 7 || last.SessionID != "on" {
					t.Errorf("%+v", last)
				}
			})
		})
	}
}

// An announcement does not need or take a place in the window.
func TestAnnounceBesidesWindow(t *testing.T) {
	inWorld(t, func(w *world) {
		w.add(radiusnet.Server{Link: far})
		w.start(acctradius.Config{MaxInFlight: 1}, retry.Schedule{})
		var errs []error
		keep := func(err error) { errs = append(errs, err) }
		for range 3 {
			w.group.Announce(accountingOn("on"), func(_ string, err error) { keep(err) })
		}
		w.group.Send(record(1, time.Now()), retry.Progress{}, keep)
		w.sleep(1)
		w.group.Announce(accountingOn("on"), func(_ string, err error) { keep(err) })
		w.group.Send(record(2, time.Now()), retry.Progress{}, keep)
		w.sleep(2)
		if diff := cmp.Diff([]error{nil, nil, nil, nil, nil, nil}, errs); diff != "" {
			t.Error(diff)
		}
		w.group.Send(record(3, time.Now()), retry.Progress{}, keep)
		overflow := make(chan error)
		w.group.Send(record(4, time.Now()), retry.Progress{}, func(err error) { overflow <- err })
		if err := <-overflow; !errors.Is(err, client.ErrOverflow) {
			t.Errorf("a record too many: %v", err)
		}
	})
}

func TestAnnounceLifecycle(t *testing.T) {
	inWorld(t, func(w *world) {
		w.add(radiusnet.Server{Handle: until(w, 60)})
		w.newGroup(acctradius.Config{}, retry.Schedule{})
		var got []answered
		announce := func(rec *accounting.Record) {
			w.group.Announce(rec, func(server string, err error) {
				a := answered{Second: int(time.Since(w.began) / time.Second), Server: server}
				if err != nil {
					a.Err = err.Error()
				}
				got = append(got, a)
			})
		}
		announce(accountingOn("before Run"))
		w.sleep(55)
		if len(w.net.Arrivals()) != 0 {
			t.Error("sent before Run")
		}
		ctx, cancel := context.WithCancel(w.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.group.Run(ctx) }()
		w.sleep(70)
		damaged := accountingOn("damaged")
		damaged.Attrs = damaged.Attrs[:len(damaged.Attrs)-1]
		announce(damaged)
		synctest.Wait()
		w.hosts[0].SetLink(radiusnet.Link{Dead: []radiusnet.Interval{{}}})
		announce(accountingOn("stopped"))
		w.sleep(71)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		announce(accountingOn("after Run"))
		synctest.Wait()
		want := []answered{
			{60, "a", ""},
			{70, "", acctradius.ErrUnsendable.Error()},
			{71, "", fmt.Sprintf("%v: %v", accounting.ErrStopped, client.ErrStopped)},
			{71, "", fmt.Sprintf("%v: %v", accounting.ErrStopped, client.ErrStopped)},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if a := w.net.Arrivals(); len(a) != 2 || a[0].DelayTime != 55 {
			t.Errorf("came %+v", a)
		}
	})
}
