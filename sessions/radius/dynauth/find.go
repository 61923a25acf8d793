package dynauth

import (
	"strconv"
	"sync"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// maxSearches limits the requests without Acct-Session-Id that wait for a search of the table: each
// of them is compared with each session.
const maxSearches = 64

// find returns the session that a request is about, or nil and why there is none.
func (f *Forwarder) find(q *selector) (*sessions.Session, radius.ErrorCause) {
	switch {
	case q.invalid:
		return nil, radius.InvalidRequest
	case q.name == "" && len(q.session) == 0:
		return nil, radius.MissingAttribute
	}
	if s := numbered(f.cfg.Table, q); s != nil {
		return s, 0
	}
	return f.searches.search(f.cfg.Table, q)
}

// numbered returns the session whose number the Acct-Session-Id ends with, if no other one can be
// meant. Else it returns nil.
func numbered(table *sessions.Table, q *selector) *sessions.Session {
	const digits = 8
	if len(q.name) < digits {
		return nil
	}
	n, err := strconv.ParseUint(q.name[len(q.name)-digits:], 16, 32)
	if err != nil {
		return nil
	}
	s := table.Row(sessions.ID(n))
	switch {
	case s == nil || s.Name() != q.name || !q.matches(s) || !q.matchesNAS(s):
		return nil
	case q.name != s.ID.String() || len(q.nas) > 0:
		return s // the address in front of the number, or the request, names the NAS
	case s.Admission != nil && s.Admission.Upstream != "":
		return nil // with sync-with-client, sessions of several NASes may have the same name
	}
	return s
}

// searches are the requests that wait for a search of the whole table. One search is for all that
// wait when it begins, so that many requests for unknown sessions need few of them.
type searches struct {
	running sync.Mutex

	mu      sync.Mutex
	waiting []*search
	others  int // of waiting: those without Acct-Session-Id
}

// search is a selector that is searched for.
type search struct {
	*selector
	found     *sessions.Session
	several   bool
	elsewhere bool // a session matches that has another NAS
	done      bool
}

// search returns the session that a selector is about, or nil and why there is none.
func (all *searches) search(table *sessions.Table, q *selector) (*sessions.Session, radius.ErrorCause) {
	mine := &search{selector: q}
	all.mu.Lock()
	if q.name == "" {
		if all.others == maxSearches {
			all.mu.Unlock()
			return nil, radius.ResourcesUnavailable
		}
		all.others++
	}
	all.waiting = append(all.waiting, mine)
	all.mu.Unlock()

	all.running.Lock()
	if !mine.done { // else the search of another request was for this one too
		all.mu.Lock()
		now := all.waiting
		all.waiting, all.others = nil, 0
		all.mu.Unlock()
		searchAll(table, now)
	}
	all.running.Unlock()
	switch {
	case mine.several:
		return nil, radius.MultipleSessions
	case mine.found != nil:
		return mine.found, 0
	case mine.elsewhere:
		return nil, radius.NASIdentificationMismatch
	}
	return nil, radius.SessionContextNotFound
}

// searchAll searches the table once.
func searchAll(table *sessions.Table, list []*search) {
	byName, others := map[string][]*search{}, []*search(nil)
	for _, one := range list {
		one.done = true
		if one.name == "" {
			others = append(others, one)
		} else {
			byName[one.name] = append(byName[one.name], one)
		}
	}
	for s := range table.View().All() {
		if len(byName) > 0 {
			for _, one := range byName[s.Name()] {
				one.compare(s)
			}
		}
		for _, one := range others {
			one.compare(s)
		}
	}
}

// compare records whether a session matches. Its name does.
func (one *search) compare(s *sessions.Session) {
	switch {
	case !one.matches(s):
	case !one.matchesNAS(s):
		one.elsewhere = true
	default:
		one.several = one.found != nil
		one.found = s
	}
}
