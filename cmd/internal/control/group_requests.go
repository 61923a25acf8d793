package control

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"aaasess/cmd/internal/api"
)

// page selects a part of a list: at most limit items after a name or number.
type page struct {
	after string
	limit int
}

// parsePage reads the parameters after and limit.
func parsePage(values url.Values) (page, error) {
	p := page{limit: api.PageSize}
	for key, list := range values {
		if len(list) != 1 || list[0] == "" {
			return p, fmt.Errorf("%w: want one value for %s", api.ErrQuery, strconv.Quote(key))
		}
		switch key {
		case "after":
			p.after = list[0]
		case "limit":
			n, err := strconv.ParseUint(list[0], 10, 31)
			if err != nil || n < 1 || n > api.MaxPage {
				return p, fmt.Errorf("%w: limit %q: want 1 to %d", api.ErrQuery, list[0], api.MaxPage)
			}
			p.limit = int(n)
		default:
			return p, fmt.Errorf("%w: unknown parameter %q", api.ErrQuery, key)
		}
	}
	return p, nil
}

// readPage reads the parameters of a request for a page. If they are invalid, it answers the
// request.
func (s *Server) readPage(w http.ResponseWriter, r *http.Request) (p page, ok bool) {
	values, err := parseURL(r)
	if err == nil {
		p, err = parsePage(values)
	}
	if err != nil {
		s.writeError(w, http.StatusBadRequest, err)
	}
	return p, err == nil
}

// pageByName sorts items by name and returns the page p of them. next is the after of the next
// page, or "".
func pageByName[T any](items []T, name func(T) string, p page) (some []T, next string) {
	items = slices.SortedFunc(slices.Values(items), func(a, b T) int { return cmp.Compare(name(a), name(b)) })
	first := 0
	if p.after != "" {
		first = len(items)
		if i := slices.IndexFunc(items, func(item T) bool { return name(item) > p.after }); i >= 0 {
			first = i
		}
	}
	some = items[first:]
	if len(some) > p.limit {
		some = some[:p.limit]
		next = name(some[p.limit-1])
	}
	emptyIfNil(&some)
	return some, next
}

// emptyIfNil replaces a nil list by an empty one, so that its JSON is [] and not null.
func emptyIfNil[T any](list *[]T) {
	if *list == nil {
		*list = []T{}
	}
}

// listServerGroups is GET /v1/server-groups.
func (s *Server) listServerGroups(w http.ResponseWriter, r *http.Request) {
	p, ok := s.readPage(w, r)
	if !ok {
		return
	}
	groups, next := pageByName(s.cfg.Accounting.ServerGroups(), func(g api.ServerGroup) string { return g.Name }, p)
	for i := range groups {
		emptyIfNil(&groups[i].Servers)
	}
	s.writeJSON(w, http.StatusOK, api.ServerGroupList{Groups: groups, Next: next})
}

// listOnOffGroups is GET /v1/acct-on-off-groups.
func (s *Server) listOnOffGroups(w http.ResponseWriter, r *http.Request) {
	p, ok := s.readPage(w, r)
	if !ok {
		return
	}
	groups, next := pageByName(s.cfg.Accounting.OnOffGroups(), func(g api.OnOffGroup) string { return g.Name }, p)
	for i := range groups {
		emptyIfNil(&groups[i].Controlling)
		emptyIfNil(&groups[i].Monitoring)
	}
	s.writeJSON(w, http.StatusOK, api.OnOffGroupList{Groups: groups, Next: next})
}

// showManaged is GET /v1/managed-servers.
func (s *Server) showManaged(w http.ResponseWriter, r *http.Request) {
	if !s.noParameters(w, r) {
		return
	}
	managed := s.cfg.Accounting.ManagedServers()
	emptyIfNil(&managed.Created)
	emptyIfNil(&managed.Destroyed)
	emptyIfNil(&managed.GivenUp)
	s.writeJSON(w, http.StatusOK, managed)
}

// showServerGroup is GET /v1/server-groups/{name}.
func (s *Server) showServerGroup(w http.ResponseWriter, r *http.Request) {
	if s.noParameters(w, r) {
		s.writeGroup(w, r.PathValue("name"))
	}
}

func (s *Server) writeGroup(w http.ResponseWriter, name string) {
	groups := s.cfg.Accounting.ServerGroups()
	i := slices.IndexFunc(groups, func(g api.ServerGroup) bool { return g.Name == name })
	if i < 0 {
		s.writeError(w, http.StatusNotFound, fmt.Errorf("%w: %q", ErrNoGroup, name))
		return
	}
	group := groups[i]
	emptyIfNil(&group.Servers)
	s.writeJSON(w, http.StatusOK, group)
}

// perform is POST /v1/server-groups/{name}/acct-on or /acct-off.
func (s *Server) perform(action api.Action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.noParameters(w, r) {
			return
		}
		var req api.PerformRequest
		if err := decodeBody(r.Body, &req); err != nil && !errors.Is(err, io.EOF) { // the body may be empty
			s.writeBodyError(w, err)
			return
		}
		req.Group, req.Action = r.PathValue("name"), action
		if req.Action == api.AcctOn && req.AcctTerminateCause != 0 {
			s.writeError(w, http.StatusBadRequest, errors.New("body: an Accounting-On has no acctTerminateCause"))
			return
		}
		ctx, done := s.untilEnd(r)
		defer done()
		if err := s.cfg.Accounting.Perform(ctx, req); err != nil {
			s.writeError(w, statusCode(err), err)
			return
		}
		s.cfg.Logger.Info("accounting on or off by command", "uid", r.Context().Value(peerKey{}),
			"group", req.Group, "action", string(req.Action), "force", req.Force)
		s.writeGroup(w, req.Group)
	}
}
