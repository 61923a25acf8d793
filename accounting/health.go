package accounting

import "time"

// health is what a deliverer knows of whether anybody answers, and how many records may therefore
// be under way. It has no clock and no lock.
type health struct {
	down     time.Time // since when nobody answers; zero: somebody does
	failures int       // probes in a row that nobody answered
	probeAt  time.Time // when the next may be sent; meaningful while down
	window   int       // how many records may be under way
	ailing   bool      // down, or the window has not opened again since
	answers  uint64    // all that ever came: who compares two readings knows whether one came between
}

func (h *health) isDown() bool { return !h.down.IsZero() }

// answered takes an answer of any kind. The window opens by one for each, which doubles it in each
// round: a server that comes back is not flooded.
func (h *health) answered(limit int) {
	h.answers++
	if h.isDown() {
		h.down, h.failures, h.window = time.Time{}, 0, 1
	}
	h.window = max(1, min(h.window+1, limit))
	h.ailing = h.ailing && h.window < limit
}

// unanswered takes the end of a schedule that nobody answered. It means that nobody is there only if
// nobody answered anything else since the record was sent, when answers was since, and if the record
// is not known for it: again is that nobody answered it before.
func (h *health) unanswered(now time.Time, since uint64, again bool, lo, hi time.Duration) {
	switch {
	case since != h.answers:
		return
	case !h.isDown():
		if again {
			return
		}
		h.down, h.failures, h.ailing = now, 0, true
	case now.Before(h.probeAt):
		return // one of those that were under way when the first went unanswered
	}
	h.failures++
	h.probeAt = now.Add(retryWait(h.failures, lo, hi))
}

// room is how many records may be sent now. While down it is one at a time, when a probe is due.
func (h *health) room(now time.Time, underWay, limit int) int {
	if !h.isDown() {
		return max(0, min(h.window, limit)-underWay)
	}
	if underWay > 0 || now.Before(h.probeAt) {
		return 0
	}
	return 1
}

// retryWait is the wait after so many failures in a row: from lo, doubling, to hi.
func retryWait(failures int, lo, hi time.Duration) time.Duration {
	wait := lo
	for ; failures > 1 && wait < hi; failures-- {
		wait *= 2
	}
	return min(wait, hi)
}
