package radius

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	"aaasess/internal/throttle"
	"aaasess/internal/udpsocket"
)

// TestDropLog: one line a minute for each source and reason; the others share one.
func TestDropLog(t *testing.T) {
	short, long := errors.New("too short"), errors.New("too long")
	alone, silent := due{alone: true}, due{}
	type step struct {
		wait   time.Duration
		what   counter
		source int
		why    error
		want   due
	}
	// many drops requests of as many sources as have a line of their own, and of more.
	many := func(wait time.Duration, what counter, from, n int, want due) (list []step) {
		for i := range n {
			list = append(list, step{0, what, from + i, short, want})
		}
		list[0].wait = wait
		return list
	}
	tests := []struct {
		name  string
		steps [][]step
	}{
		{"once a minute", [][]step{{
			{0, malformed, 1, short, alone},
			{0, malformed, 1, short, silent},
			{59 * time.Second, malformed, 1, short, silent},
			{time.Second, malformed, 1, short, alone},
			{59 * time.Second, malformed, 1, short, silent},
			{time.Second, malformed, 1, short, alone},
		}}},
		{"another counter, reason or source is not hidden", [][]step{{
			{0, malformed, 1, short, alone},
			{0, malformed, 1, long, alone},
			{0, malformed, 2, short, alone},
			{0, badAuthenticators, 1, short, alone},
			{0, malformed, 1, short, silent},
			{0, malformed, 1, long, silent},
			{0, malformed, 2, short, silent},
			{0, badAuthenticators, 1, short, silent},
		}}},
		{"too many", [][]step{
			many(0, unknownClients, 0, throttle.MaxKeys, alone),
			many(0, unknownClients, 100, 1, due{requests: 1, sources: 1}),
			many(30*time.Second, unknownClients, 101, 9, silent),
			many(0, unknownClients, 101, 9, silent),
			many(0, unknownClients, 0, throttle.MaxKeys, silent),
			many(0, malformed, 100, 1, alone), // another counter has its own lines
		}},
		{"too many, a minute later", [][]step{
			many(0, unknownClients, 0, throttle.MaxKeys, alone),
			many(30*time.Second, unknownClients, 100, 1, due{requests: 1, sources: 1}),
			many(29*time.Second, unknownClients, 101, 1, silent),
			many(0, unknownClients, 101, 1, silent),
			many(time.Second, unknownClients, 0, throttle.MaxKeys, alone), // these keep their lines
			many(30*time.Second, unknownClients, 101, 1, due{requests: 3, sources: 1}),
		}},
		{"places are free after a minute", [][]step{
			many(0, unknownClients, 0, throttle.MaxKeys/2, alone),
			many(30*time.Second, unknownClients, 50, throttle.MaxKeys/2, alone),
			many(29*time.Second, unknownClients, 100, 1, due{requests: 1, sources: 1}),
			many(time.Second, unknownClients, 101, throttle.MaxKeys/2, alone),
			many(0, unknownClients, 150, 1, silent),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l dropLog
				for i, group := range tt.steps {
					for j, s := range group {
						time.Sleep(s.wait)
						source := netip.AddrFrom4([4]byte{192, 0, 2, byte(s.source)})
						if got := l.due(s.what, source, s.why, time.Now()); got != s.want {
							t.Errorf("step %d.%d: %+v, want %+v", i, j, got, s.want)
						}
					}
				}
			})
		})
	}
}

// TestDropLogFlood: a thousand forged addresses fill neither memory nor log, and their approximate
// number is logged.
func TestDropLogFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l dropLog
		lines, last := 0, due{}
		for i := range uint32(300_000) {
			if i%1000 == 0 {
				time.Sleep(time.Second) // five minutes in total
			}
			source := netip.AddrFrom4([4]byte{10, byte(i % 1000 >> 8), byte(i % 1000), 1}) // a thousand addresses
			if d := l.due(unknownClients, source, errUnknownClient, time.Now()); d != (due{}) {
				lines++
				if !d.alone {
					last = d
				}
			}
		}
		if lines > 6*(throttle.MaxKeys+1) {
			t.Errorf("%d lines", lines)
		}
		if last.sources < 800 || last.sources > 1000 || last.requests < 50_000 {
			t.Errorf("%+v of a thousand sources", last)
		}
	})
}

// TestLoggedReasons: invalid requests of one NAS hide nothing about another NAS of the same client,
// nor its own other problems; an unknown source does not hide another one.
func TestLoggedReasons(t *testing.T) {
	l, _ := newIdleListener(t, newRecorder(), Client{Name: "net", Prefix: prefix("192.0.2.0/24"), Secret: captured.Secret})
	s := l.sockets[0]
	r := newReceiver(s)
	handle := func(from string, datagram []byte) {
		r.scratch = s.endpoint.handle(datagram, s.arrival(netip.MustParseAddrPort(from), udpsocket.Local{}), r.scratch, noon)
	}
	wrongSecret := start(1, "a")
	radius.Seal(wrongSecret, 0, radius.Authenticator{}, "other")
	for range 2 {
		handle("192.0.2.1:5", wrongSecret)
		handle("192.0.2.1:6", wrongSecret)
		handle("192.0.2.2:5", wrongSecret)
		handle("192.0.2.2:5", request(1, num(radius.AcctStatusType, 1)))
		handle("192.0.2.2:5", request(2, attr(radius.AcctSessionID, "a")))
		handle("192.0.2.2:5", []byte("short"))
		handle("198.51.100.1:5", []byte("short"))
		handle("198.51.100.2:5", start(1, "a"))
	}
	want := []string{
		"from=192.0.2.1:5 err=\"wrong authenticator", "from=192.0.2.2:5 err=\"wrong authenticator",
		"from=192.0.2.2:5 err=\"Acct-Session-Id: missing", "from=192.0.2.2:5 err=\"Acct-Status-Type: missing",
		"from=192.0.2.2:5 err=\"shorter than 20", "from=198.51.100.1:5 err=\"unknown client\"", "from=198.51.100.2:5 err=\"unknown client\"",
	}
	log := l.log.String()
	for _, w := range want {
		if n := strings.Count(log, w); n != 1 {
			t.Errorf("%d lines with %s, want 1", n, w)
		}
	}
	if n := strings.Count(log, "\n"); n != len(want) {
		t.Errorf("%d lines, want %d", n, len(want))
	}
	if t.Failed() {
		t.Log(log)
	}
}

// TestSharedLogLine: drops without a line of their own share one.
func TestSharedLogLine(t *testing.T) {
	l, _ := newIdleListener(t, newRecorder(), local())
	s := l.sockets[0]
	r := newReceiver(s)
	for i := range throttle.MaxKeys + 3 {
		r.scratch = s.endpoint.handle(nil, s.arrival(netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:5", i)), udpsocket.Local{}), r.scratch, noon)
	}
	r.scratch = s.endpoint.handle(nil, s.arrival(netip.MustParseAddrPort("192.0.2.200:5"), udpsocket.Local{}), r.scratch, noon.Add(throttle.Period-1))
	log := l.log.String()
	if n := strings.Count(log, "\n"); n != throttle.MaxKeys+1 {
		t.Errorf("%d lines, want %d", n, throttle.MaxKeys+1)
	}
	if want := fmt.Sprintf("requests=1 sources=1 total=%d", throttle.MaxKeys+1); !strings.Contains(log, want) {
		t.Errorf("no line with %s:\n%s", want, log)
	}
}
