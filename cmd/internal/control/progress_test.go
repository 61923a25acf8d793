package control

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/cmd/internal/api"

	"github.com/google/go-cmp/cmp"
)

// recorded is a response that keeps what it got before its end.
type recorded struct {
	httptest.ResponseRecorder
	reports []string
}

func (r *recorded) WriteHeader(code int) {
	r.reports = append(r.reports, fmt.Sprint(code, " ", r.Header().Get(api.HeaderDone), "/", r.Header().Get(api.HeaderTotal)))
}

// TestProgressIsRare: a request that is quick reports nothing, a longer one not more often than it must.
func TestProgressIsRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorded{ResponseRecorder: *httptest.NewRecorder()}
		p := &progress{w: r, every: progressEvery, last: time.Now()}
		for i := range 9 {
			p.tell(i, 9)
			time.Sleep(progressEvery / 2)
		}
		if diff := cmp.Diff([]string{"102 2/9", "102 4/9", "102 6/9", "102 8/9"}, r.reports); diff != "" {
			t.Error(diff)
		}
		if len(r.Header()) > 0 {
			t.Errorf("the answer itself would have %v", r.Header())
		}
	})
}

// TestProgressArrives: a client gets each report before the answer, and the answer as it is.
func TestProgressArrives(t *testing.T) {
	const reports = 20
	seen := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p := &progress{w: w}
		for i := range reports {
			p.tell(i+1, reports)
		}
		<-seen
		fmt.Fprint(w, "done")
	}))
	defer server.Close()
	last := ""
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		last = fmt.Sprint(code, " ", header.Get(api.HeaderDone), "/", header.Get(api.HeaderTotal))
		if last == "102 20/20" {
			close(seen)
		}
		return nil
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodPost, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get(api.HeaderDone) != "" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
}
