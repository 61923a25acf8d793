package client

import (
	"errors"
	"time"

	"aaasess/internal/tacacs"
)

// outcome is what an answer leads to, once the mutex is released.
type outcome struct {
	text      string   // for the log
	over      []ending // exchanges that end without success
	settled   *exchange
	listeners []*Group // to tell that the server answers
	changed   *Group   // has changes to log
	err       error    // ends the connection
}

// handle processes an answer. An error ends the connection.
func (c *conn) handle(a *answer) error {
	s := c.path.server
	now := s.client.cfg.Now()
	s.client.mu.Lock()
	session, known := c.sessions[a.header.Session]
	o := c.process(a, session, known, now)
	s.client.mu.Unlock()
	c.traceAnswer(session, o.text, now)
	c.warn(a, session, known)
	if o.changed != nil {
		o.changed.logChanges()
	}
	if o.settled != nil {
		o.settled.req.Done(s.Name, nil)
	}
	end(o.over)
	for _, g := range o.listeners {
		g.cfg.Heard()
	}
	return o.err
}

// warn logs a problem with an answer to a session; known is false if there is no such session.
func (c *conn) warn(a *answer, session session, known bool) {
	s := c.path.server
	switch {
	case errors.Is(a.fault, errWrongKey) && known:
		s.warn("TACACS+ answer dropped: check the key", "err", a.fault)
	case a.fault != nil:
		s.warn("TACACS+ answer dropped, the connection is closed", "err", a.fault)
	case !known:
		s.warn("TACACS+ answer of an unknown session dropped")
	case a.reply.Status == tacacs.StatusError:
		s.warn("TACACS+ server answered ERROR", "err", cut(a.reply.ServerMsg), "session", session.x.req.Session())
	case a.reply.Status == tacacs.StatusFollow:
		s.warn("TACACS+ server answered FOLLOW, which names other servers; only configured ones are used", "err", cut(a.reply.Data), "session", session.x.req.Session())
	}
}

// cut limits a text of a server for the log.
func cut(text string) string { return text[:min(len(text), 200)] }

// process counts an answer and decides what follows from it. The caller holds the mutex.
func (c *conn) process(a *answer, session session, known bool, now time.Time) outcome {
	p := c.path
	stats := p.server.stats
	stats.Responses++
	switch {
	case c.ended:
		stats.PacketsDropped++
		return outcome{text: outcomeUnexpected, err: errDone}
	case errors.Is(a.fault, errForeign):
		stats.UnknownTypes++
	case errors.Is(a.fault, errMalformed):
		stats.MalformedResponses++
	case !known:
		stats.PacketsDropped++
		return outcome{text: outcomeUnexpected}
	case a.fault != nil:
		stats.BadAuthenticators++
	}
	if a.fault != nil {
		o := outcome{text: outcomeFaulty, err: a.fault}
		if x := session.x; known && !session.late {
			c.forget(a.header.Session, session)
			o.over = fail([]*exchange{x}, now, nil)
		}
		return o
	}
	c.forget(a.header.Session, session)
	c.answered++
	c.heard, p.heard = now, now
	stats.LastResponse, stats.RoundTripTime = now, now.Sub(session.sent)
	stats.MaxResponseTime = max(stats.MaxResponseTime, stats.RoundTripTime)
	switch {
	case session.timedOut:
		stats.LateResponses++
	case !session.late:
		stats.AddResponseTime(stats.RoundTripTime)
	}
	var o outcome
	if a.reply.Status == tacacs.StatusSuccess {
		o = c.accepted(session, now)
	} else {
		o = c.refused(a.reply.Status, session, now)
	}
	if len(session.x.group.changes) > 0 {
		o.changed = session.x.group
	}
	o.err = c.keep(a.header.Flags, now)
	return o
}

// forget ends a session that was answered. The caller holds the mutex.
func (c *conn) forget(id uint32, s session) {
	delete(c.sessions, id)
	if !s.late {
		c.path.server.stats.PendingRequests--
		s.x.conn = nil
		return
	}
	for i, late := range c.late {
		if late == id {
			c.late = append(c.late[:i], c.late[i+1:]...)
			return
		}
	}
}

// accepted handles status SUCCESS. The caller holds the mutex.
func (c *conn) accepted(session session, now time.Time) outcome {
	s, x := c.path.server, session.x
	g := x.group
	o := outcome{text: outcomeAccepted}
	s.refusals = nil
	if s.state.Answered(now) {
		s.history.Update(now)
		g.changes = append(g.changes, change{server: s, up: true})
		o.listeners = without(s.groups(), g)
	}
	if session.late {
		o.text = outcomeLate
	}
	if x.settled {
		o.text = outcomeDuplicate
		if g.phase != closed {
			o.listeners = append(o.listeners, g)
		}
		return o
	}
	g.settle(x, now)
	s.stats.Successes++
	o.settled = x
	return o
}

// refused handles status ERROR or FOLLOW: the request goes to the next server (R42). The caller
// holds the mutex.
func (c *conn) refused(status tacacs.Status, session session, now time.Time) outcome {
	s, x := c.path.server, session.x
	g := x.group
	o := outcome{text: outcomeError}
	if status == tacacs.StatusError {
		s.stats.Errors++
	} else {
		s.stats.Follows++
		o.text = outcomeFollow
	}
	died, back := s.refused(x.req.Record(), now, g.rule)
	if died || back {
		s.history.Update(now)
		g.changes = append(g.changes, change{server: s, up: back})
	}
	if back {
		o.listeners = without(s.groups(), g)
	}
	if session.late || x.settled {
		return o
	}
	g.endProbe(x)
	x.refused |= 1 << x.server
	o.over = g.proceed(x, g.failOver(x, now), now, nil)
	return o
}

// keep decides what becomes of the connection after an answer with these flags. Only those of the
// first answer count (RFC 8907 section 4.3). An error ends the connection. The caller holds the
// mutex.
func (c *conn) keep(flags tacacs.Flags, now time.Time) error {
	p := c.path
	switch {
	case c.ended:
		return errDone
	case c.state == kept:
		if c.answered == fewAnswers {
			p.broken = 0
		}
		return nil
	case c.state == retiring:
		if c.load() == 0 {
			return errDone
		}
		return nil
	}
	agreed := flags&tacacs.FlagSingleConnect != 0
	asked := c.asked && p.wantsSingle(now)
	if asked {
		p.declined = !agreed
		p.server.single = agreed
	}
	if !asked || !agreed {
		c.detach()
		p.dispatch(now)
		return errDone
	}
	c.state = kept
	p.opening--
	p.dispatch(now)
	return nil
}
