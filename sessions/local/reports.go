package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"aaasess/sessions"
	localreport "aaasess/sessions/local/report"
)

// reports answers the reports of a verb.
func (s *Server) reports(verb localreport.Verb) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := s.caller(r)
		body, err := readBody(w, r)
		if err != nil {
			writeProblem(w, asProblem(err))
			return
		}
		answer, err := s.answer(w, c, keyName{c.uid, verb, r.Header.Get(localreport.KeyHeader)}, body)
		if err != nil {
			writeProblem(w, asProblem(err))
			return
		}
		write(w, http.StatusOK, "application/json", answer)
	}
}

// answer carries out a report, unless its key has been answered.
func (s *Server) answer(w http.ResponseWriter, c *caller, name keyName, body []byte) ([]byte, error) {
	do := func() ([]byte, error) { return s.carryOut(c, name.verb, body) }
	if name.key == "" {
		return do()
	}
	if !isKey(name.key) {
		return nil, problem(http.StatusBadRequest, "", "%s must have 1 to %d visible octets of ASCII", localreport.KeyHeader, localreport.MaxKey)
	}
	answer, isRepeated, err := s.keys.once(name, body, s.cfg.Now, do)
	if isRepeated {
		w.Header().Set(localreport.RepeatedHeader, "true")
	}
	return answer, err
}

// readBody reads the body of a request. It does not read one that is too large.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	tooLarge := problem(http.StatusRequestEntityTooLarge, "", "the body has more than %d octets", localreport.MaxBody)
	if r.ContentLength > localreport.MaxBody {
		w.Header().Set("Connection", "close")
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, localreport.MaxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, tooLarge
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, problem(http.StatusRequestTimeout, "", "the body did not arrive within %v", readTimeout)
	case err != nil:
		return nil, problem(http.StatusBadRequest, "", "the body ends early")
	}
	return body, nil
}

// carryOut makes a report durable, and returns the answer.
func (s *Server) carryOut(c *caller, verb localreport.Verb, body []byte) ([]byte, error) {
	r, err := decode(body)
	if err != nil {
		return nil, err
	}
	t := translation{Report: &r, verb: verb, names: s.cfg.Names(), nasID: s.cfg.NASIdentifier, now: s.cfg.Now()}
	var answer localreport.Answer
	switch verb {
	case localreport.Fail, localreport.Command:
		answer, err = s.record(c, &t)
	default:
		answer, err = s.apply(c, &t)
	}
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(&answer)
	if err != nil {
		return nil, fmt.Errorf("local: encode the answer: %w", err)
	}
	return append(b, '\n'), nil
}

// apply makes an event of a session durable.
func (s *Server) apply(c *caller, t *translation) (localreport.Answer, error) {
	ev := t.event()
	ev.End = s.howToEnd(c, t)
	if t.fault != nil {
		return localreport.Answer{}, t.fault
	}
	owner, _ := c.may(Write)
	s.findInterfaces(t, &ev)
	if ev.Type != sessions.Start {
		s.table.RefreshLinks() // a record has the newest counters
	}
	var outcome sessions.Outcome
	ev.NAS.Addr = sessions.LocalAddr(owner.String())
	ev.Outcome = &outcome
	ev.Permit = func(session *sessions.Session) error { return permit(c, t, session) }
	durable := make(chan error, 1)
	if err := s.sink.Apply(ev, func(err error) { durable <- err }); err != nil {
		return localreport.Answer{}, err
	}
	if err := <-durable; err != nil {
		return localreport.Answer{}, err
	}
	b, err := json.Marshal(s.cfg.Describe(outcome.Session))
	if err != nil {
		return localreport.Answer{}, fmt.Errorf("local: encode the session: %w", err)
	}
	return localreport.Answer{Session: b, Copy: outcome.Copy}, nil
}

// permit says whether a report may change a session; nil is none.
func permit(c *caller, t *translation, session *sessions.Session) error {
	switch {
	case session != nil && !c.owns(session):
		return problem(http.StatusForbidden, "/session", "the session belongs to another user")
	case session != nil:
	case t.verb == localreport.Update, t.verb == localreport.Stop && t.User == "":
		return problem(http.StatusNotFound, "/session", "there is no such session")
	}
	return nil
}

// record makes an event without a session durable: a command, or a failed login.
func (s *Server) record(c *caller, t *translation) (localreport.Answer, error) {
	owner, mayAll := c.may(Write)
	if !mayAll {
		owner, _ = c.may(Command)
		s.ownCommand(c, t)
	}
	o := t.oneOff()
	if t.End != nil {
		t.reject("/end", "there is no session to end")
	}
	if t.fault != nil {
		return localreport.Answer{}, t.fault
	}
	o.NAS.Addr = sessions.LocalAddr(owner.String())
	durable := make(chan error, 1)
	id, err := s.table.Record(o, func(err error) { durable <- err })
	if err != nil {
		return localreport.Answer{}, err
	}
	if err := <-durable; err != nil {
		return localreport.Answer{}, err
	}
	if id == 0 {
		return localreport.Answer{}, nil // no method list
	}
	return localreport.Answer{ID: id.String()}, nil
}
