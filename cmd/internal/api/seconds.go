package api

import "time"

// Seconds is a duration in JSON: a number of seconds, which may have a fraction.
type Seconds float64

// InSeconds converts a duration for JSON.
func InSeconds(d time.Duration) Seconds { return Seconds(d.Seconds()) }

// Duration converts s to a [time.Duration].
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }
