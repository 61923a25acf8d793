package main

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// TestNASes runs a small section: each On is answered, each row gets one stop, nobody else loses a request.
func TestNASes(t *testing.T) {
	c, err := parseFlags([]string{"-quick"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, host: host{dir: t.TempDir()}, progress: io.Discard}
	text, err := runNASes(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	value := func(comparison int, who, what string) float64 {
		t.Helper()
		v := text.comparisons[comparison].series.values(who, what)
		if len(v) != 1 {
			t.Fatalf("%s, %s: %v", who, what, v)
		}
		return v[0]
	}
	for what, want := range map[string]int{
		onsSent: c.nases.nases, onsAnswered: c.nases.nases, onsRows: c.nases.rows, onsOne: c.nases.rows, onsOther: 0,
	} {
		if got := value(0, oursSpooling, what); got != float64(want) {
			t.Errorf("%s: %v, want %d", what, got, want)
		}
	}
	for comparison, contenders := range map[int][]string{1: meanwhileContenders, 2: flapContenders} {
		for _, who := range contenders {
			if sent, never := value(comparison, who, otherRequests), value(comparison, who, otherNever); sent == 0 || never != 0 {
				t.Errorf("%s: %v requests, %v were never answered", who, sent, never)
			}
		}
	}
	if sent, answered := value(2, whileFlapping, flapsSent), value(2, whileFlapping, flapsAnswered); sent == 0 || answered != sent {
		t.Errorf("the NAS that flaps: %v requests, %v were answered", sent, answered)
	}
	if got := text.markdown(); strings.Contains(got, "NaN") || !strings.Contains(got, onsTitle(c.nases)) {
		t.Errorf("the section:\n%s", got)
	}
}

// TestFillTableOfMany: sessions of many NASes are of each in turn, as the daemon knows them by their packets.
func TestFillTableOfMany(t *testing.T) {
	st, table, err := openTable(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := fillTable(table, 10, 4); err != nil {
		t.Fatal(err)
	}
	of := map[sessions.NAS]int{}
	for s := range table.View().All() {
		of[*s.NAS]++
	}
	want := map[sessions.NAS]int{}
	for i, rows := range []int{3, 3, 2, 2} {
		m := memberOf(i)
		want[sessions.NAS{Addr: m.addr, Local: loopback(), IPv4: m.addr, Identifier: m.identifier}] = rows
	}
	if diff := cmp.Diff(want, of, cmp.Comparer(func(a, b sessions.NAS) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCountStops: a row without a stop, and one with two, are not taken for what should be.
func TestCountStops(t *testing.T) {
	dir := t.TempDir()
	st, table, _, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	apply := func(typ sessions.EventType, i int) {
		t.Helper()
		m := memberOf(i)
		attrs := radius.Attributes(m.attributes(typ, i))
		ev := sessions.Event{
			Type: typ, NAS: sessions.NAS{Addr: m.addr, Identifier: m.identifier}, Kind: sessions.Network, At: time.Now(),
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
	n, got := &nasesBench{sizes: nasesSizes{rows: 4}}, sample{}
	if err := n.countStops(folders[0], got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample{onsRows: 4, onsOne: 2, onsOther: 2}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAsk: an answer that is wrong, or none, is no answer.
func TestAsk(t *testing.T) {
	conn, err := listenLoopback(0)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	port := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	replies := make(chan reply, 1)
	for _, tt := range []struct {
		name   string
		answer func(right []byte) []byte
		err    string
	}{
		{"right", func(right []byte) []byte { return right }, ""},
		{"of another request", func(right []byte) []byte { right[8] ^= 1; return right }, "wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			go func() { replies <- memberOf(3).ask(port, memberOf(3).on(1), time.Now()) }()
			b := make([]byte, 4096)
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				t.Fatal(err)
			}
			if from.Addr() != memberOf(3).addr {
				t.Errorf("asked from %v", from)
			}
			if _, err := conn.WriteToUDPAddrPort(tt.answer(appendResponse(nil, b[:n], nil)), from); err != nil {
				t.Fatal(err)
			}
			r := <-replies
			if (r.err != nil) != (tt.err != "") || r.err != nil && !strings.Contains(r.err.Error(), tt.err) || r.tries != 1 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestLatencies(t *testing.T) {
	began := time.Now()
	var all []reply
	for i := range 100 {
		all = append(all, reply{due: began.Add(time.Duration(i) * time.Second), took: time.Duration(100-i) * time.Millisecond, tries: 1})
	}
	all[0].err, all[0].tries = context.DeadlineExceeded, nasTries
	got := latencies(all, began, began.Add(49*time.Second))
	want := sample{otherRequests: 50, otherNever: 1, otherAgain: nasTries - 1, otherP50: 75, otherP99: 99, otherMax: 99}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := latencies(all, began.Add(time.Hour), began.Add(2*time.Hour)); got[otherRequests] != 0 {
		t.Errorf("within a time without requests: %v", got)
	}
}
