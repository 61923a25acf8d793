package control

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"

	"aaasess/cmd/internal/api"
)

// errNoAccounting answers all requests for an [Accounting] if there is none.
var errNoAccounting = errors.New("this daemon has no server groups and no spool")

// newMux returns the mux with all paths.
func (s *Server) newMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.noSuchPath)
	route := func(method, path string, handle http.HandlerFunc) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != method {
				w.Header().Set("Allow", method)
				s.writeError(w, http.StatusMethodNotAllowed, fmt.Errorf("method %q is not allowed: want %s", r.Method, method))
				return
			}
			handle(w, r)
		})
	}
	accounting := func(method, path string, handle http.HandlerFunc) {
		if s.cfg.Accounting == nil {
			handle = func(w http.ResponseWriter, _ *http.Request) { s.writeError(w, http.StatusNotFound, errNoAccounting) }
		}
		route(method, path, handle)
	}
	route(http.MethodGet, api.PathSessions, s.listSessions)
	route(http.MethodGet, api.PathSessions+"/{id}", s.showSession)
	route(http.MethodGet, api.PathStatus, s.showStatus)
	route(http.MethodGet, api.PathDebug, s.streamDebug)
	route(http.MethodGet, api.PathRunningConfig, s.showRunningConfig)
	route(http.MethodPost, api.PathDisconnect, s.disconnect)
	route(http.MethodPost, api.PathClear, s.clear)
	route(http.MethodPost, api.PathSimulate, s.simulate)
	route(http.MethodGet, api.PathLogins, s.listLogins)
	route(http.MethodPost, api.PathTestNotification, s.testNotification)

	accounting(http.MethodGet, api.PathServerGroups, s.listServerGroups)
	accounting(http.MethodGet, api.PathServerGroups+"/{name}", s.showServerGroup)
	accounting(http.MethodPost, api.PathServerGroups+"/{name}/"+string(api.AcctOn), s.perform(api.AcctOn))
	accounting(http.MethodPost, api.PathServerGroups+"/{name}/"+string(api.AcctOff), s.perform(api.AcctOff))
	accounting(http.MethodGet, api.PathServerGroups+"/{name}/resync", s.showResync)
	accounting(http.MethodPost, api.PathServerGroups+"/{name}/resync/begin", s.beginResync)
	accounting(http.MethodPost, api.PathServerGroups+"/{name}/resync/cancel", s.cancelResync)
	accounting(http.MethodGet, api.PathManaged, s.showManaged)
	accounting(http.MethodGet, api.PathOnOffGroups, s.listOnOffGroups)
	accounting(http.MethodGet, api.PathSpool, s.showSpool)
	accounting(http.MethodGet, api.PathSetAside, s.listSetAside)
	accounting(http.MethodGet, api.PathSetAside+"/{seq}", s.showSetAside)
	accounting(http.MethodPost, api.PathReplay, s.replay)
	accounting(http.MethodPost, api.PathDrop, s.drop)
	accounting(http.MethodPost, api.PathReroute, s.reroute)
	accounting(http.MethodPost, api.PathForgetDamage, s.forgetDamage)
	accounting(http.MethodGet, api.PathExplain+"/{name}", s.explain)
	accounting(http.MethodGet, api.PathAccounting, s.listAccounted)
	accounting(http.MethodGet, api.PathEvents, s.streamEvents)
	return mux
}

func (s *Server) noSuchPath(w http.ResponseWriter, r *http.Request) {
	s.writeError(w, http.StatusNotFound, fmt.Errorf("no such path: %q", r.URL.Path))
}

// isClean reports whether a ServeMux would leave a path as it is: the path has no empty segment,
// "." or "..".
func isClean(escaped string) bool {
	clean := path.Clean(escaped)
	if strings.HasSuffix(escaped, "/") && clean != "/" {
		clean += "/"
	}
	return escaped == clean && strings.HasPrefix(escaped, "/")
}
