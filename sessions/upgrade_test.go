package sessions

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLoadVersion2: sessions of version 2, live and ended, are read in full. They get routes when
// they are loaded, and Run makes these durable.
func TestLoadVersion2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newSlowDisk()
		d.state = readState(t, "testdata/state-v2.txt")
		cfg := Config{Now: func() time.Time { return at(100) }}
		routeBy := func(policy string) {
			d.route = func(s *Session) string {
				if s.Kind == Connection {
					return ""
				}
				return fmt.Sprint(policy, " ", s.Kind, " ", s.State)
			}
		}
		routeBy("first")
		want := map[string]string{
			"s1": "first network active", "s2": "first exec active", "s3": "", "s4": "first network terminating",
			"s5": "first network terminating", "s6": "first exec ended", "s7": "", "s8": "first network ended", "s9": "first network ended",
		}
		load := func(when string) *Table {
			t.Helper()
			tb, err := d.powerCut(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, routesOf(tb)); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", when, diff)
			}
			return tb
		}
		tb := load("the old store")
		if v := tb.View(); v.Len() != 7 || v.Counters != (Counters{HighWater: 9, Total: 10, Disconnected: 2}) || tb.last != 10 {
			t.Errorf("%d rows, %+v, last %d", v.Len(), v.Counters, tb.last)
		}
		if s := tb.rows.get(4); s.Acked() == 0 || s.Usage != (Usage{}) || s.NAS.Identifier != "nas-1" || s.fingerprints.start.sum == 0 {
			t.Errorf("%+v", s)
		}
		if s := tb.rows.get(1); len(s.formerNodes()) != 1 || s.Usage.InputOctets != 60<<20 || s.Counted != WholeUsage {
			t.Errorf("%+v", s)
		}
		apply(t, tb, eventOf("s1", Stop, 100)) // writes the session with its route before Run does
		// The closing in the store and the sessions: each change is refused once and repeated.
		handed := 0
		d.refuses = func(Change) bool { handed++; return handed%2 == 1 }
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if err := tb.Run(ctx); err != nil {
				t.Error(err)
			}
		}()
		for range 4 {
			synctest.Wait()
			d.writeAll()
			time.Sleep(closeRetry)
		}
		cancel()
		synctest.Wait()
		if len(tb.unrouted) != 0 || handed != 4 {
			t.Errorf("%d sessions to be written, %d changes", len(tb.unrouted), handed)
		}
		want["s1"] = "first network active" // the route as decided, though the session has ended
		routeBy("second")
		tb = load("after Run")
		apply(t, tb, eventOf("new", Start, 100))
		if got := routesOf(tb)["new"]; got != "second network active" {
			t.Errorf("a new session has %q", got)
		}
	})
}

// noRoutes is a Journal that cannot decide the routes of old sessions.
type noRoutes struct{ *slowDisk }

var errNoRoutes = errors.New("the disk is broken")

func (noRoutes) Adopt([]*Session) ([]string, error) { return nil, errNoRoutes }

func TestLoadWithoutRoutes(t *testing.T) {
	if err := New(Config{}, noRoutes{newSlowDisk()}).Load(eachKey(readState(t, "testdata/state-v2.txt"))); !errors.Is(err, errNoRoutes) {
		t.Error(err)
	}
	if err := New(Config{}, noRoutes{newSlowDisk()}).Load(eachKey(map[string]string{})); err != nil {
		t.Errorf("without sessions: %v", err)
	}
}
