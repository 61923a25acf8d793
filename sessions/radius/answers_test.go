package radius

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"aaasess/internal/radius"
	"aaasess/internal/radius/captured"
	"aaasess/internal/udpsocket"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	layeh "layeh.com/radius"
)

// TestAnswersTogether: many events of two NASes become durable at once, with and without
// Proxy-State. Each event gets its own answer, in order, whether or not the kernel splits buffers.
func TestAnswersTogether(t *testing.T) {
	tests := []struct {
		name   string
		listen string
		refuse bool // the kernel refuses to split buffers
	}{
		{"one address", "127.0.0.1:0", false},
		{"wildcard address", "0.0.0.0:0", false},
		{"one by one", "127.0.0.1:0", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sink := newRecorder()
			l := startListener(t, sink, tt.listen, local())
			if tt.refuse { // the kernel refuses UDP_SEGMENT on a socket without checksums
				if err := udpsocket.Control(l.sockets[0].conn, func(fd int) error {
					return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1)
				}); err != nil {
					t.Fatal(err)
				}
			}
			to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), l.Addr().Port())
			const each = 100
			nases := []nas{l.dial(to), l.dial(to)}
			requests := make([][][]byte, len(nases))
			for i, n := range nases {
				for j := range byte(each) {
					state := attr(radius.ProxyState, strings.Repeat("s", int(j/40)))
					r := request(j, num(radius.AcctStatusType, 1), attr(radius.AcctSessionID, fmt.Sprint(i, j)), state)
					requests[i] = append(requests[i], r)
					n.send(r)
				}
			}
			var calls []report
			for range each * len(nases) {
				calls = append(calls, sink.next(t))
			}
			for _, c := range calls {
				c.done(nil)
			}
			for i, n := range nases {
				for _, r := range requests[i] {
					n.receive(r)
				}
			}
			l.stop()
			if diff := cmp.Diff(Counters{Requests: 2 * each, Responses: 2 * each}, l.Stats().Counters); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBatchLen(t *testing.T) {
	port := func(n uint16) netip.AddrPort { return netip.AddrPortFrom(source, n) }
	answer := func(to netip.AddrPort, state int) *exchange {
		return &exchange{endpoint: &endpoint{}, arrival: arrival{from: to}, proxyState: strings.Repeat("s", state)}
	}
	elsewhere := answer(port(1), 0)
	elsewhere.local.Addr = source
	tests := []struct {
		name   string
		batch  []*exchange
		single bool
		want   int
	}{
		{"one", []*exchange{answer(port(1), 0)}, false, 1},
		{"two alike", []*exchange{answer(port(1), 0), answer(port(1), 0)}, false, 2},
		{"two alike, one by one", []*exchange{answer(port(1), 0), answer(port(1), 0)}, true, 1},
		{"another port", []*exchange{answer(port(1), 0), answer(port(1), 0), answer(port(2), 0), answer(port(1), 0)}, false, 2},
		{"another length", []*exchange{answer(port(1), 0), answer(port(1), 2)}, false, 1},
		{"from another address of ours", []*exchange{answer(port(1), 0), elsewhere}, false, 1},
		{"as many as the kernel takes", slices.Repeat([]*exchange{answer(port(1), 0)}, 100), false, 64},
		{"long ones go alone", slices.Repeat([]*exchange{answer(port(1), 1000)}, 3), false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := writer{single: tt.single}
			if got := w.batchLen(tt.batch); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

func TestAnswerQueue(t *testing.T) {
	var q answerQueue
	q.init(2)
	a, b, c := &exchange{}, &exchange{}, &exchange{}
	if !q.push(a) || !q.push(b) {
		t.Fatal("no room for two")
	}
	if q.push(c) {
		t.Error("room for three")
	}
	if got := q.dequeueAll(nil); len(got) != 2 || got[0] != a || got[1] != b {
		t.Errorf("dequeued %v", got)
	}
	if !q.push(c) {
		t.Error("no room after dequeueAll")
	}
	q.close()
	if q.push(a) {
		t.Error("room after close")
	}
	if got := q.dequeueAll(nil); len(got) != 1 || got[0] != c {
		t.Errorf("dequeued %v, want the answers from before close", got)
	}
	if got := q.dequeueAll(nil); got != nil {
		t.Errorf("dequeued %v after the end", got)
	}
}

// TestUnsendable: an answer that the kernel rejects counts as dropped.
func TestUnsendable(t *testing.T) {
	l, handle := newIdleListener(t, newRecorder(), local())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := l.sockets[0]
	for i := range byte(3) {
		handle(statusRequest(i), noon)
	}
	s.answers.close()
	s.write()
	if diff := cmp.Diff(Counters{Requests: 3, StatusServers: 3, Dropped: 3}, l.Stats().Counters); diff != "" {
		t.Error(diff)
	}
}

// stream is a replier without a socket.
type stream struct{ answers [][]byte }

func (s *stream) reply(x *exchange) bool {
	s.answers = append(s.answers, x.appendResponse(nil))
	return true
}

// TestAnswersThroughAStream: requests and answers need no socket.
func TestAnswersThroughAStream(t *testing.T) {
	sink := newRecorder()
	l, _ := newIdleListener(t, sink, local())
	to := &stream{}
	a := arrival{
		replies: to, seen: newDuplicateTable(generationCap),
		from: netip.MustParseAddrPort("127.0.0.1:9"), sentTo: source,
	}
	one := start(1, "a")
	l.handle(one, a, nil, noon)
	took := sink.next(t)
	if took.event.NAS.Local != source {
		t.Errorf("it came to %v", took.event.NAS.Local)
	}
	if took.done(nil); len(to.answers) != 1 || !layeh.IsAuthenticResponse(to.answers[0], one, []byte(captured.Secret)) {
		t.Errorf("answers %x", to.answers)
	}
	status := statusRequest(2)
	if l.handle(status, a, nil, noon); len(to.answers) != 2 || to.answers[1][1] != 2 {
		t.Errorf("answers %x", to.answers)
	}
}
