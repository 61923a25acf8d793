package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pageUpdate is the data of an event of the status page.
type pageUpdate struct {
	Title   string
	Regions []struct{ ID, HTML string }
}

// liveView reads the stream of a view of the status page.
type liveView struct {
	t     *testing.T
	lines *bufio.Scanner
}

// stream opens the stream of a view.
func (l *inProcess) stream(view string) *liveView {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	l.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.d.http.Addrs()[0].String()+"/live?view="+url.QueryEscape(view), nil)
	if err != nil {
		l.t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		l.t.Fatalf("%d %s", resp.StatusCode, got)
	}
	return &liveView{l.t, bufio.NewScanner(resp.Body)}
}

// next returns the next event; false at the end of the stream.
func (v *liveView) next() (u pageUpdate, ok bool) {
	v.t.Helper()
	for v.lines.Scan() {
		if data, found := strings.CutPrefix(v.lines.Text(), "data: "); found {
			if err := json.Unmarshal([]byte(data), &u); err != nil {
				v.t.Fatal(err)
			}
			return u, true
		}
	}
	return u, false
}

// wantRegion reads events until a region has a text.
func (v *liveView) wantRegion(id, text string) {
	v.t.Helper()
	for {
		u, ok := v.next()
		if !ok {
			v.t.Fatalf("the stream ends before %s has %q: %v", id, text, v.lines.Err())
		}
		for _, r := range u.Regions {
			if r.ID == id && strings.Contains(r.HTML, text) {
				return
			}
		}
	}
}

// TestPageOfSessions: a session that starts is on the page and in the stream, and one that ends is gone.
func TestPageOfSessions(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	stream := l.stream("/sessions")
	l.mustAccount(packet(acctStart, "S1", "alice"))
	stream.wantRegion("sessions-table", "alice")
	if code, body := l.get("/sessions"); code != http.StatusOK || !strings.Contains(body, "alice") {
		t.Errorf("%d %s", code, body)
	}
	l.mustAccount(packet(acctStart, "S2", "bob"), packet(acctStop, "S1", "alice"))
	for {
		u, ok := stream.next()
		if !ok {
			t.Fatal("the stream ends")
		}
		if len(u.Regions) == 1 && strings.Contains(u.Regions[0].HTML, "bob") && !strings.Contains(u.Regions[0].HTML, "alice") {
			break
		}
	}
}

// TestStreamsEnd: the end of the daemon ends the streams at once.
func TestStreamsEnd(t *testing.T) {
	l := launch(t, httpConfig(t, ""), environment{})
	stream := l.stream("/")
	first, ok := stream.next()
	if !ok || first.Title != "Overview" {
		t.Fatalf("%+v %t", first, ok)
	}
	var ids []string
	for _, r := range first.Regions {
		ids = append(ids, r.ID)
	}
	if diff := cmp.Diff([]string{"verdict", "figures", "groups", "queues"}, ids); diff != "" {
		t.Error(diff)
	}
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	for {
		if _, ok := stream.next(); !ok {
			break
		}
	}
	if err := stream.lines.Err(); err != nil {
		t.Error(err)
	}
}
