package control

import (
	"net/http"
	"slices"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

const (
	// outcomeTimeout limits the wait for the outcome of an attempt whose session has ended already.
	// The stop of a session often arrives before the ACK.
	outcomeTimeout = time.Second
	// gatherTime is the time from the first new event to the next write, so that one write covers
	// many events.
	gatherTime = 20 * time.Millisecond
)

// pending is a session that is not in the answer yet.
type pending struct {
	index    int // in the request
	id       sessions.ID
	status   termination.Progress // from the newest event
	ended    bool
	deadline time.Time // for the outcome, if the session ends during an attempt
}

// waiter writes the answer to a disconnect. It runs in the goroutine of the request.
//
// A session moves through it like this:
//
//	pending ─ it ends ─┬─ no attempt is under way ───────────────────► ready ─► written
//	                   └─ awaitOutcome ─ the outcome, or its deadline ──┘
//
// What is still pending at the end is written as it is then.
type waiter struct {
	s            *Server
	b            *batch
	out          *listWriter
	pending      map[sessions.ID]*pending // not written yet
	awaitOutcome []*pending               // ended during an attempt, by deadline; some have their outcome
	ready        []*pending               // ended, to be written
}

// report answers a disconnect. With wait, it writes each session when it has ended, and the others
// when the wait is over. Without, it writes all sessions at once.
func (s *Server) report(w http.ResponseWriter, r *http.Request, b *batch, wait time.Duration) {
	if wait > 0 { // net/http goes on reading to notice a closed connection: readTimeout must not end that
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	}
	head := api.DisconnectHead{Matched: len(b.ids), Marked: len(b.marked), Unable: b.unable}
	if b.why != nil {
		head.UnableReason = api.ValidText(b.why.Error())
	}
	out, err := newListWriter(w, head)
	if err != nil || wait > 0 && out.flush() != nil {
		return
	}
	wr := &waiter{s: s, b: b, out: out, pending: make(map[sessions.ID]*pending, len(b.ids))}
	for i, id := range b.ids {
		p := &pending{index: i, id: id}
		if status, underWay := s.terminator.Status(id); underWay {
			p.status = status // from before this request; the watcher has everything later
		}
		wr.pending[id] = p
	}
	if wait > 0 && !wr.wait(r, wait) {
		return
	}
	if wr.writePending() == nil {
		_ = out.end()
	}
}

// wait writes sessions when they have ended. It returns when all have ended, after limit, or when
// the daemon ends. connected is false if the client has gone.
func (wr *waiter) wait(r *http.Request, limit time.Duration) (connected bool) {
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	write := time.NewTimer(limit) // the time of the next write
	defer write.Stop()
	gathering := false // write fires after gatherTime
	for len(wr.pending) > 0 {
		select {
		case <-wr.b.watcher.Updated():
			if !gathering {
				gathering = true
				write.Reset(gatherTime)
			}
		case <-write.C:
			gathering = false
			if wr.writeEnded() != nil {
				return false
			}
			if len(wr.awaitOutcome) > 0 {
				write.Reset(time.Until(wr.awaitOutcome[0].deadline))
			}
		case <-timeout.C:
			return true
		case <-wr.s.ending:
			return true
		case <-r.Context().Done():
			return false
		}
	}
	return true
}

// writeEnded reads the new events, and writes and sends the sessions that are ready.
func (wr *waiter) writeEnded() error {
	wr.readEvents()
	wr.passDeadlines(time.Now())
	if err := wr.writeReady(); err != nil {
		return err
	}
	if wr.out.Buffered() == 0 {
		return nil
	}
	return wr.out.flush()
}

// readEvents reads the new events of the sessions.
func (wr *waiter) readEvents() {
	for _, e := range wr.b.watcher.Read() {
		p := wr.pending[e.ID]
		if p == nil {
			continue
		}
		p.status = e.Progress
		if e.Type == termination.SessionEnded || p.ended {
			wr.setEnded(p)
		}
	}
}

// setEnded notes that a session has ended. It is ready unless the outcome of an attempt is still to
// come.
func (wr *waiter) setEnded(p *pending) {
	switch {
	case !p.status.Asking:
		wr.ready = append(wr.ready, p)
	case !p.ended:
		p.deadline = time.Now().Add(outcomeTimeout)
		wr.awaitOutcome = append(wr.awaitOutcome, p)
	}
	p.ended = true
}

// passDeadlines makes the sessions ready whose outcome has not come in time.
func (wr *waiter) passDeadlines(now time.Time) {
	for len(wr.awaitOutcome) > 0 && !wr.awaitOutcome[0].deadline.After(now) {
		if p := wr.awaitOutcome[0]; p.status.Asking { // else the outcome has made it ready
			wr.ready = append(wr.ready, p)
		}
		wr.awaitOutcome = wr.awaitOutcome[1:]
	}
}

// writeReady writes the sessions that are ready, in the order of the request. A session may be in
// the list twice.
func (wr *waiter) writeReady() error {
	slices.SortFunc(wr.ready, func(a, b *pending) int { return a.index - b.index })
	for _, p := range wr.ready {
		if wr.pending[p.id] == nil {
			continue
		}
		delete(wr.pending, p.id)
		if err := wr.out.write(wr.describe(p, nil)); err != nil {
			return err
		}
	}
	wr.ready = wr.ready[:0]
	return nil
}

// writePending writes all sessions that are not written yet, as they are now.
func (wr *waiter) writePending() error {
	if wr.b.watcher != nil {
		wr.readEvents()
	}
	view := wr.s.table.View()
	for _, id := range wr.b.ids {
		p := wr.pending[id]
		if p == nil {
			continue
		}
		if status, underWay := wr.s.terminator.Status(id); underWay {
			p.status = status
		}
		session := view.Get(id)
		if p.ended {
			session = nil
		}
		if err := wr.out.write(wr.describe(p, session)); err != nil {
			return err
		}
	}
	return nil
}

// describe returns the JSON form of a session that is being ended. session is nil if it has ended.
func (wr *waiter) describe(p *pending, session *sessions.Session) api.Session {
	var out api.Session
	switch before := wr.b.before[p.id]; {
	case session != nil:
		out = wr.s.describeRow(session)
	case before != nil:
		out = wr.s.describeRow(before)
	default:
		out = api.Session{ID: p.id.String(), Number: uint32(p.id)}
	}
	if session == nil {
		out.State = sessions.Ended.String()
		p.status.Next = time.Time{} // there is no further attempt
	}
	out.Marked = wr.b.marked[p.id]
	if p.status.Attempts > 0 || session != nil && session.State == sessions.Terminating {
		out.Termination = describeTermination(p.status)
	}
	return out
}
