package control

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
	"weak"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

const (
	maxSelections = 64
	// selectionAge limits how long an answer is used again: the names of clients are not in the table,
	// and a reload changes them.
	selectionAge = 10 * time.Second
)

// selections are the latest answers to queries for a part of the list. As long as nothing in the table
// changes, equal queries share one evaluation, which looks at every session. Weak: the answers must not
// keep a table in memory.
type selections struct {
	mu    sync.Mutex
	view  weak.Pointer[sessions.View]
	since time.Time
	of    map[string]*selected // by query
}

// selected is the answer to a query. Only evaluate writes it.
type selected struct {
	evaluate sync.Once
	matched  int
	rows     []*sessions.Session
}

// selectPage returns the sessions that a query asks for.
func (s *Server) selectPage(q api.Query) (api.SessionsHead, []*sessions.Session) {
	s.table.RefreshLinks()
	view := s.table.View()
	found, kept := &selected{}, s.lasts(q)
	if kept {
		found = s.selections.find(q, view, time.Now())
	}
	found.evaluate.Do(func() {
		s.selecting.Lock()
		defer s.selecting.Unlock()
		if ids, ok := inOrder(view, q.Sort); ok && kept && q.IsZero() {
			found.matched, found.rows = view.Len(), rowsAt(ids, q.Offset, q.Limit)
			return
		}
		all := s.findAll(q, view)
		found.matched, found.rows = len(all), s.pageOf(q, all)
		if kept {
			found.rows = slices.Clone(found.rows) // a part of all would keep all of it
		}
	})
	return api.SessionsHead{Total: view.Len(), Matched: found.matched}, found.rows
}

// inOrder yields the sessions of a view in an order, if that is one of the ids.
func inOrder(view *sessions.View, order string) (ids iter.Seq[*sessions.Session], ok bool) {
	switch order {
	case "", "id":
		return view.All(), true
	case "-id":
		return view.Backward(), true
	}
	return nil, false
}

// rowsAt returns the sessions from index from, at most limit of them.
func rowsAt(all iter.Seq[*sessions.Session], from, limit int) (list []*sessions.Session) {
	for s := range all {
		if from--; from < 0 {
			list = append(list, s)
		}
		if len(list) == limit {
			break
		}
	}
	return list
}

// lasts reports whether the answer to a query is the same until the table changes, and short. An
// interface of this host counts on without a change of the table, and the table does not know which
// sessions are stuck.
func (s *Server) lasts(q api.Query) bool {
	counts := s.table.HasLinks() && strings.TrimPrefix(q.Sort, "-") != "id" && q.Sort != ""
	return q.Limit > 0 && q.Limit <= api.MaxPage && q.State != "stuck" && !counts
}

// find returns the answer to a query in a view, which may be still to be evaluated.
func (c *selections) find(q api.Query, view *sessions.View, now time.Time) *selected {
	c.mu.Lock()
	defer c.mu.Unlock()
	is := weak.Make(view)
	if c.view != is || len(c.of) >= maxSelections || now.Sub(c.since) > selectionAge {
		c.view, c.since, c.of = is, now, map[string]*selected{}
	}
	key := q.Values().Encode()
	found := c.of[key]
	if found == nil {
		found = &selected{}
		c.of[key] = found
	}
	return found
}
