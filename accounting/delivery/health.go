package delivery

import (
	"time"

	"aaasess/internal/retry"
)

// health is what is known of whether anybody of a method answers, how many records may therefore be
// under way, and when it is asked again if nobody does. It has no clock and no lock.
type health struct {
	down      time.Time      // since when nobody answers; zero: somebody does
	failures  int            // schedules in a row that ended without an answer
	probeAt   time.Time      // when the next probe may be sent; meaningful while down
	at        retry.Progress // where in the schedule of the back-off that probe stands (R62)
	window    int            // how many records may be under way
	reopening bool           // down, or the window has not opened again since
	answers   uint64         // all that ever came: who compares two readings knows whether one came between
}

func (h *health) isDown() bool { return !h.down.IsZero() }

// isInSchedule reports whether a method that is down is in the midst of a back-off.
func (h *health) isInSchedule() bool { return h.at != retry.Progress{} }

// answered takes an answer of any kind. The window opens by one for each, which doubles it in each
// round: a server that comes back is not flooded.
func (h *health) answered(limit int) {
	h.answers++
	if h.isDown() {
		h.down, h.failures, h.at, h.window = time.Time{}, 0, retry.Progress{}, 1
	}
	h.window = max(1, min(h.window+1, limit))
	h.reopening = h.reopening && h.window < limit
}

// markDown is that nobody is there.
func (h *health) markDown(now time.Time) {
	h.down, h.failures, h.at, h.reopening = now, 0, retry.Progress{}, true
}

// wait sets the time of the next probe after one that nobody answered: that of the schedule of the
// back-off or, when that is over, after lo, doubling with each schedule, to hi.
func (h *health) wait(later *retry.Later, now time.Time, lo, hi time.Duration) {
	if later != nil {
		h.at, h.probeAt = later.At, now.Add(max(later.After, time.Millisecond))
		return
	}
	h.at = retry.Progress{}
	h.failures++
	h.probeAt = now.Add(retryWait(h.failures, lo, hi))
}

// retryWait is the wait after so many failures in a row: from lo, doubling, to hi.
func retryWait(failures int, lo, hi time.Duration) time.Duration {
	wait := lo
	for ; failures > 1 && wait < hi; failures-- {
		wait *= 2
	}
	return min(wait, hi)
}

// losses is how often those records went unanswered that were answered in the end: how lossy the way
// to the servers is. The newest thousand or so count.
type losses struct{ lost, answered float64 }

// minChance is the chance below which so many losses in a row are no accident.
const minChance = 1e-9

// add takes a record that was answered after it was lost so many times.
func (l *losses) add(lost int) {
	const keep = 1 - 1.0/1024
	l.lost = l.lost*keep + float64(lost)
	l.answered = l.answered*keep + 1
}

// explain reports whether it may be chance that one record was lost so many times in a row.
func (l *losses) explain(times int) bool {
	if l.lost == 0 {
		return false
	}
	share, chance := l.lost/(l.lost+l.answered), 1.0
	for ; times > 0 && chance > minChance; times-- {
		chance *= share
	}
	return chance > minChance
}
