package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"aaasess/sessions"
	localreport "aaasess/sessions/local/report"
)

// retryAfter is the Retry-After of a 503, in seconds.
const retryAfter = 5

// problem returns a Problem with a status.
func problem(status int, pointer, format string, args ...any) *localreport.Problem {
	return &localreport.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...), Pointer: pointer,
	}
}

// asProblem returns the Problem of an error: one that is in it, or what an error of the table means.
func asProblem(err error) *localreport.Problem {
	if p, ok := errors.AsType[*localreport.Problem](err); ok {
		return p
	}
	if errors.Is(err, sessions.ErrEvent) || errors.Is(err, sessions.ErrOneOff) {
		return problem(http.StatusInternalServerError, "", "%v", err) // does not happen: the report has been checked
	}
	return problem(http.StatusServiceUnavailable, "", "%v", err)
}

// writeProblem answers with a Problem.
func writeProblem(w http.ResponseWriter, p *localreport.Problem) {
	b, err := json.Marshal(p)
	if err != nil { // does not happen
		b = []byte(`{"type":"about:blank"}`)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	write(w, p.Status, localreport.ProblemType, append(b, '\n'))
}

// write answers a request. A client that does not read is disconnected after sendTimeout.
func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(sendTimeout))
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails only if the client has gone
}

// Refuse answers a request with a Problem, for handlers that [Server.Handle] has.
func Refuse(w http.ResponseWriter, status int, err error) {
	writeProblem(w, problem(status, "", "%v", err))
}
