package snmp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"
)

// TestFailedSetIsUndone: a commit that fails, and is undone afterwards, is answered once that is
// done. If it is not, the answer is undoFailed and the log says so.
func TestFailedSetIsUndone(t *testing.T) {
	const ms = time.Millisecond
	const late = "not committed within 600ms"
	tests := []struct {
		name   string
		set    int // 16: the commit fails and is undone; 14: it takes time and succeeds
		takes  time.Duration
		result error
		want   string
		after  time.Duration
		log    []string
	}{
		{"at once", 16, 0, nil, "CommitFailed 1", 0, []string{"nothing is changed", "no space left"}},
		{"later", 16, 700 * ms, nil, "CommitFailed 1", 700 * ms, []string{"nothing is changed", "no space left"}},
		{"not", 16, 700 * ms, errors.New("broken"), "UndoFailed 0", 700 * ms, []string{"could not be undone", "no space left", "broken"}},
		{"too late", 16, time.Minute, nil, "UndoFailed 0", 800 * ms, []string{"could not be undone", "no space left", "not undone within 800ms"}},
		{"a slow commit", 14, 500 * ms, nil, "", 500 * ms, nil},
		{"a late commit, undone in time", 14, 700 * ms, nil, "CommitFailed 1", 700 * ms, []string{"nothing is changed", late}},
		{"a commit that hangs", 14, time.Minute, nil, "UndoFailed 0", 800 * ms, []string{"could not be undone", late, "not undone within 800ms"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				f := newFixture(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
				undoing := make(chan error, 1)
				f.numbers.undoing = undoing
				time.AfterFunc(tt.takes, func() { undoing <- tt.result; close(f.numbers.release) })
				begin := time.Now()
				answer := f.ask(manager, request(t, "private", gosnmp.SetRequest, gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: tt.set}))
				want := strings.TrimSpace(fmt.Sprintf("%s 1.0=%d", tt.want, tt.set))
				if got, after := show(answer), time.Since(begin); got != want || after != tt.after {
					t.Errorf("%s after %s, want %s after %s", got, after, want, tt.after)
				}
				for _, want := range tt.log {
					if strings.Count(log.String(), want) != 1 {
						t.Errorf("log:\n%swant %q", &log, want)
					}
				}
				time.Sleep(tt.takes)
				synctest.Wait()
				if n := f.numbers.number.Load(); (n == 14) != (tt.want == "") {
					t.Errorf("in the end the value is %d", n)
				}
			})
		})
	}
}

// TestFailedSetIsLogged: the log says why a commit failed, and for which sender and object: one line
// a minute for each sender. A SET that a
// test refuses has one with the reason.
func TestFailedSetIsLogged(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t, func(c *Config) {
		c.Logger, c.Listen = slog.New(slog.NewTextHandler(&log, nil)), []netip.AddrPort{parseAddr(t, "127.0.0.1:0")}
	})
	for _, n := range []int{100, 13, 13, 13, 15, 15, 42} {
		f.ask(manager, request(t, "private", gosnmp.SetRequest, gosnmp.SnmpPDU{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: n}))
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	g := f.client(as("noc"))
	if answer, err := g.Set([]gosnmp.SnmpPDU{{Name: testNumber.Append(0).String(), Type: gosnmp.Integer, Value: 13}}); err != nil || answer.Error != gosnmp.CommitFailed {
		t.Errorf("%v, %v", answer, err)
	}
	noc := g.Conn.LocalAddr().String()
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(log.String()) {
		_, text, _ := strings.Cut(line, "level=")
		got = append(got, strings.TrimSpace(text))
	}
	want := []string{
		`WARN msg="snmp: SET refused" from=192.0.2.1:40000 suppressed=0 user=writers err=wrongValue object=testNumber.0`,
		`WARN msg="snmp: a SET failed, nothing is changed" from=192.0.2.1:40000 suppressed=0 user=writers err="mib: variable 1: commitFailed: no space left on device" object=testNumber.0`,
		`WARN msg="snmp: a SET failed and could not be undone, some of its values may have changed" from=192.0.2.1:40000 suppressed=0 user=writers err="mib: variable 1: undoFailed: no space left on device" object=testNumber.0`,
		`WARN msg="snmp: a SET failed, nothing is changed" from=` + noc + ` suppressed=0 user=noc err="mib: variable 1: commitFailed: no space left on device" object=testNumber.0`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// TestRefusedSetIsLogged: the log has the error-status of a SET that is refused, and the module's reason.
func TestRefusedSetIsLogged(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	f.ask(manager, request(t, "private", gosnmp.SetRequest, gosnmp.SnmpPDU{Name: testNumber.Append(1).String(), Type: gosnmp.Integer, Value: 42}))
	if want := `err="noCreation: a scalar has the instance 0 only" object=testNumber.1`; !strings.Contains(log.String(), want) {
		t.Errorf("log: %s, want %s", log.String(), want)
	}
}
