package accounting

import (
	"encoding/binary"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
	"aaasess/internal/throttle"
	"aaasess/sessions"
	"aaasess/store"
)

// Router is the [sessions.Journal]: it decides the routes of sessions, turns notices into records for the first method of
// their session's route, and commits them together with the state that caused them. All methods may be called by any
// number of goroutines; the order of commits is that of the calls.
type Router struct {
	store  *store.Store
	logger *slog.Logger
	lists  atomic.Pointer[lists]
	spare  sync.Pool // of *draft

	mu    sync.Mutex                           // for adding to known
	known atomic.Pointer[map[string]*prepared] // by their texts, nil for one that nobody can read; a map does not change

	dictionary atomic.Pointer[radius.Dictionary] // names attributes in the log

	records                              atomic.Uint64
	tooLarge, empty, repeated, forbidden drops
}

// drops counts the attributes that were left out of records for one reason.
type drops struct {
	total  atomic.Uint64
	logged throttle.Line
}

// lists is a policy made ready: by kind, the route of a session that begins; nil is nowhere.
type lists [sessions.Connection + 1]*prepared

func (l *lists) of(k sessions.Kind) *prepared {
	if int(k) < len(l) {
		return l[k]
	}
	return nil
}

// prepared is a route made ready.
type prepared struct {
	text  string
	route *Route
	queue string // of the first method
	tail  []byte // of each record, between its head and its attributes
}

// draft is the memory of one change, kept for the next.
type draft struct {
	puts    []store.Put
	appends []store.Append
	buf     []byte
}

// NewRouter makes a Router over an open store. Until SetPolicy no accounting takes place.
func NewRouter(st *store.Store, logger *slog.Logger) *Router {
	r := &Router{store: st, logger: logger}
	r.lists.Store(&lists{})
	r.known.Store(&map[string]*prepared{})
	r.spare.New = func() any { return &draft{} }
	r.SetDictionary(radius.Standard())
	return r
}

// SetDictionary says how the log calls attributes: at first by the standard dictionary.
func (r *Router) SetDictionary(d *radius.Dictionary) { r.dictionary.Store(d) }

// SetPolicy makes a policy the one for all sessions that begin, or returns what Validate finds wrong
// with it and changes nothing. Sessions that have begun keep their routes, and records the methods that they have.
func (r *Router) SetPolicy(p *Policy) error {
	if err := p.Validate(); err != nil {
		return err
	}
	var made lists
	for k := range p.Lists {
		if to := p.Route(k); to != nil {
			made[k] = r.prepared(to.Text())
		}
	}
	r.lists.Store(&made)
	return nil
}

// Route is the text of the route of a session that begins now; "" is nowhere.
func (r *Router) Route(s *sessions.Session) string {
	if to := r.lists.Load().of(s.Kind); to != nil {
		return to.text
	}
	return ""
}

// Adopt decides the routes of sessions from before routes were kept: as Route, but a session goes on in the queue where its
// newest record waits, whatever its list is called now. It reads all queues.
func (r *Router) Adopt(old []*sessions.Session) ([]string, error) {
	n, err := newestOf(old, r.store)
	if err != nil {
		return nil, err
	}
	type of struct {
		kind  sessions.Kind
		place int
	}
	made, texts, lists := map[of]string{}, make([]string, len(old)), r.lists.Load()
	for i, s := range old {
		at := of{s.Kind, n.found[i].place}
		text, ok := made[at]
		if !ok {
			var today *Route
			if l := lists.of(s.Kind); l != nil {
				today = l.route
			}
			if to := n.places[at.place].after(today); to != nil {
				text = to.Text()
			}
			made[at] = text
		}
		texts[i] = text
	}
	return texts, nil
}

// prepared makes the route with a text ready, once. It is nil if nobody can read it, which is logged.
func (r *Router) prepared(text string) *prepared {
	if to, ok := (*r.known.Load())[text]; ok {
		return to
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before := *r.known.Load()
	if to, ok := before[text]; ok {
		return to
	}
	var to *prepared
	if route, err := ParseRoute(text); err == nil {
		to = &prepared{
			text: text, route: route, queue: route.Methods[0].Queue(), tail: appendRoute(nil, route.List, route.Methods[1:]),
		}
	} else {
		r.logger.Error("route of a session cannot be read, its records go by its present list", "err", err)
	}
	known := maps.Clone(before)
	known[text] = to
	r.known.Store(&known)
	return to
}

// RouterStats is what a Router has counted since it was made.
type RouterStats struct {
	Records uint64 `json:"records"` // records made

	// Attributes of NASes that were left out, by reason: see [Dropped].
	DroppedAttributes   uint64 `json:"too_large"` // their record did not fit into a RADIUS packet
	EmptyAttributes     uint64 `json:"empty"`
	RepeatedAttributes  uint64 `json:"repeated"`
	ForbiddenAttributes uint64 `json:"forbidden"`
}

// Stats are the counters now.
func (r *Router) Stats() RouterStats {
	return RouterStats{
		Records:             r.records.Load(),
		DroppedAttributes:   r.tooLarge.total.Load(),
		EmptyAttributes:     r.empty.total.Load(),
		RepeatedAttributes:  r.repeated.total.Load(),
		ForbiddenAttributes: r.forbidden.total.Load(),
	}
}

// Accepting is the store's.
func (r *Router) Accepting() error { return r.store.Accepting() }

// AfterBatch is the store's.
func (r *Router) AfterBatch(fn func()) { r.store.AfterBatch(fn) }

// Commit makes the records of a change and commits them with its state.
func (r *Router) Commit(c sessions.Change, done func(error)) {
	if done == nil {
		done = func(error) {}
	}
	d := r.spare.Get().(*draft)
	for _, p := range c.State {
		d.puts = append(d.puts, store.Put(p))
	}
	for i := range c.Notices {
		r.record(d, &c.Notices[i])
	}
	r.store.Commit(store.Change{Puts: d.puts, Appends: d.appends}, done)
	clear(d.puts) // else the values live as long as the draft
	clear(d.appends)
	d.puts, d.appends, d.buf = d.puts[:0], d.appends[:0], d.buf[:0]
	r.spare.Put(d)
}

// routeOf is where a notice is recorded, nil if it is not. A [sessions.Other] of a session goes where all of that session goes,
// if the session or (of another kind than network) the network list has records of that type. One of no session goes by
// the network list.
func (r *Router) routeOf(n *sessions.Notice) *prepared {
	s, lists := n.Session, r.lists.Load()
	var own *prepared
	if text := s.Route.String(); text != "" {
		if own = r.prepared(text); own == nil {
			own = lists.of(s.Kind)
		}
	}
	if own != nil && own.route.Record.records(n.Type) {
		return own
	}
	network := lists[sessions.Network]
	switch {
	case n.Type != sessions.Other || s.ID != 0 && s.Kind == sessions.Network:
		return nil
	case network == nil || !network.route.Record.records(n.Type):
		return nil
	case own != nil:
		return own
	}
	return network
}

// record adds the record of a notice, if there is one.
func (r *Router) record(d *draft, n *sessions.Notice) {
	to := r.routeOf(n)
	if to == nil {
		return
	}
	number := n.Session.ID
	if n.Type == sessions.Other && number == 0 {
		number = laneOf(n.Session)
	}
	start := len(d.buf)
	d.buf = appendHead(d.buf, number, n.Type, n.At)
	d.buf = append(d.buf, to.tail...)
	attrs := len(d.buf) + 2
	var dropped Dropped
	d.buf, dropped = Compose(append(d.buf, 0, 0), n)
	binary.BigEndian.PutUint16(d.buf[attrs-2:], uint16(len(d.buf)-attrs))
	d.appends = append(d.appends, store.Append{Queue: to.queue, Data: d.buf[start:len(d.buf):len(d.buf)]})
	r.records.Add(1)
	if dropped != (Dropped{}) {
		r.leftOut(&r.tooLarge, dropped.TooLarge, n, "accounting record too large, attributes left out")
		r.leftOut(&r.empty, dropped.Empty, n, "empty attributes left out of an accounting record")
		r.leftOut(&r.repeated, dropped.Repeated, n, "attributes that came more often than allowed left out of an accounting record")
		r.leftOut(&r.forbidden, dropped.Forbidden, n, "attributes that no accounting record may have left out")
	}
}

// leftOut counts attributes that were left out for one reason, and says so at most once a minute.
func (r *Router) leftOut(reason *drops, dropped Drop, n *sessions.Notice, msg string) {
	if dropped.Count == 0 {
		return
	}
	total := reason.total.Add(uint64(dropped.Count))
	if _, ok := reason.logged.Allow(time.Now()); !ok { // the total tells how many
		return
	}
	session := n.Session.ID.String()
	if n.Session.ID == 0 {
		session = n.Session.AcctSessionID
	}
	r.logger.Warn(msg, "session", session, "nas", n.Session.NAS.String(), "attribute", r.nameOf(dropped),
		"dropped", dropped.Count, "dropped_total", total)
}

// nameOf is the name of the first attribute that was left out.
func (r *Router) nameOf(dropped Drop) string {
	for p := range r.dictionary.Load().Print(radius.Attributes(radius.AppendAttribute(nil, dropped.First, dropped.Value))) {
		return p.Name
	}
	return ""
}
