package live

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/internal/api"
)

// screen is a terminal that tells when it shows a text.
type screen struct {
	mu    sync.Mutex
	shown strings.Builder
	text  string
	shows chan struct{} // closed when it does
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := strings.Contains(s.shown.String(), s.text)
	s.shown.Write(b)
	if !before && strings.Contains(s.shown.String(), s.text) {
		close(s.shows)
	}
	return len(b), nil
}

// TestClearProgress: a clear of many sessions shows how far the daemon is, and erases that at the end.
func TestClearProgress(t *testing.T) {
	errs := &screen{text: "removing: 2048 of 5000 sessions (40%)", shows: make(chan struct{})}
	socket := filepath.Join(t.TempDir(), "control.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	daemon := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(api.HeaderDone, "2048")
		w.Header().Set(api.HeaderTotal, "5000")
		w.WriteHeader(http.StatusProcessing)
		select {
		case <-errs.shows:
		case <-r.Context().Done():
		}
		fmt.Fprint(w, `{"matched":5000,"cleared":5000,"sessions":[]}`)
	})}
	go daemon.Serve(l)
	defer daemon.Close()
	var out strings.Builder
	env := map[string]string{"TERM": "xterm", "AAASESS_SOCKET": socket}
	g := &cli.Global{Started: new(bool), Environment: cli.Environment{
		In: strings.NewReader(""), Out: &out, Err: errs, ErrTerminal: true, Getenv: func(name string) string { return env[name] },
	}}
	cmd := NewClear(g)
	cmd.SetArgs([]string{"session", "--all", "--yes"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := errs.shown.String(); !strings.HasSuffix(got, cli.EraseLine+"5000 sessions\n") || out.Len() > 0 {
		t.Errorf("%q, standard output %q", got, &out)
	}
}
