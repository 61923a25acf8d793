package control

import (
	"net/http"
	"strconv"
	"time"

	"aaasess/cmd/internal/api"
)

// progressEvery is the default of Config.ProgressEvery.
const progressEvery = 200 * time.Millisecond

// progress tells a client how far its request is, by informational responses (102, RFC 2518 section
// 10.1). They also show that the daemon is alive, so a client does not give up a request for many
// sessions.
type progress struct {
	w      http.ResponseWriter
	silent bool          // the client has not asked for reports
	every  time.Duration // at least, between two reports
	last   time.Time
}

// newProgress returns the progress of a request. HTTP/1.0 has no informational responses (RFC 9110 section
// 15.2).
func (s *Server) newProgress(w http.ResponseWriter, r *http.Request) *progress {
	asked := r.Header.Get(api.HeaderProgress) != "" && r.ProtoAtLeast(1, 1)
	return &progress{w: w, silent: !asked, every: s.cfg.ProgressEvery, last: time.Now()}
}

// tell reports that done of total sessions are done, unless it did so a moment ago. It must be called
// before the response begins.
func (p *progress) tell(done, total int) {
	now := time.Now()
	if p.silent || now.Sub(p.last) < p.every {
		return
	}
	p.last = now
	_ = http.NewResponseController(p.w).SetWriteDeadline(now.Add(sendTimeout))
	h := p.w.Header()
	h.Set(api.HeaderDone, strconv.Itoa(done))
	h.Set(api.HeaderTotal, strconv.Itoa(total))
	p.w.WriteHeader(http.StatusProcessing)
	h.Del(api.HeaderDone)
	h.Del(api.HeaderTotal)
}
