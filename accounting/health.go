package accounting

import "time"

// health is what a deliverer knows of whether anybody answers, and how many records may therefore
// be under way. It has no clock and no lock.
type health struct {
	down     time.Time // since when nobody answers; zero: somebody does
	over     bool      // down, and a schedule has ended since: what has another method goes there
	failures int       // schedules in a row that ended without an answer
	probeAt  time.Time // when the next probe may be sent; meaningful while down
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
		h.down, h.over, h.failures, h.window = time.Time{}, false, 0, 1
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
		h.fall(now)
	case !h.over:
		return // the probe has the say
	case now.Before(h.probeAt):
		return // one of those that were under way when the first went unanswered
	}
	h.scheduleOver(now, lo, hi)
}

// later takes a record that nobody answered and whose schedule goes on. It reports whether the record
// is the probe from now on: the first of those that were not answered, or the one that was sent
// because a probe was due. The arguments are those of unanswered.
func (h *health) later(now time.Time, since uint64, again bool) bool {
	switch {
	case since != h.answers:
		return false
	case !h.isDown():
		if again {
			return false
		}
		h.fall(now)
		return true
	}
	return h.over && !now.Before(h.probeAt)
}

func (h *health) fall(now time.Time) { h.down, h.over, h.failures, h.ailing = now, false, 0, true }

// scheduleOver takes the end of the schedule of the probe.
func (h *health) scheduleOver(now time.Time, lo, hi time.Duration) {
	h.over = true
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

// losses is how often those records went unanswered that were answered in the end: how lossy the way
// to the servers is. The newest thousand or so count.
type losses struct{ lost, answered float64 }

// unlucky is the chance below which so many losses in a row are no accident.
const unlucky = 1e-9

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
	for ; times > 0 && chance > unlucky; times-- {
		chance *= share
	}
	return chance > unlucky
}
