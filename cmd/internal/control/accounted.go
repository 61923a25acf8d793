package control

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// listAccounted is GET /v1/accounting.
func (srv *Server) listAccounted(w http.ResponseWriter, r *http.Request) {
	query, ok := srv.readQuery(w, r)
	if !ok {
		return
	}
	if query.Sort != "" {
		srv.writeError(w, http.StatusBadRequest, fmt.Errorf("%w: accounted sessions have the order of their lines, so there is no sort", api.ErrQuery))
		return
	}
	view, now := srv.table.View(), srv.table.Clock()
	found := srv.find(query.Filter, view)
	head := api.AccountedHead{Total: view.Len(), Matched: len(found)}
	decisions := srv.decisions(found)
	found = slices.DeleteFunc(found, func(s *sessions.Session) bool { return !decisions[s.Route].Accounted })
	head.Accounted = len(found)
	out, err := newListWriter(w, head)
	if err != nil {
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
		d.List, d.Reason = utf8Text(d.List), utf8Text(d.Reason)
		out[s.Route] = d
	}
	return out
}

// elapsed returns the whole seconds since a session started. Both times are of the table's clock.
func elapsed(s *sessions.Session, now sessions.Stamp) uint32 {
	return uint32(min(max(0, now.Sub(s.Started))/time.Second, 1<<32-1))
}

// accounted is a session with what decides its place in the list.
type accounted struct {
	session *sessions.Session
	line    string // lineOf
	nas     int    // place of its NAS
}

// together reports whether two sessions are of the same user on the same line. Sessions whose line
// is not known never are.
func (a *accounted) together(b *accounted) bool {
	return a.line != "" && a.nas == b.nas && a.line == b.line && a.session.User == b.session.User
}

// lineOf returns the NAS-Port-Id of a session, else its NAS-Port in decimal, else "".
func lineOf(s *sessions.Session) string {
	if id := s.Attrs.Text(radius.NASPortID); id != "" {
		return id
	}
	if port, ok := s.Attrs.Uint32(radius.NASPort); ok {
		return strconv.FormatUint(uint64(port), 10)
	}
	return ""
}

// nasKey identifies a NAS, in the order of the list.
type nasKey struct {
	shown string // the client's name, else what the NAS calls itself, else its address
	addr  netip.Addr
	name  string
}

func (k nasKey) compare(o nasKey) int {
	return cmp.Or(strings.Compare(k.shown, o.shown), k.addr.Compare(o.addr), strings.Compare(k.name, o.name))
}

// orderByLine returns sessions in the order of their NASes, lines, users and ids.
func (srv *Server) orderByLine(found []*sessions.Session) []accounted {
	known := map[nasKey]int{}
	list := make([]accounted, len(found))
	for i, s := range found {
		key := nasKey{addr: s.NAS.Addr, name: s.NAS.Name()}
		if key.shown = cmp.Or(srv.cfg.ClientName(key.addr), key.name); key.shown == "" {
			key.shown = key.addr.String()
		}
		n, ok := known[key]
		if !ok {
			n = len(known)
			known[key] = n
		}
		list[i] = accounted{s, lineOf(s), n}
	}
	places := make([]int, len(known))
	for place, key := range slices.SortedFunc(maps.Keys(known), nasKey.compare) {
		places[known[key]] = place
	}
	for i := range list {
		list[i].nas = places[list[i].nas]
	}
	slices.SortFunc(list, func(a, b accounted) int {
		if c := cmp.Or(cmp.Compare(a.nas, b.nas), compareLines(a.line, b.line)); c != 0 {
			return c
		}
		return cmp.Or(strings.Compare(a.session.User, b.session.User), cmp.Compare(a.session.ID, b.session.ID))
	})
	return list
}

// compareLines orders lines by the text before their last number, and then by that number: tty2 is
// before tty10.
func compareLines(a, b string) int {
	textA, numberA := cutNumber(a)
	textB, numberB := cutNumber(b)
	return cmp.Or(
		strings.Compare(textA, textB), cmp.Compare(len(numberA), len(numberB)), strings.Compare(numberA, numberB),
		strings.Compare(a, b))
}

// cutNumber cuts the digits at the end of a line off, without leading zeros.
func cutNumber(line string) (text, number string) {
	text = strings.TrimRight(line, "0123456789")
	return text, strings.TrimLeft(line[len(text):], "0")
}
