package silence

import "time"

// Time is a moment on a [Clock], or the time between two: whole seconds.
type Time uint32

// Duration returns the time as a time.Duration.
func (t Time) Duration() time.Duration { return time.Duration(t) * time.Second }

const (
	// BeatEvery is how often a Clock should have a beat.
	BeatEvery = 5 * time.Second
	// maxBeat is how much one beat advances a Clock at most.
	maxBeat = 30 * time.Second
)

// Clock counts the time in which NASes can be heard. The zero Clock stands at 0.
type Clock struct {
	heard   time.Duration
	beat    time.Duration // of the newest beat, on the clock of the caller
	hearing bool          // events were accepted at that beat, and none was refused since
}

// Now returns the time as of the newest beat.
func (c *Clock) Now() Time { return Time(c.heard / time.Second) }

// Beat advances the clock. at is the time since a moment that is always the same, on a clock that
// does not step. hearing says that events are accepted now. The first beat advances nothing.
func (c *Clock) Beat(at time.Duration, hearing bool) {
	if c.hearing && hearing {
		c.heard += min(max(0, at-c.beat), maxBeat)
	}
	c.beat, c.hearing = at, hearing
}

// Refused notes that an event was refused: the time since the newest beat, and until the next one,
// does not count.
func (c *Clock) Refused() { c.hearing = false }

// Resume sets a new clock to a time that was stored, or later.
func (c *Clock) Resume(at Time) { c.heard = max(c.heard, at.Duration()) }
