package control

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/admission"
)

// errNoAuthentication answers a request for logins if none are relayed.
var errNoAuthentication = errors.New("this daemon relays no authentication")

// listLogins is GET /v1/logins.
func (s *Server) listLogins(w http.ResponseWriter, r *http.Request) {
	p, ok := s.readPage(w, r)
	store := s.cfg.Admissions()
	switch {
	case !ok:
	case p.after != "":
		s.writeError(w, http.StatusBadRequest, fmt.Errorf("%w: unknown parameter %q", api.ErrQuery, "after"))
	case store == nil:
		s.writeError(w, http.StatusNotFound, errNoAuthentication)
	default:
		list := api.LoginList{Waiting: store.Stats().Waiting, Logins: []api.Login{}}
		for _, l := range store.Logins(p.limit) {
			list.Logins = append(list.Logins, s.describeLogin(&l))
		}
		s.writeJSON(w, http.StatusOK, list)
	}
}

// describeLogin returns the JSON form of a login.
func (s *Server) describeLogin(l *admission.Login) api.Login {
	out := api.Login{
		Kind: l.Kind.String(), User: api.ValidText(l.User), NASIdentifier: api.ValidText(l.NAS.Name()),
		CallingStation: api.ValidText(l.Attrs.Text(radius.CallingStationID)), NASPortID: api.ValidText(l.Attrs.Text(radius.NASPortID)),
		Upstream: api.ValidText(l.Upstream), Accepted: l.Accepted.UTC().Truncate(time.Second), Until: l.Until.UTC().Truncate(time.Second),
		Attributes: s.printed(l.Attrs), Granted: s.printed(l.Granted),
	}
	out.NAS = cmp.Or(s.cfg.ClientName(l.NAS.Addr), out.NASIdentifier)
	if l.NAS.Addr.IsValid() {
		out.NASAddress = l.NAS.Addr.String()
	}
	if port, ok := l.Attrs.Uint32(radius.NASPort); ok {
		out.NASPort = &port
	}
	if l.ID != sessions.ID(0) {
		out.Session = l.ID.String()
	}
	return out
}
