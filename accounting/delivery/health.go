package delivery

import (
	"time"

	"aaasess/internal/retry"
)

// health tracks whether a method answers, how many records may be in flight, and when a method that
// is down is probed. It has no clock and no lock.
type health struct {
	down      time.Time      // since when it is down; zero: it is up
	failures  int            // probe schedules in a row that ended without an answer
	probeAt   time.Time      // when the next probe may be sent; only used while down
	progress  retry.Progress // where that probe stands in the back-off schedule (R62)
	window    int            // how many records may be in flight
	reopening bool           // down, or the window is not fully open again
	answers   uint64         // answers since the start; two equal readings mean that none came between them
}

func (h *health) isDown() bool { return !h.down.IsZero() }

// isInSchedule reports whether a method that is down is in the middle of a back-off schedule.
func (h *health) isInSchedule() bool { return h.progress != retry.Progress{} }

// answered records an answer of any kind. Each answer opens the window by one, which doubles it
// every round trip, so a server that comes back is not flooded.
func (h *health) answered(limit int) {
	h.answers++
	if h.isDown() {
		h.down, h.failures, h.progress, h.window = time.Time{}, 0, retry.Progress{}, 1
	}
	h.window = max(1, min(h.window+1, limit))
	h.reopening = h.reopening && h.window < limit
}

// markDown marks the method down.
func (h *health) markDown(now time.Time) {
	h.down, h.failures, h.progress, h.reopening = now, 0, retry.Progress{}, true
}

// scheduleProbe sets the time of the next probe after one without an answer. The back-off schedule
// decides. After its end the wait is lo, doubles with each schedule, and stops growing at hi.
func (h *health) scheduleProbe(later *retry.Later, now time.Time, lo, hi time.Duration) {
	if later != nil {
		h.progress, h.probeAt = later.At, now.Add(max(later.After, time.Millisecond))
		return
	}
	h.progress = retry.Progress{}
	h.failures++
	h.probeAt = now.Add(retryWait(h.failures, lo, hi))
}

// retryWait returns the wait after so many failures in a row: lo first, doubled each time, at most
// hi.
func retryWait(failures int, lo, hi time.Duration) time.Duration {
	wait := lo
	for ; failures > 1 && wait < hi; failures-- {
		wait *= 2
	}
	return min(wait, hi)
}

// lossRate estimates how lossy the path to the servers is: how often records went unanswered that
// were answered in the end. The last thousand or so records count.
type lossRate struct{ lost, answered float64 }

// minChance is the probability below which losses in a row no longer count as chance.
const minChance = 1e-9

// add counts a record that was answered after so many losses.
func (l *lossRate) add(lost int) {
	const keep = 1 - 1.0/1024
	l.lost = l.lost*keep + float64(lost)
	l.answered = l.answered*keep + 1
}

// explains reports whether so many losses of one record in a row may be chance.
func (l *lossRate) explains(times int) bool {
	if l.lost == 0 {
		return false
	}
	share, chance := l.lost/(l.lost+l.answered), 1.0
	for ; times > 0 && chance > minChance; times-- {
		chance *= share
	}
	return chance > minChance
}
