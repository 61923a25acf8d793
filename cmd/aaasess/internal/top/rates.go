package top

import (
	"math"
	"time"

	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
)

// topSample is what a session had counted when the daemon was asked.
type topSample struct {
	at, heard   time.Time
	sessionTime uint32
	counters    [4]uint64 // octets in and out, packets in and out
}

func sampleOf(s *api.Session, at time.Time) topSample {
	return topSample{at, s.Heard, s.SessionTime, [4]uint64{s.InputOctets, s.OutputOctets, s.InputPackets, s.OutputPackets}}
}

// topRate is how fast a session counts: the difference of its last two reports. A NAS reports once
// in some minutes, so the time between two reports is that of the NAS, and the rate stays until the
// next report. The counters of an interface of the daemon's host are live: they count on without a
// report, and each sample is one.
type topRate struct {
	last      topSample
	live      bool
	known     bool
	perSecond [4]float64
}

// The times of a NAS are in whole seconds, and the daemon reads the interfaces of its host once a
// second. A shorter time between two of them makes no rate.
const (
	reliableTime   = 10 * time.Second
	betweenSamples = 900 * time.Millisecond
)

// next returns the rate after a further sample.
func (r topRate) next(s topSample) topRate {
	counted, reported := s.counters != r.last.counters, s.heard != r.last.heard || s.sessionTime != r.last.sessionTime
	live := r.live || counted && !reported
	elapsed := s.at.Sub(r.last.at)
	switch {
	case !counted && !reported && !live, live && elapsed < betweenSamples:
		return r
	case !live:
		elapsed = betweenReports(r.last, s)
	}
	out := topRate{last: s, live: live, known: elapsed > 0}
	for i, n := range s.counters {
		if n < r.last.counters[i] { // the counters of a new session at the NAS
			return topRate{last: s, live: live}
		}
		if out.known {
			out.perSecond[i] = float64(n-r.last.counters[i]) / elapsed.Seconds()
		}
	}
	return out
}

// betweenReports returns the time between two reports of a NAS. A short one is better measured here,
// unless the earlier report came before the first sample.
func betweenReports(a, b topSample) time.Duration {
	said := b.heard.Sub(a.heard)
	if b.sessionTime > a.sessionTime {
		said = time.Duration(b.sessionTime-a.sessionTime) * time.Second
	}
	measured := b.at.Sub(a.at)
	if said >= reliableTime || said > measured+time.Second {
		return said
	}
	return measured
}

// text returns one of the rates, in powers of 1000; - if it is not known yet.
func (r topRate) text(i int) string {
	if !r.known {
		return "-"
	}
	return term.Amount(uint64(math.Round(r.perSecond[i])))
}
