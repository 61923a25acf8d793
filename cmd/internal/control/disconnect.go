package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

var errEnding = errors.New("the daemon is ending")

// victims are the sessions that a request means, as parsed.
type victims struct {
	ids    []sessions.ID
	filter api.Filter
	wait   time.Duration
}

// parseDisconnect reads a body. A field that is not known is an error: it may have been meant to
// spare somebody.
func parseDisconnect(body io.Reader) (victims, error) {
	var req api.DisconnectRequest
	if err := decodeBody(body, &req); err != nil {
		return victims{}, err
	}
	given := 0
	for _, is := range []bool{len(req.IDs) > 0, len(req.Filter) > 0, req.All} {
		if is {
			given++
		}
	}
	if given != 1 {
		return victims{}, errors.New("body: want ids, filter or all, and one of them only")
	}
	v := victims{wait: req.Wait.Duration()}
	if req.Wait < 0 || req.Wait > api.InSeconds(api.MaxWait) {
		return victims{}, fmt.Errorf("body: wait is not within 0 and %v seconds", api.MaxWait.Seconds())
	}
	for _, text := range req.IDs {
		id, err := api.ParseID(text)
		if err != nil {
			return victims{}, fmt.Errorf("body: %w", err)
		}
		v.ids = append(v.ids, sessions.ID(id))
	}
	v.ids = unique(v.ids)
	for key, value := range req.Filter {
		if err := v.filter.Set(key, value); err != nil {
			return victims{}, fmt.Errorf("body: %w", err)
		}
	}
	return v, nil
}

// decodeBody reads a body that is one JSON value with no field that is not known. The error is an
// io.EOF if there is none.
func decodeBody(body io.Reader, v any) error {
	dec := json.NewDecoder(body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
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

// refuseBody answers a request whose body is wrong.
func (s *Server) refuseBody(w http.ResponseWriter, err error) {
	code := http.StatusBadRequest
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		code = http.StatusRequestEntityTooLarge
	}
	s.refuse(w, code, err)
}

// unique leaves the first of each.
func unique(ids []sessions.ID) []sessions.ID {
	seen := make(map[sessions.ID]bool, len(ids))
	return slices.DeleteFunc(ids, func(id sessions.ID) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
}

// disconnect is POST /v1/sessions/disconnect.
func (s *Server) disconnect(w http.ResponseWriter, r *http.Request) {
	want, err := readDisconnect(r)
	if err != nil {
		s.refuseBody(w, err)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	began, err := s.begin(ctx, want)
	s.logDisconnect(r, began)
	if gone := (*sessions.NotLiveError)(nil); errors.As(err, &gone) {
		s.refuse(w, http.StatusNotFound, fmt.Errorf("no live session %s, nothing is disconnected", gone.ID))
		return
	}
	if err != nil {
		s.refuse(w, http.StatusServiceUnavailable, err)
		return
	}
	s.report(w, r, began, want.wait)
}

// logDisconnect writes a line for each session that a request has marked; those that were being ended
// before have one already.
func (s *Server) logDisconnect(r *http.Request, b *begun) {
	for _, id := range b.ids {
		session := b.known[id]
		if !b.marked[id] || session == nil {
			continue
		}
		s.cfg.Logger.Info("disconnect by command", "uid", r.Context().Value(peerKey{}),
			"session", id.String(), "user", session.User, "nas", session.NAS.String())
	}
}

func readDisconnect(r *http.Request) (victims, error) {
	if len(r.URL.RawQuery) > 0 {
		return victims{}, errors.New("a disconnect takes its parameters in the body")
	}
	return parseDisconnect(r.Body)
}

// begun is the sessions that a request ends.
type begun struct {
	ids     []sessions.ID
	marked  map[sessions.ID]bool
	known   map[sessions.ID]*sessions.Session // as they were, as far as a view had them
	watcher *sessions.Watcher                 // of all of them; nil if the request does not wait
}

// eventsPerSession is how many events a request that waits has a place for: each session has few before it is gone. If
// there are more because the client does not read, the state is read anew, which is seldom then.
const eventsPerSession = 4

// chunk is how many sessions of a filter are marked in one commit: the table is not locked, nor the
// journal filled, by a million at once.
const chunk = 1024

// begin marks the sessions, waits until that is durable, and gives them to the terminator. An error
// means that nothing was done, or with a filter and in its words, what was.
//
// The sessions are watched from before they are marked, so that nothing of their end is missed.
func (s *Server) begin(ctx context.Context, want victims) (*begun, error) {
	b := &begun{ids: want.ids, marked: map[sessions.ID]bool{}, known: map[sessions.ID]*sessions.Session{}}
	view := s.table.View()
	if len(b.ids) == 0 {
		for _, session := range find(want.filter, view) {
			b.ids = append(b.ids, session.ID)
		}
	}
	for _, id := range b.ids {
		b.known[id] = view.Get(id)
	}
	if want.wait > 0 {
		b.watcher = s.terminator.Watch(ctx, eventsPerSession*len(b.ids), b.ids)
	}
	if len(want.ids) > 0 {
		marked, err := s.mark(want.ids)
		b.add(marked)
		return b, err
	}
	var live []sessions.ID
	for part := range slices.Chunk(b.ids, chunk) {
		part, marked, err := s.markLive(slices.Clone(part))
		if err != nil {
			if len(b.marked) > 0 {
				err = fmt.Errorf("%w, when %d of %d sessions were being disconnected", err, len(b.marked), len(b.ids))
			}
			return b, err
		}
		live = append(live, part...)
		b.add(marked)
	}
	b.ids = live
	return b, nil
}

func (b *begun) add(marked []sessions.ID) {
	for _, id := range marked {
		b.marked[id] = true
	}
}

// markLive marks those that are still live.
func (s *Server) markLive(ids []sessions.ID) (live, marked []sessions.ID, err error) {
	for {
		marked, err = s.mark(ids)
		gone := (*sessions.NotLiveError)(nil)
		if !errors.As(err, &gone) {
			return ids, marked, err
		}
		ids = slices.Delete(ids, gone.Index, gone.Index+1)
	}
}

// mark is R4 and R5 for some sessions, all or none.
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
		// If it becomes durable after all, the terminator finds them at the next start.
		return nil, errEnding
	}
	if err != nil {
		s.table.Undo(ids, nil)
		return nil, err
	}
	// Also those that were marked already: who marked them may have ended before it came here.
	s.terminator.Start(ids...)
	return marked, nil
}
