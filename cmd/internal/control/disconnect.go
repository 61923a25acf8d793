package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
	"aaasess/sessions/termination"
)

var errEnding = errors.New("the daemon is ending")

// selection is a parsed [api.DisconnectRequest]: the ids, or else all sessions that match the
// filter.
type selection struct {
	ids    []sessions.ID
	filter api.Filter
	most   int // how many may match the filter; 0: any number
	wait   time.Duration
}

// tooManyError is returned if more sessions match a filter than the request allows.
type tooManyError struct{ matched, most int }

func (e *tooManyError) Error() string {
	return fmt.Sprintf("%d sessions match now, more than %d", e.matched, e.most)
}

// findSelected returns the rows that match the filter of a selection.
func (s *Server) findSelected(sel selection, view *sessions.View) ([]*sessions.Session, error) {
	found := s.find(sel.filter, view)
	if sel.most > 0 && len(found) > sel.most {
		return nil, &tooManyError{len(found), sel.most}
	}
	return found, nil
}

// parseDisconnect reads a body. An unknown field is an error: it may be a misspelt filter, and
// without it the request would end too many sessions.
func parseDisconnect(body io.Reader) (selection, error) {
	var req api.DisconnectRequest
	if err := decodeBody(body, &req); err != nil {
		return selection{}, err
	}
	given := 0
	for _, is := range []bool{len(req.IDs) > 0, len(req.Filter) > 0, req.All} {
		if is {
			given++
		}
	}
	if given != 1 {
		return selection{}, errors.New("body: want exactly one of ids, filter and all")
	}
	if req.Most < 0 || req.Most > 0 && len(req.Filter) == 0 {
		return selection{}, errors.New("body: most: want a number above 0, with a filter")
	}
	sel := selection{most: req.Most, wait: req.Wait.Duration()}
	if req.Wait < 0 || req.Wait > api.InSeconds(api.MaxWait) {
		return selection{}, fmt.Errorf("body: wait: want 0 to %v seconds", api.MaxWait.Seconds())
	}
	for _, text := range req.IDs {
		id, err := api.ParseID(text)
		if err != nil {
			return selection{}, fmt.Errorf("body: %w", err)
		}
		sel.ids = append(sel.ids, sessions.ID(id))
	}
	sel.ids = unique(sel.ids)
	for key, value := range req.Filter {
		if err := sel.filter.Set(key, value); err != nil {
			return selection{}, fmt.Errorf("body: %w", err)
		}
	}
	return sel, nil
}

// decodeBody decodes a body of one JSON value. Unknown fields are an error. The error of an empty
// body is io.EOF.
func decodeBody(body io.Reader, v any) error {
	dec := json.NewDecoder(body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		if mismatch := (*json.UnmarshalTypeError)(nil); errors.As(err, &mismatch) {
			// The decoder's own text has names of Go types.
			return fmt.Errorf("body: %s: unexpected %s", cmp.Or(mismatch.Field, "JSON value"), mismatch.Value)
		}
		return fmt.Errorf("body: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return fmt.Errorf("body: %w", err)
		}
		return errors.New("body: more than one JSON value")
	}
	return nil
}

// writeBodyError answers a request whose body is invalid.
func (s *Server) writeBodyError(w http.ResponseWriter, err error) {
	code := http.StatusBadRequest
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		code = http.StatusRequestEntityTooLarge
	}
	s.writeError(w, code, err)
}

// unique removes duplicates, and keeps the order.
func unique(ids []sessions.ID) []sessions.ID {
	seen := make(map[sessions.ID]bool, len(ids))
	return slices.DeleteFunc(ids, func(id sessions.ID) bool {
		duplicate := seen[id]
		seen[id] = true
		return duplicate
	})
}

// disconnect is POST /v1/sessions/disconnect.
func (s *Server) disconnect(w http.ResponseWriter, r *http.Request) {
	sel, err := readDisconnect(r)
	if err != nil {
		s.writeBodyError(w, err)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	b, err := s.start(ctx, sel, s.newProgress(w, r).tell)
	for log := range s.markedLoggers(b, s.commandLogger(r)) {
		log.Info("disconnect by command")
	}
	if err != nil {
		s.writeEndError(w, err, "disconnected")
		return
	}
	s.report(w, r, b, sel.wait)
}

// writeEndError answers a request that has ended no session. done is a past participle.
func (s *Server) writeEndError(w http.ResponseWriter, err error, done string) {
	notLive, tooMany := (*sessions.NotLiveError)(nil), (*tooManyError)(nil)
	switch {
	case errors.As(err, &notLive):
		s.writeError(w, http.StatusNotFound, fmt.Errorf("session %s is not live; no session was %s", notLive.ID, done))
	case errors.As(err, &tooMany), errors.Is(err, termination.ErrNoMeans):
		s.writeError(w, http.StatusConflict, fmt.Errorf("%w; no session was %s", err, done))
	default:
		s.writeError(w, http.StatusServiceUnavailable, err)
	}
}

// markedLoggers yields a logger of the caller for each session that the request has marked. Sessions that were
// already being ended have had their line.
func (s *Server) markedLoggers(b *batch, caller *slog.Logger) iter.Seq[*slog.Logger] {
	return func(yield func(*slog.Logger) bool) {
		for _, id := range b.ids {
			if session := b.before[id]; b.marked[id] && session != nil && !yield(s.sessionLogger(caller, session)) {
				return
			}
		}
	}
}

// commandLogger returns a logger whose lines name the caller of a request.
func (s *Server) commandLogger(r *http.Request) *slog.Logger {
	return s.cfg.Logger.With("uid", r.Context().Value(peerKey{}))
}

// sessionLogger returns the logger of a caller whose lines also name the session.
func (s *Server) sessionLogger(caller *slog.Logger, session *sessions.Session) *slog.Logger {
	log := caller.With("session", session.ID.String(), "user", session.User(), "nas", session.NAS.String())
	if client := s.cfg.ClientName(session.NAS.Addr); client != "" {
		log = log.With("client", client)
	}
	return log
}

func readDisconnect(r *http.Request) (selection, error) {
	if len(r.URL.RawQuery) > 0 {
		return selection{}, errors.New("unexpected query: a disconnect has its parameters in the body")
	}
	return parseDisconnect(r.Body)
}

// batch is the sessions that one request ends.
type batch struct {
	ids     []sessions.ID
	marked  map[sessions.ID]bool              // this request has marked them
	before  map[sessions.ID]*sessions.Session // as they were before; nil if not live then
	watcher *termination.Watcher              // of all ids; nil if the request does not wait
	unable  int                               // sessions that match, but cannot be ended; they are not in ids
	why     error                             // of the first of them
}

// markLimit is how many sessions one commit marks, so that a million sessions neither lock the
// table for long nor fill the journal.
const markLimit = 1024

// start marks the sessions, waits until that is durable, and starts the terminator for them. With
// ids, an error means that no session was marked. With a filter, some may be marked; the text of
// the error says how many.
//
// The watcher starts before the sessions are marked, so that it misses no event. start calls tell
// after each commit with how many of the sessions are marked.
func (s *Server) start(ctx context.Context, sel selection, tell func(done, total int)) (*batch, error) {
	b := &batch{ids: sel.ids, marked: map[sessions.ID]bool{}, before: map[sessions.ID]*sessions.Session{}}
	view := s.table.View()
	if len(b.ids) == 0 {
		found, err := s.findSelected(sel, view)
		if err != nil {
			return b, err
		}
		for _, session := range found {
			b.ids = append(b.ids, session.ID)
		}
	}
	for _, id := range b.ids {
		b.before[id] = view.Get(id)
	}
	s.leaveOutUnable(b)
	if b.unable > 0 && (len(sel.ids) > 0 || len(b.ids) == 0) {
		return b, b.why
	}
	if sel.wait > 0 {
		b.watcher = s.terminator.Watch(ctx, b.ids)
	}
	if len(sel.ids) > 0 {
		marked, err := s.mark(sel.ids)
		b.addMarked(marked)
		return b, err
	}
	var live []sessions.ID
	for part := range slices.Chunk(b.ids, markLimit) {
		part, marked, err := s.markLive(slices.Clone(part))
		if err != nil {
			if len(b.marked) > 0 {
				err = fmt.Errorf("%w; %d of %d sessions are already being disconnected", err, len(b.marked), len(b.ids))
			}
			return b, err
		}
		live = append(live, part...)
		b.addMarked(marked)
		tell(len(live), len(b.ids))
	}
	b.ids = live
	return b, nil
}

// leaveOutUnable removes the sessions that nothing can end.
func (s *Server) leaveOutUnable(b *batch) {
	b.ids = slices.DeleteFunc(slices.Clone(b.ids), func(id sessions.ID) bool {
		session := b.before[id]
		if session == nil {
			return false
		}
		err := s.terminator.CanEnd(session)
		if err == nil {
			return false
		}
		if b.unable++; b.why == nil {
			b.why = fmt.Errorf("session %s cannot be ended: %w", id, err)
		}
		return true
	})
}

func (b *batch) addMarked(ids []sessions.ID) {
	for _, id := range ids {
		b.marked[id] = true
	}
}

// markLive marks the sessions that are still live.
func (s *Server) markLive(ids []sessions.ID) (live, marked []sessions.ID, err error) {
	for {
		marked, err = s.mark(ids)
		notLive := (*sessions.NotLiveError)(nil)
		if !errors.As(err, &notLive) {
			return ids, marked, err
		}
		ids = slices.Delete(ids, notLive.Index, notLive.Index+1)
	}
}

// mark marks all the sessions or none (R4, R5), and returns those that were not marked before.
func (s *Server) mark(ids []sessions.ID) ([]sessions.ID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	durable := make(chan error, 1)
	marked, err := s.table.Disconnect(ids, func(err error) { durable <- err })
	if err != nil {
		return nil, err
	}
	select {
	case err = <-durable:
	case <-s.ending:
		// If the marks become durable after all, the terminator continues with them at the next
		// start.
		return nil, errEnding
	}
	if err != nil {
		s.table.Undo(ids, nil)
		return nil, err
	}
	// Start all of them: a request that marked some before may have ended before it came here.
	s.terminator.Start(ids...)
	return marked, nil
}
