package client

import "time"

// What became of a server's answer, for the log.
const (
	outcomeAccepted   = "accepted"
	outcomeLate       = "accepted, after its timeout"
	outcomeDuplicate  = "duplicate, or its request was given up"
	outcomeUnexpected = "unexpected"
	outcomeFaulty     = "not valid"
	outcomeError      = "ERROR"
	outcomeFollow     = "FOLLOW"
)

// traceRequest logs a packet that is about to be sent, at level debug.
func (c *conn) traceRequest(o *outgoing) {
	s := c.path.server
	log := s.client.cfg.Logger
	suppressed, ok := s.client.tracedRequests.Allow(log, s.client.cfg.Now())
	if ok {
		log.Debug("TACACS+ request sent", "group", o.x.group.cfg.Name, "server", s.Name, "address", s.Address(), "session", o.x.req.Session(), "suppressed", suppressed)
	}
}

// traceAnswer logs a packet from the server at level debug.
func (c *conn) traceAnswer(session session, outcome string, now time.Time) {
	s := c.path.server
	log := s.client.cfg.Logger
	suppressed, ok := s.client.tracedAnswers.Allow(log, now)
	if !ok {
		return
	}
	args := []any{"server", s.Name, "address", s.Address(), "outcome", outcome, "suppressed", suppressed}
	if x := session.x; x != nil {
		args = append(args, "group", x.group.cfg.Name, "session", x.req.Session(), "round_trip", now.Sub(session.sent).Round(time.Microsecond))
	}
	log.Debug("TACACS+ answer received", args...)
}
