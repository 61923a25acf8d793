package snmp

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"
)

// TestComplain: trouble is logged once a minute for each kind, with its source and never with a secret.
func TestComplain(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t, func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.Limits = Limits{Failures: 1}
	})
	at := func(now time.Duration, in []byte) {
		t.Helper()
		e := f.take()
		defer f.put(e)
		e.n, e.from, e.now = copy(e.in[:], in), stranger, int64(now)
		if e.process() == deferred {
			e.set()
		}
	}
	wrong := marshal(t, request(t, "a wrong secret", gosnmp.GetRequest))
	for range 3 {
		at(time.Second, wrong)
	}
	at(30*time.Second, []byte("no message"))
	at(90*time.Second, wrong)
	for range 3 {
		at(91*time.Second, discoveryMessage(t))
	}
	at(92*time.Second, wrong)
	var got []string
	for line := range strings.Lines(log.String()) {
		_, text, _ := strings.Cut(line, "msg=")
		got = append(got, strings.TrimSpace(text))
	}
	want := []string{
		`"snmp: unknown community, or not from there" from=198.51.100.1:40000 suppressed=0`,
		`"snmp: not a message" from=198.51.100.1:40000 suppressed=0 err="wire: malformed message`,
		`"snmp: unknown community, or not from there" from=198.51.100.1:40000 suppressed=2`,
		`"snmp: over a limit, dropped" from=198.51.100.1:40000 suppressed=0 limit=failures`,
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines:\n%s", len(got), log.String())
	}
	for i, w := range want {
		if !strings.HasPrefix(got[i], w) {
			t.Errorf("line %d is %s, want %s", i+1, got[i], w)
		}
	}
}
