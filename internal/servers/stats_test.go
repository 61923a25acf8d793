package servers

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestCas: how the columns of casStatisticsTable are made of the counters (CISCO-AAA-SERVER-MIB).
func TestCas(t *testing.T) {
	s := Stats{
		Requests: 1, Retransmissions: 2, Timeouts: 4, PacketsDropped: 8, LateResponses: 16, Errors: 32, MalformedResponses: 64, BadAuthenticators: 128,
		UnknownTypes: 256, TimedResponses: 2, ResponseTime: 1024, Successes: 1024, Failures: 2048, Responses: 4096, Follows: 8192,
	}
	got := []uint64{
		s.CasRequests(), s.CasRequestTimeouts(), s.CasUnexpectedResponses(), s.CasServerErrorResponses(), s.CasIncorrectResponses(),
		uint64(s.CasResponseTime()), s.CasTransactionSuccesses(), s.CasTransactionFailures(),
	}
	if want := "[3 4 24 32 448 512 1024 2048]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestResponseTimes: each answer in time is in the bucket where it belongs, or above all.
func TestResponseTimes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bound := rapid.SampledFrom(append(ResponseBounds[:], time.Hour))
		all := rapid.SliceOf(rapid.Custom(func(rt *rapid.T) time.Duration {
			return bound.Draw(rt, "bound") + rapid.SampledFrom([]time.Duration{-1, 0, 1}).Draw(rt, "beside")
		})).Draw(rt, "times")
		var s Stats
		want := [len(ResponseBounds)]uint64{}
		for _, d := range all {
			s.AddResponseTime(d)
			for i, upper := range ResponseBounds {
				if d <= upper && (i == 0 || d > ResponseBounds[i-1]) {
					want[i]++
				}
			}
		}
		if s.ResponseTimes != want || s.TimedResponses != uint64(len(all)) {
			rt.Fatalf("%v of %d, want %v of %d", s.ResponseTimes, s.TimedResponses, want, len(all))
		}
	})
}
