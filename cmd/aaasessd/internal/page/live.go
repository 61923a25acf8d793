package page

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	// renderEvery is the least time between two renderings of a view.
	renderEvery = time.Second
	// renderShare limits the time that the renderings of all views need together: one part in this many.
	renderShare = 10
	// maxFirst is the longest time from the first rendering of a view to the second.
	maxFirst = 5 * time.Second
	// beatEvery is how often a stream sends something, so that both ends notice when the other has gone.
	beatEvery = 15 * time.Second
	// maxStream is how long a stream goes on. Its browser asks again, and must authenticate again.
	maxStream = time.Hour
	// keepRendered is how long a rendering is kept that nobody asks for.
	keepRendered = 10 * time.Second
)

// update is what the live regions of a view show, and the data of an event.
type update struct {
	Title   string   `json:"title"` // of the page
	Regions []region `json:"regions"`
	// failed says why the view cannot be shown; "": it can.
	failed string
}

// region is the content of an element.
type region struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// hub renders the views that streams and browsers ask for, one after the other. All who ask for a view
// share a rendering.
type hub struct {
	render func(view string) update

	slot chan struct{} // full while a view is rendered

	mu       sync.Mutex
	rendered map[string]*rendering // by path with parameters
}

func newHub(render func(view string) update) hub {
	return hub{render: render, slot: make(chan struct{}, 1), rendered: map[string]*rendering{}}
}

// rendering is the newest rendering of a view.
type rendering struct {
	used time.Time     // owned by the hub
	took time.Duration // owned by the hub
	last time.Duration // took by the last rendering, which may have waited for something; owned by the hub

	mu     sync.Mutex // held while it is rendered
	update update
	next   time.Time // when it may be rendered again
}

// get returns what a view shows, at most renderEvery old, or older if the views in use take long to render.
func (h *hub) get(view string) update {
	r := h.find(view, time.Now())
	r.mu.Lock()
	defer r.mu.Unlock()
	if !time.Now().Before(r.next) {
		h.slot <- struct{}{}
		defer func() { <-h.slot }()
		begin := time.Now()
		r.update = h.render(view)
		r.next = begin.Add(h.pause(r, time.Since(begin)))
	}
	return r.update
}

// pause returns how long after its start a rendering that took some time is the newest of its view. A view
// is slow if two renderings were: one may have waited while the host was busy, which is no reason to show
// nothing new for minutes.
func (h *hub) pause(r *rendering, took time.Duration) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	first := r.last == 0
	r.took = took
	if !first {
		r.took = min(took, r.last)
	}
	r.last, took = took, r.took
	var all []time.Duration
	for _, one := range h.rendered {
		all = append(all, one.took)
	}
	if share := fairShare(all); took > share {
		pause := time.Duration(float64(renderEvery) * float64(took) / float64(share))
		if first {
			return min(pause, maxFirst)
		}
		return pause
	}
	return renderEvery
}

// fairShare returns the most time that one view may need in each renderEvery, if these are the times of
// one rendering of each view in use. A view that needs less leaves the rest to the others (max-min
// fairness).
func fairShare(all []time.Duration) time.Duration {
	slices.Sort(all)
	left := renderEvery / renderShare
	for i, took := range all {
		if fair := left / time.Duration(len(all)-i); took > fair {
			return max(fair, 1)
		}
		left -= took
	}
	return renderEvery / renderShare
}

// find returns the rendering of a view, and forgets those that nobody uses.
func (h *hub) find(view string, now time.Time) *rendering {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, r := range h.rendered {
		if now.Sub(r.used) > keepRendered {
			delete(h.rendered, name)
		}
	}
	r := h.rendered[view]
	if r == nil {
		r = &rendering{}
		h.rendered[view] = r
	}
	r.used = now
	return r
}

// parseView returns the view of a path with parameters, and what it is asked for.
func (p *Page) parseView(path string) (*view, *request, error) {
	u, err := url.ParseRequestURI(path)
	if err != nil || u.Host != "" {
		return nil, nil, &problem{http.StatusBadRequest, "view: want the path of a page"}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, nil, &problem{http.StatusBadRequest, "view: its parameters are invalid: " + err.Error()}
	}
	for _, v := range p.views {
		if values, ok := v.match(u.Path); ok && len(v.live) > 0 {
			return v, &request{
				path: u.Path, query: query, value: func(name string) string { return values[name] }, now: time.Now(), mayDisconnect: p.cfg.Disconnect(),
			}, nil
		}
	}
	return nil, nil, &problem{http.StatusNotFound, "view: no page with this path changes"}
}

// renderRegions renders the live regions of a view.
func (p *Page) renderRegions(path string) update {
	v, r, err := p.parseView(path)
	if err != nil {
		return update{failed: err.Error()}
	}
	c, err := v.load(p, r)
	if known := (*problem)(nil); errors.As(err, &known) {
		return update{failed: known.text}
	}
	out := update{Title: cmp.Or(c.title, v.title)}
	for _, id := range v.live {
		if err != nil {
			break
		}
		var html bytes.Buffer
		err = v.parsed.ExecuteTemplate(&html, id, c.data)
		out.Regions = append(out.Regions, region{id, html.String()})
	}
	if err != nil {
		p.cfg.Logger.Error("status page cannot be shown", "err", err)
		return update{failed: "the page cannot be shown: see the log of aaasessd"}
	}
	return out
}

// once is GET /live/once: what the live regions of a view show now, for browsers without a stream.
func (p *Page) once(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Query().Get("view")
	if _, _, err := p.parseView(path); err != nil {
		failText(w, err)
		return
	}
	u := p.hub.get(path)
	if u.failed != "" {
		http.Error(w, u.failed, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(u) // fails only if the browser has gone
}

// failText answers with the text of a problem.
func failText(w http.ResponseWriter, err error) {
	code := http.StatusInternalServerError
	if known := (*problem)(nil); errors.As(err, &known) {
		code = known.status
	}
	http.Error(w, err.Error(), code)
}

// Live returns the handler of GET /live?view=PATH, a stream of server-sent events. Each event "update"
// has an [update] with the regions that have changed, the first one all; "problem" says why the view
// cannot be shown any more. The stream ends with the context of the request. Each Write is flushed.
func (p *Page) Live() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		path := r.URL.Query().Get("view")
		_, _, err := p.parseView(path)
		if !p.cfg.On() {
			err = &problem{http.StatusNotFound, off}
		}
		if err != nil {
			failText(w, err)
			return
		}
		over := time.NewTimer(maxStream)
		defer over.Stop()
		w.Header().Set("Content-Type", "text/event-stream")
		s := stream{w: w, control: http.NewResponseController(w), sent: map[string]string{}}
		tick := time.NewTicker(renderEvery)
		defer tick.Stop()
		for p.cfg.On() && s.send(p.hub.get(path)) == nil {
			select {
			case <-r.Context().Done():
				return
			case <-over.C:
				return
			case <-tick.C:
			}
		}
	})
}

// stream is what one browser has.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	sent    map[string]string // content of its regions
	title   string
	failed  string
	last    time.Time // of the last event or beat
}

// send sends what a browser does not have. It returns an error if the browser has gone.
func (s *stream) send(u update) error {
	event, data := "update", any(nil)
	switch {
	case u.failed != "":
		if u.failed != s.failed {
			event, data = "problem", map[string]string{"error": u.failed}
		}
		s.sent = map[string]string{} // when it can be shown again, it is sent again
	default:
		news := update{Title: u.Title, Regions: []region{}}
		for _, r := range u.Regions {
			if have, ok := s.sent[r.ID]; !ok || have != r.HTML {
				news.Regions = append(news.Regions, r)
				s.sent[r.ID] = r.HTML
			}
		}
		if len(news.Regions) > 0 || news.Title != s.title {
			data = news
		}
		s.title = u.Title
	}
	s.failed = u.failed
	var err error
	switch {
	case data != nil:
		var text []byte
		if text, err = json.Marshal(data); err == nil { // JSON has no line feeds
			_, err = fmt.Fprintf(s.w, "event: %s\ndata: %s\n\n", event, text)
		}
	case time.Since(s.last) >= beatEvery:
		_, err = s.w.Write([]byte(":\n\n"))
	default:
		return nil
	}
	s.last = time.Now()
	return errors.Join(err, s.control.Flush())
}
