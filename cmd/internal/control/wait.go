package control

import (
	"net/http"
	"slices"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

const (
	// outcomeWait is how long after a session is gone the outcome of the attempt that was under way may
	// take: the stop often overtakes the ACK.
	outcomeWait = time.Second
	// gatherFor is how long further events are awaited after one, to answer them together.
	gatherFor = 20 * time.Millisecond
)

// awaited is a session that is being ended, and that the answer does not have yet.
type awaited struct {
	index  int // in the request
	id     sessions.ID
	status sessions.Termination // as last heard
	gone   bool
	late   time.Time // until when the outcome of its attempt is awaited; zero unless it is gone
}

// waiter answers a disconnect that waits: with each session once it is gone.
type waiter struct {
	s    *Server
	b    *begun
	out  *listWriter
	left map[sessions.ID]*awaited
	late []*awaited // gone, with an attempt under way, the earliest first; some have their outcome meanwhile
	done []*awaited // gone, and to be written
}

// report answers a disconnect: each session once it is gone, and the others when the wait is over.
func (s *Server) report(w http.ResponseWriter, r *http.Request, b *begun, wait time.Duration) {
	if wait > 0 { // net/http still watches for the end of the connection, but not until readTimeout only
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	}
	out, err := newListWriter(w, api.DisconnectHead{Matched: len(b.ids), Marked: len(b.marked)})
	if err != nil || wait > 0 && out.flush() != nil {
		return
	}
	wr := &waiter{s: s, b: b, out: out, left: make(map[sessions.ID]*awaited, len(b.ids))}
	for i, id := range b.ids {
		a := &awaited{index: i, id: id}
		if status, underWay := s.terminator.Status(id); underWay {
			a.status = status // of the attempts before this request; later ones are events
		}
		wr.left[id] = a
	}
	if wait > 0 && !wr.wait(r, wait) {
		return
	}
	if wr.writeRest() == nil {
		_ = out.end()
	}
}

// wait writes sessions as they go until the last has gone, or for a time. It is false if the client goes.
func (wr *waiter) wait(r *http.Request, limit time.Duration) bool {
	over := time.NewTimer(limit)
	defer over.Stop()
	round := time.NewTimer(limit) // when something is to be written
	defer round.Stop()
	gathering := false
	for len(wr.left) > 0 {
		select {
		case <-wr.b.watcher.Updated():
			if !gathering {
				gathering = true
				round.Reset(gatherFor)
			}
			continue
		case <-round.C:
			gathering = false
		case <-over.C:
			return true
		case <-wr.s.ending:
			return true
		case <-r.Context().Done():
			return false
		}
		wr.read()
		if wr.write() != nil || wr.out.Buffered() > 0 && wr.out.flush() != nil {
			return false
		}
		if len(wr.late) > 0 {
			round.Reset(time.Until(wr.late[0].late))
		}
	}
	return true
}

// read reads the events that have come, and puts the sessions that nothing more is awaited of into done.
func (wr *waiter) read() {
	events, missed := wr.b.watcher.Read()
	if missed {
		wr.resync()
	}
	for _, e := range events {
		a := wr.left[e.ID]
		if a == nil {
			continue
		}
		if e.Attempts >= a.status.Attempts {
			a.status = e.Termination
		}
		if e.Type == sessions.SessionEnded || a.gone {
			wr.end(a)
		}
	}
	for now := time.Now(); len(wr.late) > 0 && !wr.late[0].late.After(now); wr.late = wr.late[1:] {
		if a := wr.late[0]; a.status.Asking { // else it has its outcome
			wr.done = append(wr.done, a)
		}
	}
}

// end notes that a session is gone. It is done at once, or when the outcome has come of the attempt that is under way.
func (wr *waiter) end(a *awaited) {
	switch {
	case !a.status.Asking:
		wr.done = append(wr.done, a)
	case !a.gone:
		a.late = time.Now().Add(outcomeWait)
		wr.late = append(wr.late, a)
	}
	a.gone = true
}

// resync reads the state of the sessions that are left, because events were missed. The view is newer than any Gone
// that was missed.
func (wr *waiter) resync() {
	view := wr.s.table.View()
	for id, a := range wr.left {
		status, underWay := wr.s.terminator.Status(id)
		if underWay {
			a.status = status
		}
		if !a.gone && view.Get(id) != nil {
			continue
		}
		if !underWay { // no outcome is to come; that of the last attempt may be lost
			a.status.Asking = false
		}
		wr.end(a)
	}
}

// write writes the sessions of done, in the order of the request.
func (wr *waiter) write() error {
	slices.SortFunc(wr.done, func(a, b *awaited) int { return a.index - b.index })
	for _, a := range wr.done {
		if wr.left[a.id] == nil {
			continue
		}
		delete(wr.left, a.id)
		if err := wr.out.write(wr.b.describe(a, nil, wr.s.table)); err != nil {
			return err
		}
	}
	wr.done = wr.done[:0]
	return nil
}

// writeRest writes the sessions that are left, as they are now.
func (wr *waiter) writeRest() error {
	if wr.b.watcher != nil {
		wr.read()
	}
	view := wr.s.table.View()
	for _, id := range wr.b.ids {
		a := wr.left[id]
		if a == nil {
			continue
		}
		if status, underWay := wr.s.terminator.Status(id); underWay {
			a.status = status
		}
		session := view.Get(id)
		if a.gone {
			session = nil
		}
		if err := wr.out.write(wr.b.describe(a, session, wr.s.table)); err != nil {
			return err
		}
	}
	return nil
}

// describe makes JSON of a session that is being ended, or (session nil) is gone.
func (b *begun) describe(a *awaited, session *sessions.Session, clock *sessions.Table) api.Session {
	var out api.Session
	switch known := b.known[a.id]; {
	case session != nil:
		out = describe(session, clock)
	case known != nil:
		out = describe(known, clock)
	default:
		out = api.Session{ID: a.id.String(), Number: uint32(a.id)}
	}
	if session == nil {
		out.State = sessions.Ended.String()
		a.status.Next = time.Time{} // nothing follows
	}
	out.Marked = b.marked[a.id]
	if a.status.Attempts > 0 || session != nil && session.State == sessions.Terminating {
		out.Termination = describeTermination(a.status)
	}
	return out
}
