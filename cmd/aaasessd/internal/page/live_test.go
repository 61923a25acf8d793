package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aaasess/cmd/internal/api"
)

// recorder is the answer to a stream: what was written until the last flush.
type recorder struct {
	header http.Header
	code   int
	fails  atomic.Bool // the browser has gone

	buffered, flushed strings.Builder
}

func newRecorder() *recorder { return &recorder{header: http.Header{}, code: http.StatusOK} }

func (r *recorder) Header() http.Header  { return r.header }
func (r *recorder) WriteHeader(code int) { r.code = code }

func (r *recorder) Write(b []byte) (int, error) {
	if r.fails.Load() {
		return 0, errors.New("the browser has gone")
	}
	return r.buffered.Write(b)
}

func (r *recorder) FlushError() error {
	r.flushed.WriteString(r.buffered.String())
	r.buffered.Reset()
	return nil
}

// events returns the flushed events as "event: ids of regions" or "event: text", and "beat".
func (r *recorder) events(t *testing.T) (out []string) {
	t.Helper()
	for text := range strings.SplitSeq(strings.TrimSuffix(r.flushed.String(), "\n\n"), "\n\n") {
		name, data, _ := strings.Cut(text, "\ndata: ")
		var v struct {
			Title, Error string
			Regions      []region
		}
		switch {
		case text == ":":
			out = append(out, "beat")
			continue
		case text == "":
			continue
		case json.Unmarshal([]byte(data), &v) != nil:
			t.Errorf("no event: %q", text)
		}
		var ids []string
		for _, region := range v.Regions {
			ids = append(ids, region.ID)
		}
		out = append(out, strings.TrimPrefix(name, "event: ")+": "+v.Error+strings.Join(ids, " "))
	}
	return out
}

// changing is a daemon that a test changes.
type changing struct {
	mu     sync.Mutex
	status api.Status
	reads  int
	wait   time.Duration // how long a read takes
}

func (c *changing) change(fn func(s *api.Status)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn(&c.status)
}

func (c *changing) read() api.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	time.Sleep(c.wait)
	return c.status
}

// newChanging returns a Page of a daemon that changes.
func newChanging() (*Page, *changing) {
	c := &changing{status: api.Status{Verdict: api.VerdictOK, Started: at}}
	source := emptySource()
	source.Status = c.read
	return New(Config{Source: source}), c
}

// watch opens a stream of the overview, and returns its answer and a function that ends it.
func watch(p *Page) (w *recorder, end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	w = newRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Live().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/live?view=/", nil).WithContext(ctx))
	}()
	return w, func() { cancel(); <-done }
}

// TestStream: the first event has all regions, and then each has those that have changed, at most one
// event a second. A stream without changes says that it lives.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, daemon := newChanging()
		w, end := watch(p)
		time.Sleep(20*time.Second + 200*time.Millisecond)
		for range 7 { // within one second
			daemon.change(func(s *api.Status) { s.Entries++ })
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		daemon.change(func(s *api.Status) { s.Verdict, s.Reasons, s.Total = api.VerdictDegraded, []string{hostile}, 9 })
		time.Sleep(2 * time.Second)
		end()
		if diff := cmp.Diff([]string{"update: verdict figures groups queues", "beat", "update: figures", "update: verdict figures"}, w.events(t)); diff != "" {
			t.Error(diff)
		}
		if got := w.header.Get("Content-Type"); got != "text/event-stream" || w.header.Get("Content-Security-Policy") == "" {
			t.Errorf("headers %v", w.header)
		}
	})
}

// TestStreamsShare: a hundred streams of a view cost one rendering a second, and none when they have ended.
func TestStreamsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, daemon := newChanging()
		var ends []func()
		for range 100 {
			_, end := watch(p)
			ends = append(ends, end)
			time.Sleep(7 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		for _, end := range ends {
			end()
		}
		if daemon.reads < 9 || daemon.reads > 12 {
			t.Errorf("%d renderings in 10.7 s", daemon.reads)
		}
		reads := daemon.reads
		time.Sleep(time.Minute)
		if daemon.reads != reads {
			t.Errorf("%d renderings for nobody", daemon.reads-reads)
		}
	})
}

// TestSlowView: a view that takes long to render is rendered less often.
func TestSlowView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, daemon := newChanging()
		daemon.wait = 500 * time.Millisecond
		_, end := watch(p)
		time.Sleep(61 * time.Second)
		end()
		if daemon.reads < 11 || daemon.reads > 13 {
			t.Errorf("%d renderings of 0.5 s in a minute", daemon.reads)
		}
	})
}

// TestManyViews: all views in use share a tenth of a processor. One that needs little is not rendered less
// often because of others, and none is forgotten.
func TestManyViews(t *testing.T) {
	const long = 10 * time.Minute
	ints := func(n, count int) []int { return slices.Repeat([]int{count}, n) }
	few := func(n int, cost time.Duration) []time.Duration { return slices.Repeat([]time.Duration{cost}, n) }
	for _, tt := range []struct {
		name  string
		costs []time.Duration // of a rendering of each view
		want  []int           // renderings of each view in ten minutes, at least
	}{
		{"one that needs nothing", few(1, 0), ints(1, 590)},
		{"32 that need little", few(32, time.Millisecond), ints(32, 590)},
		{"one that needs all", few(1, 300*time.Millisecond), ints(1, 175)},
		{"one that needs much among 31 that need little", append(few(31, time.Millisecond), 300*time.Millisecond), append(ints(31, 550), 110)},
		{"32 that need much", few(32, 300*time.Millisecond), ints(32, 5)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			counts := countRenderings(t, tt.costs, long)
			var used, first time.Duration
			for i, n := range counts {
				used += time.Duration(n) * tt.costs[i]
				first += tt.costs[i]
				if n < tt.want[i] {
					t.Errorf("view %d, which needs %v, was rendered %d times, want %d", i, tt.costs[i], n, tt.want[i])
				}
			}
			// The first ones are made at once, before the times of all are known.
			if most := long/renderShare + 3*first; used > most {
				t.Errorf("%v of work, at most %v", used, most)
			}
		})
	}
}

// countRenderings returns how often views are rendered that streams ask for.
func countRenderings(t *testing.T, costs []time.Duration, long time.Duration) []int {
	counts := make([]int, len(costs))
	synctest.Test(t, func(t *testing.T) {
		h := newHub(func(view string) update {
			i, _ := strconv.Atoi(view)
			counts[i]++
			time.Sleep(costs[i])
			return update{}
		})
		ctx, cancel := context.WithTimeout(t.Context(), long)
		defer cancel()
		var streams sync.WaitGroup
		for i := range costs {
			streams.Go(func() {
				for ctx.Err() == nil {
					h.get(strconv.Itoa(i))
					time.Sleep(renderEvery)
				}
			})
		}
		streams.Wait()
	})
	return counts
}

// TestHubForgets: renderings that nobody asks for are not kept, so that the addresses that somebody makes
// up need no memory.
func TestHubForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(func(string) update { return update{} })
		for i := range 1000 {
			h.get(fmt.Sprint("/sessions?search=", i))
		}
		time.Sleep(keepRendered + time.Second)
		h.get("/")
		if n := len(h.rendered); n != 1 {
			t.Errorf("%d are kept", n)
		}
	})
}

// TestStreamOfProblem: a view that cannot be shown any more says why, once, and is sent as a whole when it
// can be shown again.
func TestStreamOfProblem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Bool
		p := New(Config{Source: emptySource()})
		p.hub.render = func(string) update {
			if gone.Load() {
				return update{failed: "session 0000000A is not live"}
			}
			return update{Title: "a title", Regions: []region{{"one", "x"}, {"two", "y"}}}
		}
		w, end := watch(p)
		for _, now := range []bool{false, true, false} {
			gone.Store(now)
			time.Sleep(5 * time.Second)
		}
		end()
		if diff := cmp.Diff([]string{"update: one two", "problem: session 0000000A is not live", "update: one two"}, w.events(t)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestStreamEnds: with the browser, when the page is switched off, and after an hour.
func TestStreamEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(w *recorder, on *atomic.Bool)
		want time.Duration // from one second after the start
	}{
		{"the browser has gone", func(w *recorder, _ *atomic.Bool) { w.fails.Store(true) }, beatEvery - time.Second},
		{"the page is switched off", func(_ *recorder, on *atomic.Bool) { on.Store(false) }, 0},
		{"after an hour", func(*recorder, *atomic.Bool) {}, maxStream - time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var on atomic.Bool
				on.Store(true)
				p := New(Config{Source: emptySource(), On: on.Load})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w, ended := newRecorder(), make(chan struct{})
				go func() {
					defer close(ended)
					p.Live().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/live?view=/snmp", nil).WithContext(ctx))
				}()
				time.Sleep(time.Second - time.Millisecond)
				tt.do(w, &on)
				begun := time.Now()
				select {
				case <-ended:
				case <-time.After(2 * maxStream):
				}
				if took := time.Since(begun).Truncate(time.Second); took != tt.want {
					t.Errorf("after %v, want %v", took, tt.want)
				}
			})
		})
	}
}

// TestOnce: a browser without a stream asks for the same.
func TestOnce(t *testing.T) {
	p := New(Config{Source: fullSource(hostile)})
	w := ask(t, p, "/live/once?view=/servers")
	var got update
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %v", w.Code, err)
	}
	want := p.renderRegions("/servers")
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(update{})); diff != "" {
		t.Error(diff)
	}
}

// TestNoLiveView: a stream is of a page that changes, on this host.
func TestNoLiveView(t *testing.T) {
	p := New(Config{Source: fullSource("a name")})
	for view, want := range map[string]int{
		"": 400, "/nothing": 404, "/assets/page.css": 404, "/live?view=/": 404, "//evil.example/": 404, "http://evil.example/": 400, "servers": 400,
		"/servers?x=%zz": 400, "/servers/": 404,
	} {
		for _, h := range []http.Handler{p, p.Live()} {
			path := "/live"
			if h == http.Handler(p) {
				path = "/live/once"
			}
			w := ask(t, h, path+"?view="+strings.NewReplacer("%", "%25", "&", "%26").Replace(view))
			if w.Code != want || !strings.HasPrefix(w.Body.String(), "view: ") {
				t.Errorf("%s of %q: %d %s", path, view, w.Code, w.Body)
			}
		}
	}
	if w := ask(t, p, "/live/once?view="+"/servers%3Fgroup=none"); w.Code != http.StatusNotFound {
		t.Errorf("a group that is not there: %d", w.Code)
	}
}

// TestOneSlowRendering: a view whose rendering had to wait once is as new as before soon after.
func TestOneSlowRendering(t *testing.T) {
	for name, slow := range map[string]int{"the first": 1, "a later one": 5} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				h := newHub(func(string) update {
					if n++; n == slow {
						time.Sleep(5 * time.Second) // less than keepRendered
					} else {
						time.Sleep(time.Millisecond)
					}
					return update{}
				})
				for n < slow {
					h.get("/")
					time.Sleep(renderEvery)
				}
				for range maxFirst / renderEvery {
					h.get("/")
					time.Sleep(renderEvery)
				}
				if n == slow {
					t.Error("the view is not rendered again")
				}
				before := n
				for range 3 {
					h.get("/")
					time.Sleep(renderEvery)
				}
				if n < before+3 {
					t.Errorf("%d renderings in 3 seconds", n-before)
				}
			})
		})
	}
}
