package servers_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aaasess/internal/servers"
)

// TestRecordsAreSorted: whatever names come and go, Records has each of them once, in order, with its own
// statistics, and Of finds it.
func TestRecordsAreSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1e9, 0)
		hs := servers.NewHistories(servers.RADIUS)
		want := map[string]uint64{}
		name := rapid.SampledFrom([]string{"a", "a1", "b", "c", "d", "e"})
		for step := range rapid.IntRange(1, 30).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "configure") {
				names := rapid.SliceOfDistinct(name, rapid.ID).Draw(t, "names")
				hs.SetNames(names, now)
				maps.DeleteFunc(want, func(n string, _ uint64) bool { return !slices.Contains(names, n) })
				for _, n := range names {
					want[n] += 0
				}
			} else if n := name.Draw(t, "name"); hasKey(want, n) {
				hs.Of(n, now).Stats(servers.ForAccounting).Requests += uint64(step)
				want[n] += uint64(step)
			}
			s := servers.Statistics{Records: hs.Records(now)}
			got := map[string]uint64{}
			for i := range s.Records {
				got[s.Records[i].Name] = s.Records[i].Accounting.Requests
				if i > 0 && s.Records[i-1].Name >= s.Records[i].Name {
					t.Fatalf("%s is before %s", s.Records[i-1].Name, s.Records[i].Name)
				}
			}
			if !maps.Equal(got, want) {
				t.Fatalf("step %d: %v, want %v", step, got, want)
			}
			for _, n := range []string{"a", "a1", "b", "c", "d", "e", "f"} {
				if r := s.Of(n); (r != nil) != hasKey(want, n) || r != nil && r.Name != n {
					t.Fatalf("Of(%q) is %v", n, r)
				}
			}
		}
	})
}

func hasKey(m map[string]uint64, name string) bool {
	_, ok := m[name]
	return ok
}

// BenchmarkRecords is for how long a snapshot of 1,000 servers holds the mutex of a client, and with it
// the path of records.
func BenchmarkRecords(b *testing.B) {
	now := time.Unix(1e9, 0)
	hs := servers.NewHistories(servers.RADIUS)
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprint("server-", i))
	}
	hs.SetNames(names, now)
	for b.Loop() {
		s := servers.Statistics{Records: hs.Records(now)}
		for _, n := range names {
			s.Of(n).Accounting.Addr = s.Of(n).Authentication.Addr
		}
	}
}
