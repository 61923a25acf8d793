package local

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Outcome is how a request ended.
type Outcome uint8

// The outcomes.
const (
	Done    Outcome = iota // a status below 400
	Refused                // 400 to 499: the caller must change something
	Failed                 // 500 and above: it may try again
)

// String returns the outcome as metrics have it.
func (o Outcome) String() string {
	switch o {
	case Done:
		return "done"
	case Refused:
		return "refused"
	}
	return "failed"
}

// RequestCount is how many requests for a path ended in one way since the Server was created.
type RequestCount struct {
	Path string // as an [http.ServeMux] has it; "" for paths that do not exist
	Outcome
	Requests uint64
}

// requestCounts counts requests. Its lock is held for a look-up only.
type requestCounts struct {
	mu     sync.Mutex
	counts map[RequestCount]uint64 // Requests of the key is 0
}

func (c *requestCounts) add(path string, status int) {
	key := RequestCount{Path: path}
	switch {
	case status >= http.StatusInternalServerError:
		key.Outcome = Failed
	case status >= http.StatusBadRequest:
		key.Outcome = Refused
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[RequestCount]uint64{}
	}
	c.counts[key]++
}

// Requests returns how many requests there were, by path and outcome.
func (s *Server) Requests() (all []RequestCount) {
	s.requests.mu.Lock()
	for key, n := range s.requests.counts {
		key.Requests = n
		all = append(all, key)
	}
	s.requests.mu.Unlock()
	slices.SortFunc(all, func(a, b RequestCount) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Outcome, b.Outcome))
	})
	return all
}

// observedWriter notes the status of an answer.
type observedWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *observedWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *observedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
