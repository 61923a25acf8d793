package control

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

// errTooMany is returned for a clear of more ids than one commit may end.
var errTooMany = errors.New("body: ids")

// clear is POST /v1/sessions/clear.
func (s *Server) clear(w http.ResponseWriter, r *http.Request) {
	sel, err := readDisconnect(r)
	if err == nil && sel.wait != 0 {
		err = errors.New("body: a clear does not wait")
	}
	if err != nil {
		s.writeBodyError(w, err)
		return
	}
	matched, cleared, err := s.clearSelected(sel, s.newProgress(w, r).tell)
	for _, session := range cleared {
		s.sessionLogger(s.commandLogger(r), session).Info("session cleared by command")
	}
	if errors.Is(err, errTooMany) {
		s.writeBodyError(w, err)
		return
	}
	if err != nil {
		s.writeEndError(w, err, "cleared")
		return
	}
	out, err := newListWriter(w, api.ClearHead{Matched: matched, Cleared: len(cleared)})
	if err != nil {
		return
	}
	for _, session := range cleared {
		row := s.describeRow(session)
		row.State = sessions.Ended.String()
		if out.write(row) != nil {
			return
		}
	}
	_ = out.end()
}

// clearSelected ends the sessions of a selection, and returns them as they were before. With ids,
// an error means that no session was ended. With a filter, some may be ended; the text of the error
// says how many. Those that end by themselves meanwhile are left out. It calls tell after each commit
// with how many of the sessions it has ended.
func (s *Server) clearSelected(sel selection, tell func(done, total int)) (matched int, cleared []*sessions.Session, err error) {
	if len(sel.ids) > markLimit { // all or none is one commit, whose size the store limits
		return 0, nil, fmt.Errorf("%w: %d sessions are given by id, at most %d are possible; use a filter", errTooMany, len(sel.ids), markLimit)
	}
	view := s.table.View()
	var found []*sessions.Session
	for _, id := range sel.ids {
		session := view.Get(id)
		if session == nil {
			return 0, nil, &sessions.NotLiveError{ID: id}
		}
		found = append(found, session)
	}
	if len(sel.ids) > 0 {
		if err := s.clearAll(found); err != nil {
			return len(found), nil, err
		}
		return len(found), found, nil
	}
	if found, err = s.findSelected(sel, view); err != nil {
		return 0, nil, err
	}
	for part := range slices.Chunk(found, markLimit) {
		part, err := s.clearLive(slices.Clone(part))
		if err != nil {
			if len(cleared) > 0 {
				err = fmt.Errorf("%w; %d of %d sessions are already cleared", err, len(cleared), len(found))
			}
			return len(found), cleared, err
		}
		cleared = append(cleared, part...)
		tell(len(cleared), len(found))
	}
	return len(found), cleared, nil
}

// clearLive ends the sessions that are still live, and returns them.
func (s *Server) clearLive(list []*sessions.Session) ([]*sessions.Session, error) {
	for {
		err := s.clearAll(list)
		notLive := (*sessions.NotLiveError)(nil)
		if !errors.As(err, &notLive) {
			return list, err
		}
		list = slices.Delete(list, notLive.Index, notLive.Index+1)
	}
}

// clearAll ends all the sessions or none, and waits until that is durable.
func (s *Server) clearAll(list []*sessions.Session) error {
	if len(list) == 0 {
		return nil
	}
	ids := make([]sessions.ID, len(list))
	for i, session := range list {
		ids[i] = session.ID
	}
	durable := make(chan error, 1)
	if err := s.table.Clear(ids, func(err error) { durable <- err }); err != nil {
		return err
	}
	return <-durable // the store outlives the server, so an end that was decided is reported and logged
}
