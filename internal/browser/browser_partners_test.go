//go:build partners

package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// serve serves one page, under a policy like ours.
func serve(t *testing.T, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/icon" {
			w.Header().Set("Content-Type", "image/svg+xml")
			return
		}
		if r.URL.Path == "/who" {
			user, password, _ := r.BasicAuth()
			body = user + " " + password
		}
		w.Header().Set("Content-Security-Policy", "script-src 'nonce-x'")
		fmt.Fprintf(w, "<!DOCTYPE html><html lang=en><title>Test</title><link rel=icon href=/icon>%s", body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// recorder is a test whose errors are kept.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// end ends the recorded test.
func (r *recorder) end() {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
}

// TestProblems: what goes wrong in a page fails its test.
func TestProblems(t *testing.T) {
	b := Start(t)
	for name, tt := range map[string]struct{ body, until, want string }{
		"nothing":     {"<h1>Good</h1>", "true", ""},
		"console":     {"<script nonce=x>console.warn('careful')</script>", "true", "careful"},
		"exception":   {"<script nonce=x>setTimeout(() => { window.done = true; nothing() })</script>", "window.done", "nothing is not defined"},
		"policy":      {"<script>window.bad = true</script>", "window.bad === undefined", "Content Security Policy"},
		"attribute":   {"<img src=/icon onload='window.bad = true'>", "window.bad === undefined", "Content Security Policy"},
		"other host":  {"<img src='http://other.test/x'>", "document.images[0].complete", "request to http://other.test/x"},
		"other port":  {"<img src='http://127.0.0.1:1/x'>", "document.images[0].complete", "request to http://127.0.0.1:1/x"},
		"missing":     {"<script nonce=x>fetch('http://127.0.0.1:1/').catch(() => { window.done = true })</script>", "window.done", "request to http://127.0.0.1:1/"},
		"not a fault": {"<script nonce=x>console.log('expected text')</script>", "true", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			p := (&Browser{t: r, ctx: b.ctx}).Open(Desktop)
			p.Expect("expected text")
			p.Go(serve(t, tt.body))
			p.Until(tt.until)
			if tt.want != "" {
				p.until(t, func() bool { return strings.Contains(strings.Join(p.watch.problems(), "\n"), tt.want) })
			}
			r.end()
			if tt.want == "" && len(r.errors) > 0 || tt.want != "" && !strings.Contains(strings.Join(r.errors, "\n"), tt.want) {
				t.Errorf("got %q, want %q", r.errors, tt.want)
			}
		})
	}
}

// until waits for a condition that is not one of the page.
func (p *Page) until(t *testing.T, cond func() bool) {
	t.Helper()
	for range 1000 {
		if cond() {
			return
		}
		evaluate[int](p, "1") // its answer comes after the events before it
	}
	t.Errorf("got %q", p.watch.all())
}

// TestDialog: a dialog is a problem, and the page goes on.
func TestDialog(t *testing.T) {
	r := &recorder{TB: t}
	p := (&Browser{t: r, ctx: Start(t).ctx}).Open(Desktop)
	p.Go(serve(t, "<script nonce=x>setTimeout(() => { alert('hello'); document.title = 'after' })</script>"))
	p.Until("document.title === 'after'")
	r.end()
	if got := strings.Join(r.errors, "\n"); !strings.Contains(got, "dialog alert: hello") {
		t.Error(got)
	}
}

// TestAudit has a page for each fault.
func TestAudit(t *testing.T) {
	b := Start(t)
	const good = "<main><h1>Title</h1>"
	for name, tt := range map[string]struct {
		body string
		want string
	}{
		"good": {good + `<p><a href=/>Link</a></p> <label>Name <input style="height: 24px"></label><table><caption>C</caption><tr><th scope=col>A</table>
			<p style="position: absolute; left: -100rem; color: #eee">far</p>`, ""},
		"contrast":        {good + `<p style="color: #999">grey</p>`, "contrast of 2.85"},
		"contrast layers": {good + `<p style="background: #000"><span style="background: rgba(255, 255, 255, 0.5); color: #fff">grey</span></p>`, "contrast of 3.9"},
		"large text":      {good + `<p style="color: #888; font-size: 24px">large</p>`, ""},
		"heading":         {good + "<h3>Deep</h3>", "follows a heading of level 1"},
		"two titles":      {good + "<h1>Second</h1>", "one h1"},
		"no main":         {"<h1>Title</h1>", "one main"},
		"input":           {good + "<input style='height: 24px'>", "a textbox has no name"},
		"button":          {good + "<button style='width: 3em; height: 3em'></button>", "a button has no name"},
		"small":           {good + "<button style='font-size: 5px; padding: 0'>b</button>", "pixels"},
		"caption":         {good + "<table><tr><th scope=col>A<tr><td>B</table>", "a table has no name"},
		"scope":           {good + "<table><caption>C</caption><tr><th>A<tr><td>B</table>", "has no scope"},
		"twice":           {good + "<p id=a></p><p id=a></p>", "the id a is there twice"},
		"missing label":   {good + "<section aria-labelledby=none>x</section>", "the id none, which is not there"},
		"wide":            {good + "<p style='width: 2000px'>x</p>", "pixels wide"},
		"scroll":          {good + "<div class=scroll style='overflow-x: auto'><p style='width: 2000px'>x</p></div>", "scrolls, but not with keys"},
	} {
		t.Run(name, func(t *testing.T) {
			p := (&Browser{t: t, ctx: b.ctx}).Open(Desktop)
			p.Go(serve(t, tt.body))
			got := p.Audit()
			if tt.want == "" && len(got) > 0 || tt.want != "" && !strings.Contains(strings.Join(got, "\n"), tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestUse types, clicks, follows links, signs in and takes a screenshot.
func TestUse(t *testing.T) {
	b := Start(t)
	p := b.Open(Device{Name: "tv", Width: 640, Height: 480, Dark: true, User: "alice", Password: "s"})
	address := serve(t, "<form action=/search><label>Text <input id=t name=t></label><button>Go</button></form><a href=/who>Who</a>")
	p.Go(address)
	p.Type("#t", "some words")
	p.Follow(func() { p.Press(Enter) }, "/search?t=some+words")
	p.Type("#t", "x")
	p.Follow(func() { p.Click("button") }, "/search?t=x")
	p.Follow(p.Back, "/search?t=some+words")
	p.Follow(func() { p.Click("a") }, "/who")
	if got := p.Text("body"); got != "alice s" {
		t.Error(got)
	}
	want := []string{"/", "/icon", "/search?t=some+words", "/search?t=x", "/who"}
	var got []string
	for _, r := range p.Requests() {
		path := strings.TrimPrefix(r, address)
		if !slices.Contains(got, path) {
			got = append(got, path)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !Eval[bool](p, "matchMedia('(prefers-color-scheme: dark)').matches && innerWidth === 640") {
		t.Error("not the device that was asked for")
	}
	p.Screenshot("page")
	if info, err := os.Stat(filepath.Join(t.ArtifactDir(), "page-tv-dark.png")); err != nil || info.Size() == 0 {
		t.Error(err)
	}
}
