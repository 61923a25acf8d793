package local

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"aaasess/sessions"
	localreport "aaasess/sessions/local/report"
)

// TestStalledClient: a client of the socket stops reading its stream of events. The other stream and
// reports go on. When the client reads again, it is told how many events it has missed, and gets the
// last ones.
func TestStalledClient(t *testing.T) {
	const (
		rounds = 16
		size   = 64 << 10 // of an event: all of them are much more than the socket's buffers hold
		kept   = 4        // by the feed of newWorld
	)
	w := asRoot(newWorld(t))
	c := w.serve()
	w.cfg.Events.Start()
	follow := func() *bufio.Scanner {
		r, err := c.Get("http://local" + localreport.PathEvents)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Body.Close() })
		lines := bufio.NewScanner(r.Body)
		lines.Buffer(nil, 2*size)
		if !lines.Scan() || lines.Text() != ":" {
			t.Fatalf("%d, the stream begins with %q, %v", r.StatusCode, lines.Text(), lines.Err())
		}
		return lines
	}
	stalled, reading := follow(), follow()
	long := strings.Repeat("x", size)
	for range rounds {
		for range kept {
			w.cfg.Events.Add(Event{Session: &sessions.Session{NAS: &sessions.NAS{}}, Describe: func() any { return long }}, 0)
		}
		for range kept {
			if got := next(t, reading); !strings.Contains(got, " session ") {
				t.Fatalf("the stream that is read has %.80q", got)
			}
		}
		if code, body := post(t, c, localreport.Start, []byte(`{`+tun+`,"user":"alice"}`)); code != http.StatusOK {
			t.Fatalf("%d %s", code, body)
		}
	}
	got, missed := uint64(0), uint64(0)
	last := w.cfg.Events.Name(rounds * kept)
	for id := ""; id != last; {
		var kind, data string
		event := next(t, stalled)
		id, event, _ = strings.Cut(event, " ")
		if kind, data, _ = strings.Cut(event, " "); kind != "gap" {
			got++
			continue
		}
		var gap localreport.Gap
		if err := json.Unmarshal([]byte(data), &gap); err != nil || gap.Missing == 0 {
			t.Fatalf("a gap of %q, %v", data, err)
		}
		missed += gap.Missing
	}
	if missed == 0 || got < kept || got+missed != rounds*kept {
		t.Errorf("%d events and %d missing, of %d", got, missed, rounds*kept)
	}
}
