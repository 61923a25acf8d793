package web

import (
	"context"
	"net/http"
	"net/http/pprof"
	"time"
)

// profileTimeout is how long a profile may take: the longest that people ask for, and its sending.
const profileTimeout = 5 * time.Minute

// Limited returns a handler that answers at most n requests at the same time, and others with 503.
func Limited(n int, h http.Handler) http.Handler {
	slots := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			h.ServeHTTP(w, r)
		default:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many requests at the same time", http.StatusServiceUnavailable)
		}
	})
}

// handleProfiles adds the profiles, which are there only while the settings say so. net/http/pprof also
// adds them to http.DefaultServeMux, which nothing serves.
func (s *Server) handleProfiles() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol) // of go tool pprof
	profiles := Limited(2, mux)
	s.Handle("/debug/pprof/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.settings.Load().Pprof {
			http.NotFound(w, r)
			return
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(profileTimeout))
		// pprof refuses what takes longer than the WriteTimeout of this server, which does not hold here.
		profiles.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.ServerContextKey, &http.Server{})))
	}))
}
