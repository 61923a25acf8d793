package snmp

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"aaasess/agent/snmp/wire"
)

// TestProblemLog: a problem is logged once a minute for each kind and source, and never with a
// secret.
func TestProblemLog(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t, func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.Limits = Limits{Failures: 1}
	})
	from := unknownSource
	at := func(now time.Duration, in []byte) {
		t.Helper()
		e := f.acquire()
		defer f.release(e)
		e.n, e.from, e.now = copy(e.in[:], in), from, int64(now)
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
	old := request(t, "public", gosnmp.GetRequest)
	old.Version = gosnmp.Version1
	at(93*time.Second, marshal(t, old))
	from = manager
	at(94*time.Second, marshal(t, request(t, "public", gosnmp.SetRequest)))
	at(95*time.Second, wrong)
	from = parseAddr(t, "203.0.113.7:161")
	at(95*time.Second, marshal(t, request(t, "public", gosnmp.GetRequest)))
	from = manager
	at(96*time.Second, guestMessage(f, wire.SetRequest))
	var got []string
	for line := range strings.Lines(log.String()) {
		_, text, _ := strings.Cut(line, "msg=")
		got = append(got, strings.TrimSpace(text))
	}
	want := []string{
		`"snmp: message dropped, unknown community, source address or version" from=198.51.100.1:40000 suppressed=0 known=false`,
		`"snmp: malformed message dropped" from=198.51.100.1:40000 suppressed=0 err="wire: malformed message`,
		`"snmp: message dropped, unknown community, source address or version" from=198.51.100.1:40000 suppressed=2 known=false`,
		`"snmp: message dropped, limit exceeded" from=198.51.100.1:40000 suppressed=0 limit=failures`,
		`"snmp: message dropped, version not accepted" from=198.51.100.1:40000 suppressed=0 version=v1`,
		`"snmp: request rejected, user or community has no access" from=192.0.2.1:40000 suppressed=0 user=readers pdu=SetRequest`,
		`"snmp: message dropped, unknown community, source address or version" from=192.0.2.1:40000 suppressed=0 known=false`,
		`"snmp: message dropped, unknown community, source address or version" from=203.0.113.7:161 suppressed=0 known=true version=v2c`,
		`"snmp: request rejected, user or community has no access" from=192.0.2.1:40000 suppressed=0 user=guest pdu=SetRequest`,
	}
	if f.Stats().Forbidden != 2 {
		t.Errorf("%d are counted as forbidden", f.Stats().Forbidden)
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

// TestLogsRefusedSets: the log has the sender, the source and the object of a SET that failed.
func TestLogsRefusedSets(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	f.SetPolicy(openPolicy(t))
	e := f.acquire()
	defer f.release(e)
	packet := request(t, "c", gosnmp.SetRequest)
	packet.Variables = []gosnmp.SnmpPDU{{Name: ".1.3.6.1.9.9.9", Type: gosnmp.Integer, Value: 1}}
	in := marshal(t, packet)
	e.n, e.from, e.now = copy(e.in[:], in), manager, int64(time.Second)
	if e.process() == deferred {
		e.set()
	}
	for _, want := range []string{"snmp: SET refused", "from=192.0.2.1:40000", "user=", "err=notWritable", "object=.1.3.6.1.9.9.9"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, log.String())
		}
	}
}
