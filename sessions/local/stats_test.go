package local

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	localreport "aaasess/sessions/local/report"
)

// TestRequests: each request counts once, by the path of the mux and its outcome. What callers make up
// is one path.
func TestRequests(t *testing.T) {
	w := newWorld(t)
	start := `{` + tun + `,"user":"a"}`
	w.must(ann, localreport.Start, start)
	w.report(ann, localreport.Start, start)            // a copy
	w.report(ann, localreport.Start, "{")              // no JSON
	w.report(eve, localreport.Start, start)            // may nothing
	w.send(ann, http.MethodGet, "/v1/start", "")       // another method
	w.send(ann, http.MethodGet, "/v1/made-up-1", "")   // no such path
	w.send(ann, http.MethodGet, "/v1/made-up-2", "")   // likewise
	w.send(ann, http.MethodGet, "/v1/../v1/start", "") // likewise
	want := []RequestCount{
		{Path: "", Outcome: Refused, Requests: 3},
		{Path: "/v1/start", Outcome: Done, Requests: 2},
		{Path: "/v1/start", Outcome: Refused, Requests: 3},
	}
	if diff := cmp.Diff(want, w.Requests()); diff != "" {
		t.Error(diff)
	}
}

func TestOutcomes(t *testing.T) {
	var c requestCounts
	for _, status := range []int{200, 204, 304, 400, 499, 500, 503} {
		c.add("/x", status)
	}
	for outcome, want := range map[Outcome]uint64{Done: 3, Refused: 2, Failed: 2} {
		if got := c.counts[RequestCount{Path: "/x", Outcome: outcome}]; got != want {
			t.Errorf("%s: %d, want %d", outcome, got, want)
		}
	}
}
