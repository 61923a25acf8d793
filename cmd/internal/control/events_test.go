package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aaasess/internal/taps"

	"github.com/google/go-cmp/cmp"

	"aaasess/accounting/tap"
	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
	"aaasess/sessions/sessionstest"
)

// eventScene is a Server with a Tap, in a bubble of synctest.
type eventScene struct {
	*Server
	tap tap.Tap
}

// fewGroups is an Accounting with a server group, and a queue of one that was removed.
type fewGroups struct{ Accounting }

func (fewGroups) ServerGroups() []api.ServerGroup { return []api.ServerGroup{{Name: "isp"}} }
func (fewGroups) Spool() api.SpoolStatus {
	return api.SpoolStatus{Queues: []api.Queue{{Queue: "local"}, {Queue: "group/old"}}}
}

func newEventScene(t *testing.T) *eventScene {
	journal := sessionstest.NewJournal()
	t.Cleanup(journal.Close)
	e := &eventScene{}
	e.Server = &Server{
		cfg: Config{
			Events: &e.tap, Accounting: fewGroups{}, Names: radius.Standard,
			ClientName: func(a netip.Addr) string {
				return map[netip.Addr]string{netip.MustParseAddr("192.0.2.1"): "bras-1"}[a]
			},
		},
		table: sessions.New(sessions.Config{}, journal), ending: make(chan struct{}), listeners: make(chan struct{}, api.MaxListeners),
	}
	return e
}

// client is the other end of a stream. While it is stalled, it reads nothing.
type client struct {
	header http.Header
	mu     sync.Mutex
	got    bytes.Buffer
	code   int
	stall  chan struct{} // nil: not stalled
	gone   context.CancelFunc
	ended  chan struct{} // closed when the answer has ended

	readBy, writeBy time.Time // deadlines
}

func (c *client) Header() http.Header { return c.header }
func (c *client) WriteHeader(n int)   { c.code = n }
func (c *client) Flush()              {}

func (c *client) SetReadDeadline(t time.Time) error {
	c.readBy = t
	return nil
}

func (c *client) SetWriteDeadline(t time.Time) error {
	c.writeBy = t
	return nil
}

func (c *client) Write(b []byte) (int, error) {
	c.mu.Lock()
	stall := c.stall
	c.mu.Unlock()
	if stall != nil {
		<-stall
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got.Write(b)
}

func (c *client) setStalled(stalled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stalled {
		c.stall = make(chan struct{})
		return
	}
	close(c.stall)
	c.stall = nil
}

// open starts a stream.
func (e *eventScene) open(query string) *client {
	ctx, cancel := context.WithCancel(context.Background())
	c := &client{header: http.Header{}, gone: cancel, ended: make(chan struct{}), code: http.StatusOK}
	c.readBy, c.writeBy = time.Now().Add(readTimeout), time.Now().Add(sendTimeout) // as ServeHTTP and net/http set them
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, api.PathEvents+"?"+query, nil)
	go func() {
		defer close(c.ended)
		e.streamEvents(c, r)
	}()
	synctest.Wait()
	return c
}

// lines waits until everything is written, and returns the lines since the last call: the number of a
// session, or "-3" for events that were left out.
func (c *client) lines(t *testing.T) (out []string) {
	t.Helper()
	time.Sleep(time.Minute) // of the bubble
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for line := range bytes.Lines(c.got.Bytes()) {
		var l api.EventLine
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if (l.LeftOut > 0) == (l.AccountableEvent != nil) {
			t.Errorf("neither or both: %s", line)
		}
		if l.LeftOut > 0 {
			out = append(out, fmt.Sprint("-", l.LeftOut))
		} else {
			out = append(out, fmt.Sprint(l.Number))
		}
	}
	c.got.Reset()
	return out
}

// offer offers the starts of sessions.
func (e *eventScene) offer(first, last sessions.ID) {
	for id := first; id <= last; id++ {
		e.tap.Offer(&tap.Event{Notice: sessions.Notice{Type: sessions.Start, Session: someone(id, "alice")}})
	}
}

func someone(id sessions.ID, user string) *sessions.Session {
	return &sessions.Session{
		ID: id, Kind: sessions.Network, IPv4: 0x0a000001, State: sessions.Active,
		NAS:   &sessions.NAS{Addr: netip.MustParseAddr("192.0.2.1"), Identifier: "as5200"},
		Attrs: attributes(radius.UserName, user, radius.AcctSessionID, "a", radius.NASPortID, "tty1"),
	}
}

func numbersTo(first, last int) (out []string) {
	for i := first; i <= last; i++ {
		out = append(out, fmt.Sprint(i))
	}
	return out
}

// TestEventsSlowReader: "a reader that is slow loses lines and is told how many". The daemon, and
// another reader, are not slower.
func TestEventsSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEventScene(t)
		slow, other := e.open(""), e.open("")
		if !slow.readBy.IsZero() || !slow.writeBy.IsZero() {
			t.Errorf("a reader that pauses is cut off at %v or %v", slow.readBy, slow.writeBy)
		}
		check := func(what string, got, want []string) {
			t.Helper()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", what, diff)
			}
		}
		e.offer(1, 3)
		check("before", slow.lines(t), numbersTo(1, 3))
		slow.setStalled(true)
		e.offer(4, 4)
		check("the other one", other.lines(t), numbersTo(1, 4))
		e.offer(5, taps.QueueSize+4) // the first waits in Write, these in the queue
		check("the other one goes on", other.lines(t), numbersTo(5, taps.QueueSize+4))
		e.offer(taps.QueueSize+5, taps.QueueSize+11)
		slow.setStalled(false)
		check("when it reads again", slow.lines(t), append(numbersTo(4, taps.QueueSize+4), "-7"))
		e.offer(1, 1)
		check("later", slow.lines(t), numbersTo(1, 1))
		slow.gone()
		other.gone()
		synctest.Wait()
	})
}

// TestEventsRate: a stream is read in pauses, so that it cannot cost more than about 10,000 events a
// second.
func TestEventsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEventScene(t)
		c := e.open("")
		began := time.Now()
		for range 100 {
			e.offer(1, taps.QueueSize)
			time.Sleep(10 * time.Millisecond)
		}
		seconds := time.Since(began).Seconds()
		got, leftOut := 0, 0
		for _, line := range c.lines(t) {
			n := 0
			if _, err := fmt.Sscanf(line, "-%d", &n); err == nil {
				leftOut += n
			} else {
				got++
			}
		}
		if got+leftOut != 100*taps.QueueSize {
			t.Errorf("%d events and %d left out, of %d", got, leftOut, 100*taps.QueueSize)
		}
		if perSecond := float64(got) / seconds; perSecond < 9000 || perSecond > 13000 {
			t.Errorf("%v events a second", perSecond)
		}
		c.gone()
		synctest.Wait()
	})
}

// TestEventsEnd: a stream ends with its client, also one that does not read, and with the daemon,
// which writes what is queued.
func TestEventsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEventScene(t)
		gone, stays := e.open("user=alice"), e.open("")
		e.offer(1, 2)
		gone.gone()
		<-gone.ended
		if !e.tap.Listened() {
			t.Error("the other one listens still")
		}
		stays.lines(t)
		e.offer(3, 3)
		synctest.Wait() // it is in its pause now
		e.offer(4, 5)
		close(e.ending)
		<-stays.ended
		if diff := cmp.Diff(numbersTo(3, 5), stays.lines(t)); diff != "" {
			t.Error(diff)
		}
		if e.tap.Listened() {
			t.Error("nobody listens any more")
		}
	})
}

// TestEventsRefused: requests that get no stream.
func TestEventsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEventScene(t)
		check := func(query string, code int, text string) {
			t.Helper()
			c := e.open(query)
			<-c.ended
			if c.code != code || !strings.Contains(c.got.String(), text) {
				t.Errorf("%s: %d %s, want %d %s", query, c.code, &c.got, code, text)
			}
		}
		check("state=active", 400, "events cannot be selected by the state")
		check("user=", 400, "is empty")
		check("%zz", 400, "invalid URL escape")
		check("group=isq", 404, `server group \"isq\": no such server group`)
		if e.tap.Listened() {
			t.Error("a refused request listens")
		}
		var open []*client
		for i := range api.MaxListeners {
			open = append(open, e.open([]string{"", "group=isp", "group=old"}[i%3]))
		}
		check("", 503, "more than 16 commands show accountable events")
		open[5].gone()
		<-open[5].ended
		open[5] = e.open("")
		e.cfg.Events = nil
		check("", 404, "no accountable events")
		for _, c := range open {
			c.gone()
			<-c.ended
			if c.code != http.StatusOK {
				t.Errorf("%d %s", c.code, &c.got)
			}
		}
	})
}
