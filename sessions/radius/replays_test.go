package radius

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/udpsocket"
)

// TestReplays: what happens to the octets of a request that come again, from another port.
func TestReplays(t *testing.T) {
	stamp := num(radius.EventTimestamp, uint32(noon.Unix()))
	for _, tt := range []struct {
		name   string
		attrs  string
		answer bool
		after  time.Duration
		taken  bool
	}{
		{"answered", stamp, true, time.Second, false},
		{"answered long ago", stamp, true, timestampWindow, false},
		{"not answered", stamp, false, time.Second, true}, // the server may send it from any port again
		{"no Event-Timestamp", "", true, time.Second, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, requests, handle := newIdleChange(t, false)
			request := change(radius.CodeDisconnectRequest, 1, tt.attrs)
			handle(request, noon)
			if q := <-requests; tt.answer {
				q.Answer(true, nil)
			} else {
				q.Drop(errNoServer)
			}
			from := netip.MustParseAddrPort("127.0.0.1:10")
			l.handle(request, l.sockets[0].arrival(from, udpsocket.Local{}), nil, noon.Add(tt.after))
			if taken := len(requests) == 1; taken != tt.taken {
				t.Errorf("taken: %v; %s", taken, l.log)
			}
			if !tt.taken && (l.Stats().Stale != 1 || !strings.Contains(l.log.String(), errReplay.Error())) {
				t.Errorf("counted %+v; %s", l.Stats().ChangeCounters, l.log)
			}
		})
	}
}

// TestReplaysForgotten: a request is remembered as long as its Event-Timestamp is good, and not for
// ever.
func TestReplaysForgotten(t *testing.T) {
	r := newReplays()
	k := requestKey{auth: radius.Authenticator{1}, sourceKey: sourceKey{port: 1, identifier: 1}}
	r.answered(k, noon)
	r.answered(requestKey{auth: radius.Authenticator{2}}, noon.Add(replaySpan-time.Second))
	if !r.knows(k, noon.Add(replaySpan)) || r.knows(k, noon.Add(2*replaySpan)) || r.knows(requestKey{}, noon) {
		t.Error("not remembered from 0 to replaySpan only")
	}
}
