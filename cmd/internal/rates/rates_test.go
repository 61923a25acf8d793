package rates

import (
	"math"
	"testing"
	"time"

	"aaasess/cmd/internal/api"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// unknown is a rate that is not known.
const unknown = -1

func sample(seen, heard, sessionTime int, octets uint64) Sample {
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	return SampleOf(&api.Session{Heard: at(heard), SessionTime: uint32(sessionTime), InputOctets: octets, InputPackets: octets / 100}, at(seen))
}

func TestRates(t *testing.T) {
	for _, tt := range []struct {
		name    string
		samples []Sample
		want    []float64 // octets a second after each further sample
	}{
		{"interims", []Sample{sample(0, -30, 600, 0), sample(2, -30, 600, 0), sample(30, 30, 660, 6000), sample(32, 30, 660, 6000)}, []float64{unknown, 100, 100}},
		{"no session time", []Sample{sample(0, -30, 0, 0), sample(30, 30, 0, 6000), sample(90, 90, 0, 6000)}, []float64{100, 0}},
		{"often, so the seconds of the NAS are too rough", []Sample{sample(0, 0, 10, 0), sample(2, 2, 13, 300)}, []float64{150}},
		{"an interface", []Sample{sample(0, 0, 0, 0), sample(2, 0, 0, 200), sample(4, 0, 0, 200), sample(6, 0, 0, 2400)}, []float64{100, 0, 1100}},
		{"an interface, and its hook reports", []Sample{sample(0, 0, 0, 0), sample(2, 0, 0, 200), sample(4, 4, 0, 400)}, []float64{100, 100}},
		{"counters of a new session", []Sample{sample(0, 0, 600, 500), sample(60, 60, 30, 10), sample(120, 120, 90, 610)}, []float64{unknown, 10}},
		{"two reports at once", []Sample{sample(0, 0, 0, 0), sample(0, 0, 1, 500)}, []float64{unknown}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rate := First(tt.samples[0])
			var got []float64
			for _, s := range tt.samples[1:] {
				rate = rate.Next(s)
				octets, known := rate.PerSecond(InputOctets)
				packets, _ := rate.PerSecond(InputPackets)
				if !known {
					octets = unknown
				} else if math.Abs(octets-100*packets) > 1e-9 {
					t.Errorf("%g octets and %g packets", octets, packets)
				}
				got = append(got, octets)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEarlySample: the daemon reads interfaces once a second, so a sample that comes earlier changes
// nothing.
func TestEarlySample(t *testing.T) {
	rate := First(sample(0, 0, 0, 0)).Next(sample(1, 0, 0, 50))
	early := sample(1, 0, 0, 100)
	early.at = early.at.Add(betweenSamples - 1)
	if got := rate.Next(early); got != rate {
		t.Errorf("%+v", got)
	}
	early.at = early.at.Add(1)
	if got := rate.Next(early); got == rate {
		t.Error("a sample at the right time changes nothing")
	}
}

// TestRateIsANumber: whatever a daemon tells, a rate is not negative, and is a number.
func TestRateIsANumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func() Sample {
			seconds := rapid.IntRange(-100, 100)
			return sample(seconds.Draw(t, "seen"), seconds.Draw(t, "heard"), rapid.IntRange(0, 100).Draw(t, "time"), rapid.Uint64().Draw(t, "octets"))
		}
		rate := First(draw())
		for range 4 {
			rate = rate.Next(draw())
			if n, _ := rate.PerSecond(InputOctets); n < 0 || math.IsInf(n, 0) || math.IsNaN(n) {
				t.Errorf("%g octets a second", n)
			}
		}
	})
}
