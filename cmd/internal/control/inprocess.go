package control

import (
	"context"
	"errors"
	"fmt"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

// List returns the part of the list of live sessions that a query asks for. The sort of the query is
// one of [api.Orders].
func (s *Server) List(q api.Query) (api.SessionsHead, []api.Session) {
	head, rows := s.selectPage(q)
	list := make([]api.Session, len(rows))
	for i, session := range rows {
		list[i] = s.describe(session)
	}
	return head, list
}

// DisconnectOne starts to end a live session, and returns when it is durable that it will be ended. It
// does not wait for the NAS. person is who asked for it, and from their address, for the log. Its
// errors say that the session is not live, or why it cannot be ended.
func (s *Server) DisconnectOne(ctx context.Context, id api.ID, person, from string) error {
	b, err := s.start(ctx, selection{ids: []sessions.ID{sessions.ID(id)}}, func(int, int) {})
	for log := range s.markedLoggers(b, s.cfg.Logger.With("person", person, "from", from)) {
		log.Info("disconnect by status page")
	}
	if notLive := (*sessions.NotLiveError)(nil); errors.As(err, &notLive) {
		return fmt.Errorf("session %s is not live", notLive.ID)
	}
	return err
}
