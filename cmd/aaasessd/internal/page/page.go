package page

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

//go:embed assets templates
var files embed.FS

// Config configures a [Page].
type Config struct {
	Source Source
	// On reports whether there is a status page now. nil: there is.
	On func() bool
	// Disconnect reports whether authenticated persons may disconnect sessions. nil: nobody may.
	Disconnect func() bool
	// Logger receives the log; nil discards it.
	Logger *slog.Logger
}

// Page answers the requests of browsers. Its methods may be called from any goroutine.
type Page struct {
	cfg   Config
	views []*view
	wrong *view // says what is wrong with a request
	mux   *http.ServeMux
	hub   hub
	keys  tokens

	samples samples
}

// New returns a Page.
func New(cfg Config) *Page {
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.On == nil {
		cfg.On = func() bool { return true }
	}
	if cfg.Disconnect == nil {
		cfg.Disconnect = func() bool { return false }
	}
	p := &Page{cfg: cfg, views: allViews(), wrong: problemView(), mux: http.NewServeMux(), keys: newTokens()}
	p.hub = newHub(p.renderRegions)
	p.wrong.parse()
	for _, v := range p.views {
		v.parse()
		p.mux.HandleFunc("GET "+v.pattern, func(w http.ResponseWriter, r *http.Request) { p.show(w, r, v) })
	}
	p.mux.HandleFunc("GET /live/once", p.once)
	p.mux.Handle("GET /assets/", assets())
	p.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		p.fail(w, r, &problem{http.StatusNotFound, "there is no such page"})
	})
	p.addActions()
	return p
}

// ServeHTTP implements http.Handler: everything but the streams.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	if !p.cfg.On() {
		http.Error(w, off, http.StatusNotFound)
		return
	}
	p.mux.ServeHTTP(w, r)
}

// off is the answer when there is no status page.
const off = "the status page is off: see http.status-page in the configuration"

// contentPolicy is the Content-Security-Policy (CSP level 3). Attributes and elements with scripts or
// styles are not allowed, wherever they come from.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}

// problem is why a request has no page: an HTTP status, and a text for the operator.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

// request is what a view is asked for.
type request struct {
	path          string                   // without parameters
	query         url.Values               // the parameters
	value         func(name string) string // of a wildcard in the view's pattern
	now           time.Time
	mayDisconnect bool // authenticated persons may disconnect sessions
}

// newRequest parses what a request asks for.
func (p *Page) newRequest(r *http.Request) (*request, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &problem{http.StatusBadRequest, "the parameters of the address are invalid: " + err.Error()}
	}
	return &request{path: r.URL.Path, query: query, value: r.PathValue, now: time.Now(), mayDisconnect: p.cfg.Disconnect()}, nil
}

// show answers with a view.
func (p *Page) show(w http.ResponseWriter, r *http.Request, v *view) {
	req, err := p.newRequest(r)
	if err == nil {
		var c content
		if c, err = v.load(p, req); err == nil {
			p.write(w, r, cmp.Or(c.status, http.StatusOK), v, c)
			return
		}
	}
	p.fail(w, r, err)
}

// frame is what the layout shows: the frame of a page and, as Data, what its view shows.
type frame struct {
	Title   string
	Nav     []navItem
	Live    string // address of the stream; "": the page does not change
	Version string
	Person  string // who is authenticated; "": nobody
	Data    any
}

// navItem is a link to a view.
type navItem struct {
	Path, Text string
	Current    bool // it is the view that is shown, or the list that the view is of
}

// write answers with a page.
func (p *Page) write(w http.ResponseWriter, r *http.Request, code int, v *view, c content) {
	f := frame{Title: cmp.Or(c.title, v.title), Version: p.cfg.Source.Version, Data: c.data}
	f.Person, _ = p.person(r)
	for _, other := range p.views {
		if other.nav != "" {
			f.Nav = append(f.Nav, navItem{other.path(), other.nav, other.nav == v.nav || other.pattern == v.parent})
		}
	}
	if len(v.live) > 0 {
		f.Live = "/live?view=" + url.QueryEscape(r.URL.RequestURI())
	}
	var out bytes.Buffer
	if err := v.parsed.ExecuteTemplate(&out, "layout", f); err != nil {
		p.cfg.Logger.Error("status page cannot be shown", "err", err)
		http.Error(w, "the page cannot be shown: see the log of aaasessd", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(out.Bytes()) // fails only if the browser has gone
}

// fail answers with a page that says what is wrong.
func (p *Page) fail(w http.ResponseWriter, r *http.Request, err error) {
	code := http.StatusInternalServerError
	if known := (*problem)(nil); errors.As(err, &known) {
		code = known.status
	} else {
		p.cfg.Logger.Error("status page cannot be shown", "err", err)
	}
	p.write(w, r, code, p.wrong, content{title: http.StatusText(code), data: err.Error()})
}

// person returns who is authenticated.
func (p *Page) person(r *http.Request) (string, bool) {
	if p.cfg.Source.Person == nil {
		return "", false
	}
	return p.cfg.Source.Person(r)
}
