package radius

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aaasess/accounting"
)

// names is a resolver that a test changes.
type names struct {
	mu    sync.Mutex
	addrs map[string][]string
	asked int
	slow  chan struct{} // if not nil look-ups wait until it is closed
}

func (n *names) set(host string, addrs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addrs[host] = addrs
}

func (n *names) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked
}

func (n *names) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	slow := n.slow
	n.asked++
	var out []netip.Addr
	for _, a := range n.addrs[host] {
		out = append(out, netip.MustParseAddr(a))
	}
	n.mu.Unlock()
	if slow != nil {
		select {
		case <-slow:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no such host")
	}
	return out, nil
}

// quick are times for tests.
var quick = lookupTimes{limit: time.Second, min: 5 * time.Millisecond, max: 10 * time.Millisecond, every: 10 * time.Millisecond}

func named(port uint16, n *names, hosts ...string) *Spec {
	spec := &Spec{Group: "isp", Window: 10, Lookup: n.lookup}
	for i, h := range hosts {
		spec.Servers = append(spec.Servers, ServerSpec{
			Name: fmt.Sprint("r", i), Host: h, Port: port, Secret: testSecret, Schedule: accounting.Schedule{Timeout: 100 * time.Millisecond},
		})
	}
	return spec
}

// runNamed runs a group until the test ends.
func runNamed(t *testing.T, spec *Spec, times lookupTimes) (*namedGroup, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	group := newNamedGroup(spec, times, nil, slog.New(slog.NewTextHandler(log, nil)))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- group.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		send(t, group, someRecord).want(t, ErrStopped)
		until(t, "nothing is left running", func() bool { return len(ours()) == 0 })
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	return group, log
}

// logBuffer is a log that is read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

var someRecord = testRecord(13, time.Unix(0, 0))

// TestNameAppears: an unknown name is no response; when it is known records go there, and when it
// moves they go to the new place.
func TestNameAppears(t *testing.T) {
	first := newFakeServer(t, always(answer))
	second := newFakeServerAt(t, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), first.addr.Port()), always(answer))
	n := &names{addrs: map[string][]string{}}
	group, log := runNamed(t, named(first.addr.Port(), n, "r.example"), quick)
	send(t, group, someRecord).want(t, accounting.ErrNoResponse) // for an unknown server
	until(t, "the name is looked up again", func() bool { return n.count() >= 4 })
	n.set("r.example", "::ffff:127.0.0.1")
	until(t, "the server is found", func() bool { return send(t, group, someRecord).wait(t) == nil })
	if len(first.got()) == 0 {
		t.Error("the record went elsewhere")
	}
	group.mu.Lock()
	present := group.group
	group.mu.Unlock()
	n.set("r.example", "127.0.0.2", "127.0.0.1") // one more: the one that we have still counts
	asked := n.count()
	until(t, "the name is looked up again", func() bool { return n.count() >= asked+3 })
	n.set("r.example") // the name server is away
	asked = n.count()
	until(t, "the name is looked up again", func() bool { return n.count() >= asked+3 })
	group.mu.Lock()
	if group.group != present {
		t.Error("an answer that changed nothing made another group")
	}
	group.mu.Unlock()
	n.set("r.example", "127.0.0.2")
	until(t, "the server is found where it moved to", func() bool { return send(t, group, someRecord).wait(t) == nil && len(second.got()) > 0 })
	if got := group.Stats().Servers[0].Addr.Addr().String(); got != "127.0.0.2" {
		t.Errorf("Stats has %s", got)
	}
	if n := strings.Count(log.String(), "cannot be looked up"); n != 2 {
		t.Errorf("the log tells of two times %d times", n)
	}
	if n := strings.Count(log.String(), "accounting server found"); n != 2 {
		t.Errorf("the log tells of two places %d times", n)
	}
}

// TestSomeNames: servers that are known do their work while others are not; two names of one address
// are one server.
func TestSomeNames(t *testing.T) {
	server := newFakeServer(t, always(answer))
	n := &names{addrs: map[string][]string{"b.example": {"127.0.0.1"}, "c.example": {"127.0.0.1"}}}
	group, _ := runNamed(t, named(server.addr.Port(), n, "a.example", "b.example", "c.example", "127.0.0.3"), quick)
	send(t, group, someRecord).want(t, nil)
	servers := func() (names []string) {
		for _, s := range group.Stats().Servers {
			names = append(names, s.Name)
		}
		return names
	}
	if got := servers(); !slices.Equal(got, []string{"r1", "r3"}) {
		t.Errorf("servers %q", got)
	}
	n.set("a.example", "127.0.0.4")
	until(t, "the first server is found", func() bool { return slices.Equal(servers(), []string{"r0", "r1", "r3"}) })
}

// TestFirstLookUp: records wait for it, rather than go to the next method; nothing else waits.
func TestFirstLookUp(t *testing.T) {
	server := newFakeServer(t, always(answer))
	n := &names{addrs: map[string][]string{"r.example": {"127.0.0.1"}}, slow: make(chan struct{})}
	group, _ := runNamed(t, named(server.addr.Port(), n, "r.example"), lookupTimes{})
	o := send(t, group, someRecord)
	until(t, "the look-up is under way", func() bool { return n.count() == 1 })
	if got := group.Stats().Servers; len(got) > 0 || group.Window() != 10 {
		t.Errorf("servers %v, window %d", got, group.Window())
	}
	select {
	case err := <-o.ch:
		t.Fatalf("before its answer: %v", err)
	default:
	}
	close(n.slow)
	o.want(t, nil)
}

// TestLookUpUnanswered: a look-up without an answer holds nothing up.
func TestLookUpUnanswered(t *testing.T) {
	n := &names{addrs: map[string][]string{}, slow: make(chan struct{})}
	times := quick
	times.limit = 10 * time.Millisecond
	group, _ := runNamed(t, named(1813, n, "r.example"), times)
	send(t, group, someRecord).want(t, accounting.ErrNoResponse)
	until(t, "it is looked up again", func() bool { return n.count() > 2 })
}

// TestLookUpEnds: a group ends in the middle of its first look-up, and what waited for that gets its answer.
func TestLookUpEnds(t *testing.T) {
	n := &names{addrs: map[string][]string{}, slow: make(chan struct{})}
	var record, announcement outcome
	t.Cleanup(func() { // after the group's end
		record.want(t, ErrStopped)
		announcement.want(t, ErrStopped)
	})
	group, _ := runNamed(t, named(1813, n, "r.example"), lookupTimes{limit: time.Hour})
	record, announcement = send(t, group, someRecord), outcome{make(chan error, 1)}
	group.Announce(someRecord, func(_ string, err error) { announcement.ch <- err })
	group.Abandon() // there is nothing to abandon yet
}

// TestNamedAnnounce: a group without a known address answers an announcement, and one with it sends it.
func TestNamedAnnounce(t *testing.T) {
	server := newFakeServer(t, always(answer))
	n := &names{addrs: map[string][]string{}}
	group, _ := runNamed(t, named(server.addr.Port(), n, "r.example"), quick)
	announce := func() (server string, err error) {
		o := outcome{make(chan error, 1)}
		group.Announce(someRecord, func(by string, err error) { server = by; o.ch <- err })
		return server, o.wait(t)
	}
	if _, err := announce(); !errors.Is(err, accounting.ErrNoResponse) {
		t.Errorf("got %v", err)
	}
	n.set("r.example", "127.0.0.1")
	until(t, "the server is found", func() bool { _, err := announce(); return err == nil })
	group.Abandon()
	send(t, group, someRecord).want(t, nil)
}

// TestSystemLookup: addresses need no name server.
func TestSystemLookup(t *testing.T) {
	addrs, err := systemLookup(t.Context(), "127.0.0.1")
	if err != nil || len(addrs) != 1 || addrs[0].Unmap() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("%v, %v", addrs, err)
	}
}
