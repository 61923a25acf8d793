package api

import "time"

// Seconds is a time in JSON: a number of seconds, parts allowed.
type Seconds float64

// InSeconds is d for JSON.
func InSeconds(d time.Duration) Seconds { return Seconds(d.Seconds()) }

// Duration is s for Go.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }
