package control

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/sessions"
)

// listAccounted is GET /v1/accounting.
func (srv *Server) listAccounted(w http.ResponseWriter, r *http.Request) {
	query, ok := srv.readQuery(w, r)
	if !ok {
		return
	}
	if query.Sort != "" || query.Offset != 0 {
		srv.writeError(w, http.StatusBadRequest, fmt.Errorf("%w: accounted sessions have the order of their lines, so there is no sort and no offset", api.ErrQuery))
		return
	}
	srv.table.RefreshLinks()
	view, now := srv.table.View(), srv.table.Clock()
	found := srv.findAll(query, view)
	head := api.AccountedHead{Total: view.Len(), Matched: len(found)}
	decisions := srv.decisions(found)
	found = slices.DeleteFunc(found, func(s *sessions.Session) bool { return !decisions[s.Route].Accounted })
	head.Accounted = len(found)
	out, err := newListWriter(w, head)
	if err != nil {
		return
	}
	if out.flush() != nil { // the client waits for the first octets, and ordering a million sessions takes seconds
		return
	}
	list := srv.orderByLine(found)
	limit := cmp.Or(query.Limit, len(list))
	for i, end := 0, 0; i < len(list) && i < limit; i = end {
		end = i + 1
		for end < len(list) && list[i].together(&list[end]) {
			end++
		}
		privilege := privilegeOf(list[i:end])
		for _, a := range list[i:min(end, limit)] {
			described := api.AccountedSession{
				Session: srv.describe(a.session), Decision: decisions[a.session.Route],
				Elapsed: elapsed(a.session, now), Privilege: privilege, Pairs: pairsOf(a.session),
			}
			if out.write(described) != nil {
				return
			}
		}
	}
	_ = out.end()
}

// decisions returns the decision of each route that sessions have.
func (srv *Server) decisions(found []*sessions.Session) map[*sessions.Route]api.Decision {
	out := map[*sessions.Route]api.Decision{}
	for _, s := range found {
		if _, ok := out[s.Route]; ok {
			continue
		}
		d := srv.cfg.Accounting.Decision(s.Route)
		d.List, d.Reason = api.ValidText(d.List), api.ValidText(d.Reason)
		out[s.Route] = d
	}
	return out
}

// elapsed returns the whole seconds since a session started. Both times are of the table's clock.
func elapsed(s *sessions.Session, now sessions.Stamp) uint32 {
	return uint32(min(max(0, now.Sub(s.Started))/time.Second, 1<<32-1))
}
