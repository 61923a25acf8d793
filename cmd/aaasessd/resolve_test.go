package main

import (
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
	acctradius "aaasess/accounting/radius"
	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/internal/radius"
	"aaasess/sessions"
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

func specOf(port uint16, hosts ...string) config.Group {
	g := config.Group{Name: "isp", AccessAlgorithm: "direct", Window: 10}
	for i, h := range hosts {
		g.Servers = append(g.Servers, config.Server{
			Name: fmt.Sprint("r", i), Host: h, Port: port, Secret: "upstream", Timeout: 100 * time.Millisecond,
		})
	}
	return g
}

// runNamed runs a group until the test ends.
func runNamed(t *testing.T, g config.Group, n *names, times lookupTimes) (*namedGroup, *lines) {
	t.Helper()
	log := &lines{}
	group := newNamedGroup(g, n.lookup, times, nil, slog.New(slog.NewTextHandler(log, nil)))
	before := goroutines()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- group.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := send(t, group); !errors.Is(err, accounting.ErrStopped) {
			t.Errorf("after its end a record gets %v", err)
		}
		endsAll(t, before)
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	return group, log
}

var someRecord = &accounting.Record{
	Session: 13, Type: sessions.Start, At: time.Unix(0, 0), List: "network/default",
	Attrs: radius.Attributes("\x28\x06\x00\x00\x00\x01\x2c\x0a0000000D"),
}

func send(t *testing.T, m accounting.Method) error {
	t.Helper()
	done := make(chan error, 1)
	m.Send(someRecord, accounting.Progress{}, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		t.Fatal("the record has no end")
		return nil
	}
}

// TestNameAppears: an unknown name is no response; when it is known records go there, and when it
// moves they go to the new place.
func TestNameAppears(t *testing.T) {
	first := listen(t, "127.0.0.1:0")
	second := listen(t, fmt.Sprint("127.0.0.2:", portOf(first.addrPort())))
	n := &names{addrs: map[string][]string{}}
	group, log := runNamed(t, specOf(first.addrPort().Port(), "r.example"), n, quick)
	if err := send(t, group); !errors.Is(err, accounting.ErrNoResponse) {
		t.Errorf("a record for an unknown server: %v", err)
	}
	eventually(t, "the name is looked up again", func() bool { return n.count() >= 4 })
	n.set("r.example", "::ffff:127.0.0.1")
	eventually(t, "the server is found", func() bool { return send(t, group) == nil })
	if first.asked.Load() == 0 {
		t.Error("the record went elsewhere")
	}
	group.mu.Lock()
	present := group.group
	group.mu.Unlock()
	n.set("r.example", "127.0.0.2", "127.0.0.1") // one more: the one that we have still counts
	asked := n.count()
	eventually(t, "the name is looked up again", func() bool { return n.count() >= asked+3 })
	n.set("r.example") // the name server is away
	asked = n.count()
	eventually(t, "the name is looked up again", func() bool { return n.count() >= asked+3 })
	group.mu.Lock()
	if group.group != present {
		t.Error("an answer that changed nothing made another group")
	}
	group.mu.Unlock()
	n.set("r.example", "127.0.0.2")
	eventually(t, "the server is found where it moved to", func() bool { return send(t, group) == nil && second.asked.Load() > 0 })
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
	server := listen(t, "127.0.0.1:0")
	n := &names{addrs: map[string][]string{"b.example": {"127.0.0.1"}, "c.example": {"127.0.0.1"}}}
	group, _ := runNamed(t, specOf(server.addrPort().Port(), "a.example", "b.example", "c.example", "127.0.0.3"), n, quick)
	if err := send(t, group); err != nil {
		t.Fatal(err)
	}
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
	eventually(t, "the first server is found", func() bool { return slices.Equal(servers(), []string{"r0", "r1", "r3"}) })
}

// TestFirstLookUp: records wait for it, rather than go to the next method; nothing else waits.
func TestFirstLookUp(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	n := &names{addrs: map[string][]string{"r.example": {"127.0.0.1"}}, slow: make(chan struct{})}
	group, _ := runNamed(t, specOf(server.addrPort().Port(), "r.example"), n, lookupTimes{})
	done := make(chan error, 1)
	group.Send(someRecord, accounting.Progress{}, func(err error) { done <- err })
	eventually(t, "the look-up is under way", func() bool { return n.count() == 1 })
	if got := group.Stats().Servers; len(got) > 0 || group.Window() != 10 {
		t.Errorf("servers %v, window %d", got, group.Window())
	}
	select {
	case err := <-done:
		t.Fatalf("before its answer: %v", err)
	default:
	}
	close(n.slow)
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(limit):
		t.Fatal("the record has no end")
	}
}

// TestLookUpEnds: a look-up without an answer holds nothing up, at the end neither.
func TestLookUpEnds(t *testing.T) {
	n := &names{addrs: map[string][]string{}, slow: make(chan struct{})}
	times := quick
	times.limit = 10 * time.Millisecond
	group, _ := runNamed(t, specOf(1813, "r.example"), n, times)
	if err := send(t, group); !errors.Is(err, accounting.ErrNoResponse) {
		t.Errorf("got %v", err)
	}
	eventually(t, "it is looked up again", func() bool { return n.count() > 2 })

	done := make(chan error, 1)
	t.Cleanup(func() {
		if err := <-done; !errors.Is(err, acctradius.ErrStopped) {
			t.Errorf("got %v, want ErrStopped", err)
		}
	})
	waiting, _ := runNamed(t, specOf(1813, "r.example"), n, lookupTimes{limit: time.Hour}) // ended in the middle
	waiting.Send(someRecord, accounting.Progress{}, func(err error) { done <- err })
}

// TestDaemonWithoutDNS starts with a server whose name nobody knows; its records wait and arrive.
func TestDaemonWithoutDNS(t *testing.T) {
	server := listen(t, "127.0.0.1:0")
	n := &names{addrs: map[string][]string{}}
	text := groupConfig(t, "isp", "r.example:"+portOf(server.addrPort()))
	l := launch(t, text, outside{resolve: n.lookup})
	l.mustAccount(packet(acctStart, "S1", "alice"))
	eventually(t, "nobody responds", func() bool {
		for _, q := range l.d.methods.spoolQueues() {
			if q.Queue == "group/isp" && q.Records == 1 && !q.DownSince.IsZero() {
				return true
			}
		}
		return false
	})
	l.reload(text, "configuration loaded")
	n.set("r.example", "127.0.0.1")
	eventually(t, "the record arrives", func() bool { return slices.Equal(server.kinds(), []string{"Start 00000001"}) })
	status, err := l.client().Status(t.Context())
	if err != nil || !strings.Contains(string(status.Sections["servers"]), `"Name":"r0"`) {
		t.Errorf("servers: %s, %v", status.Sections["servers"], err)
	}
}

// TestSystemLookup: addresses need no name server.
func TestSystemLookup(t *testing.T) {
	addrs, err := systemLookup(t.Context(), "127.0.0.1")
	if err != nil || len(addrs) != 1 || addrs[0].Unmap() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("%v, %v", addrs, err)
	}
}
