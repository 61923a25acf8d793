package main

import (
	"slices"
	"time"

	"aaasess/bench/nasload"
	"aaasess/bench/report"
)

// The metrics of a table of latencies.
const (
	otherRequests      = "requests of the other NAS"
	otherNever         = "never answered"
	otherRetransmitted = "retransmitted"
	otherP50           = "latency, p50"
	otherP99           = "latency, p99"
	otherMax           = "latency, maximum"
)

// latencies summarizes the replies to the requests that were due in a period.
func latencies(replies []nasload.Reply, from, to time.Time) report.Sample {
	var took []time.Duration
	s := report.Sample{otherRequests: 0, otherNever: 0, otherRetransmitted: 0}
	for _, r := range replies {
		if r.Due.Before(from) || r.Due.After(to) {
			continue
		}
		s[otherRequests]++
		s[otherRetransmitted] += float64(max(0, r.Tries-1))
		if r.Err != nil {
			s[otherNever]++
			continue
		}
		took = append(took, r.Took)
	}
	if slices.Sort(took); len(took) > 0 {
		s[otherP50], s[otherP99] = milliseconds(took[len(took)/2]), milliseconds(took[len(took)*99/100])
		s[otherMax] = milliseconds(took[len(took)-1])
	}
	return s
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
