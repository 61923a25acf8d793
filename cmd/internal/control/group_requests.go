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

// part is which part of a list is wanted: those after a name or number.
type part struct {
	after string
	limit int
}

// parsePart reads the parameters after and limit.
func parsePart(values url.Values) (part, error) {
	p := part{limit: api.PageSize}
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
				return p, fmt.Errorf("%w: limit %q is not within 1 and %d", api.ErrQuery, list[0], api.MaxPage)
			}
			p.limit = int(n)
		default:
			return p, fmt.Errorf("%w: unknown parameter %q", api.ErrQuery, key)
		}
	}
	return p, nil
}

// wantedPart reads the parameters, or refuses them.
func (s *Server) wantedPart(w http.ResponseWriter, r *http.Request) (p part, ok bool) {
	values, err := parseURL(r)
	if err == nil {
		p, err = parsePart(values)
	}
	if err != nil {
		s.refuse(w, http.StatusBadRequest, err)
	}
	return p, err == nil
}

// byName sorts items and gives the part that is wanted, with the name after which the next one begins.
func byName[T any](items []T, name func(T) string, p part) (some []T, next string) {
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
	orEmpty(&some)
	return some, next
}

// orEmpty makes nil a list, for JSON: [] and not null.
func orEmpty[T any](list *[]T) {
	if *list == nil {
		*list = []T{}
	}
}

// listServerGroups is GET /v1/server-groups.
func (s *Server) listServerGroups(w http.ResponseWriter, r *http.Request) {
	p, ok := s.wantedPart(w, r)
	if !ok {
		return
	}
	groups, next := byName(s.cfg.Accounting.ServerGroups(), func(g api.ServerGroup) string { return g.Name }, p)
	for i := range groups {
		orEmpty(&groups[i].Servers)
	}
	s.answer(w, http.StatusOK, api.ServerGroupList{Groups: groups, Next: next})
}

// listOnOffGroups is GET /v1/acct-on-off-groups.
func (s *Server) listOnOffGroups(w http.ResponseWriter, r *http.Request) {
	p, ok := s.wantedPart(w, r)
	if !ok {
		return
	}
	groups, next := byName(s.cfg.Accounting.OnOffGroups(), func(g api.OnOffGroup) string { return g.Name }, p)
	for i := range groups {
		orEmpty(&groups[i].Controlling)
		orEmpty(&groups[i].Monitoring)
	}
	s.answer(w, http.StatusOK, api.OnOffGroupList{Groups: groups, Next: next})
}

// showServerGroup is GET /v1/server-groups/{name}.
func (s *Server) showServerGroup(w http.ResponseWriter, r *http.Request) {
	if s.noParameters(w, r) {
		s.answerGroup(w, r.PathValue("name"))
	}
}

func (s *Server) answerGroup(w http.ResponseWriter, name string) {
	groups := s.cfg.Accounting.ServerGroups()
	i := slices.IndexFunc(groups, func(g api.ServerGroup) bool { return g.Name == name })
	if i < 0 {
		s.refuse(w, http.StatusNotFound, fmt.Errorf("%w: %q", ErrNoGroup, name))
		return
	}
	group := groups[i]
	orEmpty(&group.Servers)
	s.answer(w, http.StatusOK, group)
}

// perform is POST /v1/server-groups/{name}/acct-on or /acct-off.
func (s *Server) perform(action api.Action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.noParameters(w, r) {
			return
		}
		var req api.PerformRequest
		if err := decodeBody(r.Body, &req); err != nil && !errors.Is(err, io.EOF) { // no body is a plain request
			s.refuseBody(w, err)
			return
		}
		req.Group, req.Action = r.PathValue("name"), action
		if req.Action == api.AcctOn && req.AcctTerminateCause != 0 {
			s.refuse(w, http.StatusBadRequest, errors.New("body: an Accounting-On has no acctTerminateCause"))
			return
		}
		ctx, done := s.untilEnd(r)
		defer done()
		if err := s.cfg.Accounting.Perform(ctx, req); err != nil {
			s.refuse(w, refusal(err), err)
			return
		}
		s.cfg.Logger.Info("accounting on or off by command", "uid", r.Context().Value(peerKey{}),
			"group", req.Group, "action", string(req.Action), "force", req.Force)
		s.answerGroup(w, req.Group)
	}
}
