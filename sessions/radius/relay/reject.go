package relay

import (
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
)

// rejectWait is how long a Reject waits for its stop record (R64).
const rejectWait = time.Second

// rejection is a Reject that waits for its stop record.
type rejection struct {
	x        *exchange
	attrs    []byte
	answered atomic.Bool
	timer    atomic.Pointer[time.Timer]
}

// reject answers with a Reject, after its stop record is durable.
func (x *exchange) reject(attrs []byte) {
	if x.relay.admissions == nil {
		x.answer(rejects, radius.CodeAccessReject, attrs)
		return
	}
	w := &rejection{x: x, attrs: append([]byte(nil), attrs...)}
	x.relay.admissions.Reject(&x.asked, w.done)
	if !w.answered.Load() {
		w.timer.Store(time.AfterFunc(rejectWait, w.late))
	}
}

// done is called when the record is durable.
func (w *rejection) done() {
	if t := w.timer.Load(); t != nil {
		t.Stop()
	}
	w.answer()
}

// late is called if that takes too long.
func (w *rejection) late() {
	r := w.x.relay
	if !w.answer() {
		return
	}
	r.count(lateRecords)
	if suppressed, ok := r.lateLine.Allow(time.Now()); ok {
		r.log.Warn("Access-Reject sent before its stop record was durable", "client", w.x.q.ClientName, "suppressed", suppressed)
	}
}

func (w *rejection) answer() (first bool) {
	if !w.answered.CompareAndSwap(false, true) {
		return false
	}
	w.x.answer(rejects, radius.CodeAccessReject, w.attrs)
	return true
}
