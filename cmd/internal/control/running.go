package control

import (
	"errors"
	"net/http"
)

// errNoRunningConfig answers a request for the configuration if the daemon has none.
var errNoRunningConfig = errors.New("this daemon has no configuration")

// showRunningConfig is GET /v1/running-config.
func (s *Server) showRunningConfig(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.noParameters(w, r):
	case s.cfg.RunningConfig == nil:
		s.writeError(w, http.StatusNotFound, errNoRunningConfig)
	default:
		s.writeJSON(w, http.StatusOK, s.cfg.RunningConfig())
	}
}
