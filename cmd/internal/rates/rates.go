package rates

import (
	"time"

	"aaasess/cmd/internal/api"
)

// Counter is one of the counters of a session.
type Counter int

// The counters: input is from the user, output to the user.
const (
	InputOctets Counter = iota
	OutputOctets
	InputPackets
	OutputPackets
	counters
)

// Sample is what a session had counted when the daemon was asked.
type Sample struct {
	at, heard   time.Time
	sessionTime uint32
	counters    [counters]uint64
}

// SampleOf returns the sample of a session that the daemon has told at a time, by the clock of who asks.
func SampleOf(s *api.Session, at time.Time) Sample {
	return Sample{at, s.Heard, s.SessionTime, [counters]uint64{s.InputOctets, s.OutputOctets, s.InputPackets, s.OutputPackets}}
}

// Rate is how fast a session counts: the difference of its last two reports. A NAS reports once
// in some minutes, so the time between two reports is that of the NAS, and the rate stays until the
// next report. The counters of an interface of the daemon's host are live: they count on without a
// report, and each sample is one.
type Rate struct {
	last      Sample
	live      bool
	known     bool
	perSecond [counters]float64
}

// The times of a NAS are in whole seconds, and the daemon reads the interfaces of its host once a
// second. A shorter time between two of them makes no rate.
const (
	reliableTime   = 10 * time.Second
	betweenSamples = 900 * time.Millisecond
)

// First returns the rate after the first sample. It is not known.
func First(s Sample) Rate { return Rate{last: s} }

// Next returns the rate after a further sample of the same session.
func (r Rate) Next(s Sample) Rate {
	counted, reported := s.counters != r.last.counters, s.heard != r.last.heard || s.sessionTime != r.last.sessionTime
	live := r.live || counted && !reported
	elapsed := s.at.Sub(r.last.at)
	switch {
	case !counted && !reported && !live, live && elapsed < betweenSamples:
		return r
	case !live:
		elapsed = betweenReports(r.last, s)
	}
	out := Rate{last: s, live: live, known: elapsed > 0}
	for i, n := range s.counters {
		if n < r.last.counters[i] { // the counters of a new session at the NAS
			return Rate{last: s, live: live}
		}
		if out.known {
			out.perSecond[i] = float64(n-r.last.counters[i]) / elapsed.Seconds()
		}
	}
	return out
}

// betweenReports returns the time between two reports of a NAS. A short one is better measured here,
// unless the earlier report came before the first sample.
func betweenReports(a, b Sample) time.Duration {
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

// PerSecond returns the rate of a counter; false: it is not known yet.
func (r Rate) PerSecond(c Counter) (float64, bool) { return r.perSecond[c], r.known }
