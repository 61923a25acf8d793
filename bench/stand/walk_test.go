package stand

import (
	"testing"
	"time"

	"aaasess/bench/snmpclient"

	"github.com/google/go-cmp/cmp"
)

// The time of several clients is from the first begin to the last end.
func TestSum(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(1_000_000 + int64(ms)) }
	one := func(begin, wall int) snmpclient.Measurement {
		return snmpclient.Measurement{
			Cells: 7, CPU: 3 * time.Millisecond, Begin: at(begin),
			Wall: time.Duration(wall) * time.Millisecond,
		}
	}
	for _, tt := range []struct {
		name string
		each []snmpclient.Measurement
		want snmpclient.Measurement
	}{
		{"one", []snmpclient.Measurement{one(5, 10)}, one(5, 10)},
		{
			"the first began last and ended last",
			[]snmpclient.Measurement{one(5, 10), one(0, 10)},
			snmpclient.Measurement{Cells: 14, CPU: 6 * time.Millisecond, Begin: at(0), Wall: 15 * time.Millisecond},
		},
		{
			"one within another",
			[]snmpclient.Measurement{one(5, 1), one(0, 10), one(9, 1)},
			snmpclient.Measurement{Cells: 21, CPU: 9 * time.Millisecond, Begin: at(0), Wall: 10 * time.Millisecond},
		},
		{
			"one after another",
			[]snmpclient.Measurement{one(0, 10), one(20, 10)},
			snmpclient.Measurement{Cells: 14, CPU: 6 * time.Millisecond, Begin: at(0), Wall: 30 * time.Millisecond},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, sum(tt.each)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
