package radius

import "time"

// serverState is what decides whether a server is tried. It has no clock of its own: time comes in.
type serverState struct {
	heard     time.Time // when it last answered anything rightly; zero: never
	downUntil time.Time // zero: not down
}

// answered notes a right answer, which ends a hold-down. It reports whether there was one.
func (s *serverState) answered(now time.Time) (back bool) {
	back = s.down(now)
	s.heard, s.downUntil = now, time.Time{}
	return back
}

// failed notes that a record, first sent to the server at since, got no answer to all of its
// attempts. A server that answered anything in that time is alive: the record was lost, or the
// server does not want it. It reports whether the server was up and is down now.
func (s *serverState) failed(since, now time.Time, holdDown time.Duration) (down bool) {
	if holdDown == 0 || !s.heard.Before(since) {
		return false
	}
	down = !s.down(now)
	s.downUntil = now.Add(holdDown)
	return down
}

// down reports whether the server is to be skipped.
func (s *serverState) down(now time.Time) bool { return now.Before(s.downUntil) }

// choose finds where a record goes: the first server that it was not sent to (bit i of tried is
// server i) and that is not down; when all servers are down, the first it was not sent to. It gives
// none when the record has had its chances.
func choose(servers []serverState, tried uint64, now time.Time) int {
	untried, allDown := none, true
	for i := range servers {
		down := servers[i].down(now)
		allDown = allDown && down
		if tried&(1<<i) != 0 {
			continue
		}
		if !down {
			return i
		}
		if untried == none {
			untried = i
		}
	}
	if !allDown {
		return none
	}
	return untried
}
