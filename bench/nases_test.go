package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aaasess/accounting"
	"aaasess/bench/nasload"
	"aaasess/bench/report"
	"aaasess/bench/stand"
	"aaasess/internal/radius"
	"aaasess/sessions"

	"github.com/google/go-cmp/cmp"
)

// TestNASes runs a small section: each On is answered, each row gets one stop, and the other NAS
// loses no request.
func TestNASes(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: stand.Host{Dir: t.TempDir()}, progress: io.Discard}
	text, err := runNASes(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	value := func(comparison int, who, what string) float64 {
		t.Helper()
		v := text.Comparisons[comparison].Series.Values(who, what)
		if len(v) != 1 {
			t.Fatalf("%s, %s: %v", who, what, v)
		}
		return v[0]
	}
	for what, want := range map[string]int{
		onsSent: c.nases.nases, onsAnswered: c.nases.nases, onsRows: c.nases.rows, onsOneStop: c.nases.rows, onsOtherStops: 0,
	} {
		if got := value(0, stand.OursSpooling, what); got != float64(want) {
			t.Errorf("%s: %v, want %d", what, got, want)
		}
	}
	for comparison, contenders := range map[int][]string{1: meanwhileContenders, 2: flapContenders} {
		for _, who := range contenders {
			if sent, never := value(comparison, who, otherRequests), value(comparison, who, otherNever); sent == 0 || never != 0 {
				t.Errorf("%s: %v requests, %v never answered", who, sent, never)
			}
		}
	}
	if sent, answered := value(2, whileFlapping, flapsSent), value(2, whileFlapping, flapsAnswered); sent == 0 || answered != sent {
		t.Errorf("the NAS that flaps: %v requests, %v were answered", sent, answered)
	}
	if got := text.Markdown(); strings.Contains(got, "NaN") || !strings.Contains(got, onsTitle(c.nases)) {
		t.Errorf("the section:\n%s", got)
	}
}

// TestCountStops: rows without a stop, or with two, are counted apart from those with one.
func TestCountStops(t *testing.T) {
	dir := t.TempDir()
	st, table, _, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	apply := func(typ sessions.EventType, i int) {
		t.Helper()
		m := nasload.NASNumber(i)
		attrs := radius.Attributes(m.Attributes(typ, i))
		ev := sessions.Event{
			Type: typ, NAS: sessions.NAS{Addr: m.Addr, Identifier: m.Identifier}, Kind: sessions.Network, At: time.Now(),
			AcctSessionID: attrs.Text(radius.AcctSessionID), Attrs: attrs,
		}
		if err := errors.Join(table.Apply(ev, func(err error) { done <- err }), <-done); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		apply(sessions.Start, i)
	}
	apply(sessions.Stop, 0)
	apply(sessions.Stop, 2)
	if n := st.Queues(); len(n) != 1 || n[0].Name != accounting.Group("isp").Queue() || n[0].Len != 5 {
		t.Fatalf("queues %v", n)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	folders, err := filepath.Glob(filepath.Join(dir, "store-*"))
	if err != nil || len(folders) != 1 {
		t.Fatal(folders, err)
	}
	n, got := &nasesBench{sizes: nasesSizes{rows: 4}}, report.Sample{}
	if err := n.countStops(folders[0], got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(report.Sample{onsRows: 4, onsOneStop: 2, onsOtherStops: 2}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLatencies(t *testing.T) {
	began := time.Now()
	var all []nasload.Reply
	for i := range 100 {
		all = append(all, nasload.Reply{Due: began.Add(time.Duration(i) * time.Second), Took: time.Duration(100-i) * time.Millisecond, Tries: 1})
	}
	all[0].Err, all[0].Tries = context.DeadlineExceeded, nasload.Tries
	got := latencies(all, began, began.Add(49*time.Second))
	want := report.Sample{otherRequests: 50, otherNever: 1, otherRetransmitted: nasload.Tries - 1, otherP50: 75, otherP99: 99, otherMax: 99}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := latencies(all, began.Add(time.Hour), began.Add(2*time.Hour)); got[otherRequests] != 0 {
		t.Errorf("in a period without requests: %v", got)
	}
}
