package silence

import "time"

const (
	// least is the shortest interval that is expected: the least Acct-Interim-Interval that a server may
	// grant (RFC 2869 section 5.16).
	least = Time(60)
	// news is how soon after a packet an interim tells of a change, such as an address, and is none of
	// the regular ones.
	news = Time(30)
	// slack is how much two gaps may differ, besides an eighth: a Clock is read as of its newest beat.
	slack = Time(2 * BeatEvery / time.Second)
	// regular is how many gaps in a row must be about equal before the next one is expected to be so.
	// Some NASes send interims only when something changes (Cisco's "aaa accounting update newinfo"):
	// of two random gaps, one in three or four is about equal to the other.
	regular = 4
)

// Record is what the silence of a session is judged by. The zero Record is that of a session that was
// heard when its Clock stood at 0.
type Record struct {
	Heard Time // when the NAS sent its newest packet about the session
	Mark  Time // when it sent the newest packet that was no news: the start, or a regular interim
	Gap   Time // from the regular interim, or start, before the newest one to that; 0: there was none
	// Interval is the longest gap of those that came regular times in a row, about equal; 0: there was
	// no such row.
	Interval Time
	Alike    uint8 // how many of the newest gaps are about equal, each to the next; at most regular
}

// Hear returns the record after a packet of the NAS about the session.
func (r Record) Hear(now Time, interim bool) Record {
	r.Heard = now
	switch gap := now - min(r.Mark, now); {
	case !interim:
		r.Mark = now
	case gap >= news:
		if !alike(gap, r.Gap) {
			r.Alike = 1
		} else if r.Alike = min(r.Alike+1, regular); r.Alike == regular {
			r.Interval = max(r.Interval, gap, r.Gap)
		}
		r.Mark, r.Gap = now, gap
	}
	return r
}

// alike reports whether two gaps are about equal. 0 is no gap.
func alike(a, b Time) bool {
	long, short := max(a, b), min(a, b)
	return short > 0 && long-short <= long/8+slack
}

// Begun returns the record of a session whose first packet is heard, or that returns after its end.
func Begun(now Time) Record { return Record{Heard: now, Mark: now} }

// Every returns how often the NAS sends interims of the session, or 0 if it is not known. granted is
// what an Access-Accept has told it (Acct-Interim-Interval, RFC 2869 section 5.16), 0 if nothing. A
// NAS may be configured to ignore that, or to do otherwise. So it counts only if the newest regular
// interim came after about that time, or the NAS's own interval is known; then the longer one counts.
// A NAS that sends none is expected to send none.
func (r Record) Every(granted time.Duration) time.Duration {
	longest := r.Interval
	switch {
	case r.Interval == 0 && !alike(r.Gap, Time(granted/time.Second)):
		return 0
	case r.Interval == 0:
		longest = r.Gap
	}
	return max(longest.Duration(), granted, least.Duration())
}

// Limits say when a session is stale. The zero Limits say never.
type Limits struct {
	// Intervals is how many interims in a row must be missing. 0: any number may be.
	Intervals int
	// MaxAge is how long the session must not have been heard of, whether its NAS sends interims or
	// not. 0: there is no limit.
	MaxAge time.Duration
}

// Stale reports whether a session is stale at a time. The last of the missing interims may still come
// half an interval after it was due. granted is as for Every.
func (l Limits) Stale(r Record, now Time, granted time.Duration) bool {
	silent := (now - min(r.Heard, now)).Duration()
	if l.MaxAge > 0 && silent > l.MaxAge {
		return true
	}
	every := r.Every(granted)
	// In half seconds: a server may grant 136 years (2^32-1), and a Duration has no room for three of
	// them.
	return l.Intervals > 0 && every > 0 && 2*seconds(silent) > int64(2*l.Intervals+1)*seconds(every)
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
