package control

import (
	"net/http"
	"time"

	"aaasess/sessions"
)

// outcomeWait is how long after a session is gone the outcome of the attempt that was under way may
// take: the stop often overtakes the ACK.
const outcomeWait = time.Second

// awaited is a session that is being ended.
type awaited struct {
	id     sessions.ID
	status sessions.Termination // as last seen
	asked  bool                 // an attempt has come back
	gone   time.Time            // when it was first seen to be gone; zero while it lives
}

// report answers a disconnect: each session once it is gone, and the others when the wait is over.
func (s *Server) report(w http.ResponseWriter, r *http.Request, b *begun, wait time.Duration) {
	if wait > 0 { // net/http still watches for the end of the connection, but not until readTimeout only
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	}
	out, err := newListWriter(w, endedHead{Matched: len(b.ids), Marked: len(b.marked)})
	if err != nil || wait > 0 && out.flush() != nil {
		return
	}
	waiting := make([]awaited, len(b.ids))
	for i, id := range b.ids {
		waiting[i].id = id
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	over := time.NewTimer(wait)
	defer over.Stop()
	for last := wait <= 0; ; {
		view := s.table.View()
		left := waiting[:0]
		for _, a := range waiting {
			session, done := s.look(&a, b, view)
			if !done && !last {
				left = append(left, a)
				continue
			}
			if out.write(session) != nil {
				return
			}
		}
		if waiting = left; len(waiting) == 0 {
			_ = out.end()
			return
		}
		if out.Buffered() > 0 && out.flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-over.C:
			last = true
		case <-s.ending:
			last = true
		case <-r.Context().Done():
			return
		}
	}
}

// look says how a session is now, and whether there is nothing more to wait for.
func (s *Server) look(a *awaited, b *begun, view *sessions.View) (_ Session, done bool) {
	status, underWay := s.terminator.Status(a.id)
	if underWay {
		a.status, a.asked = status, hasOutcome(status)
	}
	session := view.Get(a.id)
	if session == nil {
		if a.gone.IsZero() {
			a.gone = time.Now()
		}
		asking := underWay && status.Attempts > 0 && status.Next.IsZero()
		done = !asking || time.Since(a.gone) > outcomeWait
		if outcome, attempts := s.cfg.Outcomes.last(a.id); attempts > 0 {
			a.status.Last, a.status.Attempts, a.asked = outcome, max(a.status.Attempts, attempts), true
		}
		a.status.Next = time.Time{} // nothing follows
	}
	return b.describe(a, session, s.table), done
}

// describe makes JSON of a session that is being ended, or (session nil) is gone.
func (b *begun) describe(a *awaited, session *sessions.Session, clock *sessions.Table) Session {
	var out Session
	switch known := b.known[a.id]; {
	case session != nil:
		out = describe(session, clock)
	case known != nil:
		out = describe(known, clock)
	default:
		out = Session{ID: a.id.String(), Number: uint32(a.id)}
	}
	if session == nil {
		out.State = sessions.Ended.String()
	}
	out.Marked = b.marked[a.id]
	if a.status.Attempts > 0 || session != nil && session.State == sessions.Terminating {
		out.Termination = describeTermination(a.status, a.asked)
	}
	return out
}
