package serverstats

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/internal/servers"
)

// TestAllCountersAreKept: each counter and duration of the statistics is in the file, also one that is new in
// [servers.Stats].
func TestAllCountersAreKept(t *testing.T) {
	now := time.Now()
	in := servers.Stats{
		CountedSince: now.Add(-time.Hour), State: servers.Dead, StateSince: now.Add(-time.Minute),
		StatusServer: servers.StatusServer{Sent: 101, Responses: 102, Timeouts: 103},
	}
	v := reflect.ValueOf(&in).Elem()
	for i := range v.NumField() {
		switch v.Field(i).Interface().(type) {
		case uint64:
			v.Field(i).SetUint(uint64(i + 1))
		case time.Duration:
			v.Field(i).SetInt(int64(i+1) * int64(time.Minute))
		case [len(servers.ResponseBounds)]uint64:
			for at := range servers.ResponseBounds {
				v.Field(i).Index(at).SetUint(uint64(at % 3)) // not more than TimedResponses in all
			}
		}
	}
	kept := newCounters(&in, now)
	f := file{Version: version, Saved: now, Servers: []server{{Protocol: servers.RADIUS, Name: "r", Index: 1, Number: 1, Accounting: kept}}}
	b, err := f.encode()
	if err != nil {
		t.Fatal(err)
	}
	read, err := decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, read.Servers[0].Accounting.stats(now, 0, true), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("(-counted +kept):\n%s", diff)
	}
}
