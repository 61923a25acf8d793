package termination

import (
	"errors"
	"time"

	"aaasess/sessions"
)

const (
	// firstWindow is how many attempts may be under way at a NAS that has not shown how fast it is. At a
	// silent NAS each lasts several seconds, and takes the place of an attempt at another NAS.
	firstWindow = 8
	// quickAnswer is how fast an answer must be to make the window of its NAS larger. It is well below
	// the time after which a request is sent again: a NAS that is slow because requests queue up at
	// it does not get more of them.
	quickAnswer = 500 * time.Millisecond
)

// windows has how many attempts are under way at each NAS, and how many may be. A window begins with
// firstWindow places. Each quick answer adds one, up to max; an attempt without an answer, or with a
// slow one, makes it as small as at the beginning.
type windows struct {
	max   int
	byNAS map[sessions.NAS]*window // of NASes with attempts under way, or jobs that wait for a place
}

type window struct{ running, size int }

func (w *windows) first() int { return min(firstWindow, w.max) }

// hasPlace reports whether an attempt may start at a NAS.
func (w *windows) hasPlace(nas sessions.NAS) bool {
	n := w.byNAS[nas]
	return n == nil || n.running < n.size
}

// started counts an attempt that starts.
func (w *windows) started(nas sessions.NAS) {
	n := w.byNAS[nas]
	if n == nil {
		n = &window{size: w.first()}
		w.byNAS[nas] = n
	}
	n.running++
}

// finished counts an attempt that has finished. isIdle says that no job waits for a place at the NAS:
// its window is forgotten when no attempt is under way any more.
func (w *windows) finished(nas sessions.NAS, how speed, isIdle bool) {
	n := w.byNAS[nas]
	n.running--
	switch how {
	case quick:
		n.size = min(n.size+1, w.max)
	case slow:
		n.size = w.first()
	}
	if isIdle {
		w.forget(nas)
	}
}

// forget forgets the window of a NAS at which no attempt is under way.
func (w *windows) forget(nas sessions.NAS) {
	if n := w.byNAS[nas]; n != nil && n.running == 0 {
		delete(w.byNAS, nas)
	}
}

// speed is what an attempt has shown of its NAS.
type speed uint8

const (
	unknown speed = iota // the session has ended before the NAS could answer
	quick
	slow // or silent
)

// speedOf returns what an attempt that took some time has shown.
func speedOf(o Outcome, took time.Duration) speed {
	switch {
	case o.Answer == NoAnswer && errors.Is(o.Err, ErrSessionEnded):
		return unknown
	case o.Answer == NoAnswer || took > quickAnswer:
		return slow
	}
	return quick
}
