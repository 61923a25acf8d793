package delivery

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestSetAsideLog: a server that refuses everything causes one log line a second, with the total.
func TestSetAsideLog(t *testing.T) {
	var log bytes.Buffer
	d := New(Config{}, nil, slog.New(slog.NewTextHandler(&log, nil)))
	q := &queue{name: "group/g"}
	noon := time.Date(2001, 6, 27, 12, 0, 0, 0, time.UTC)
	for i := range 10 {
		it := &item{seq: uint64(i), lane: &lane{queue: q}, rec: rec(1, start), history: &history{reason: errors.New("too long"), setAside: uint64(i) + 70}}
		d.logSetAside(it, noon.Add(time.Duration(i)*300*time.Millisecond))
	}
	var totals []string
	for line := range strings.Lines(log.String()) {
		_, total, _ := strings.Cut(strings.TrimSpace(line), "set_aside_total=")
		totals = append(totals, total)
	}
	if !strings.Contains(log.String(), " record=74 queue=group/g ") || strings.Contains(log.String(), "seq=") {
		t.Errorf("the log has not the number in the spool:\n%s", &log)
	}
	if got := strings.Join(totals, " "); got != "1 5 9" {
		t.Errorf("lines with totals %q, want 1 5 9:\n%s", got, &log)
	}
}
