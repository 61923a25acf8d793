package control

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"

	"aaasess/cmd/internal/api"
)

// errNoAccounting is the answer to all that is asked of an [Accounting] that is not there.
var errNoAccounting = errors.New("this daemon has no server groups and no spool to ask")

// newMux makes what finds the handler of a request.
func (s *Server) newMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.noSuchPath)
	route := func(method, path string, handle http.HandlerFunc) {
		mux.HandleFunc(method+" "+path, handle)
		refuse := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", method)
			s.refuse(w, http.StatusMethodNotAllowed, fmt.Errorf("%q is not allowed here, only %s", r.Method, method))
		}
		mux.HandleFunc(path, refuse)
		if method == http.MethodGet { // whose pattern takes HEAD, too
			mux.HandleFunc(http.MethodHead+" "+path, refuse)
		}
	}
	accounting := func(method, path string, handle http.HandlerFunc) {
		if s.cfg.Accounting == nil {
			handle = func(w http.ResponseWriter, _ *http.Request) { s.refuse(w, http.StatusNotFound, errNoAccounting) }
		}
		route(method, path, handle)
	}
	route(http.MethodGet, api.PathSessions, s.listSessions)
	route(http.MethodGet, api.PathStatus, s.showStatus)
	route(http.MethodPost, api.PathDisconnect, s.disconnect)

	accounting(http.MethodGet, api.PathServerGroups, s.listServerGroups)
	accounting(http.MethodGet, api.PathServerGroups+"/{name}", s.showServerGroup)
	accounting(http.MethodPost, api.PathServerGroups+"/{name}/"+string(api.AcctOn), s.perform(api.AcctOn))
	accounting(http.MethodPost, api.PathServerGroups+"/{name}/"+string(api.AcctOff), s.perform(api.AcctOff))
	accounting(http.MethodGet, api.PathOnOffGroups, s.listOnOffGroups)
	accounting(http.MethodGet, api.PathSpool, s.showSpool)
	accounting(http.MethodGet, api.PathSetAside, s.listSetAside)
	accounting(http.MethodGet, api.PathSetAside+"/{seq}", s.showSetAside)
	accounting(http.MethodPost, api.PathReplay, s.replay)
	accounting(http.MethodPost, api.PathDrop, s.drop)
	accounting(http.MethodPost, api.PathReroute, s.reroute)
	accounting(http.MethodPost, api.PathForgetDamage, s.forgetDamage)
	return mux
}

func (s *Server) noSuchPath(w http.ResponseWriter, r *http.Request) {
	s.refuse(w, http.StatusNotFound, fmt.Errorf("no such path: %q", r.URL.Path))
}

// isClean reports whether a path is one that a ServeMux does not clean: it has no empty segment, "." or "..".
func isClean(escaped string) bool {
	clean := path.Clean(escaped)
	if strings.HasSuffix(escaped, "/") && clean != "/" {
		clean += "/"
	}
	return escaped == clean && strings.HasPrefix(escaped, "/")
}
