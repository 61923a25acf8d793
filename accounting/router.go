package accounting

import (
	"cmp"
	"encoding/binary"
	"log/slog"
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/accounting/tap"
	"aaasess/internal/radius"
	"aaasess/internal/throttle"
	"aaasess/sessions"
	"aaasess/store"
)

// Router is the [sessions.Journal]. It decides the routes of sessions, converts notices to records
// for the queues of their session's route, and commits the records together with the state that
// caused them. All methods may be called by any number of goroutines. Commits have the order
// of the calls.
type Router struct {
	store  *store.Store
	logger *slog.Logger
	decide atomic.Pointer[Decide]
	drafts sync.Pool // of *draft

	mu sync.Mutex // guards changes of routes
	// By text; nil for a route that cannot be parsed; the map itself never changes.
	routes atomic.Pointer[map[string]*preparedRoute]

	dictionary atomic.Pointer[radius.Dictionary] // names of attributes for the log
	clientName func(netip.Addr) string           // for the log

	withoutNewInfo atomic.Bool // see SetNewInfo
	tap            tap.Tap

	records, resyncs                     atomic.Uint64
	tooLarge, empty, repeated, forbidden drops
}

// drops counts the attributes that were left out of records for one reason.
type drops struct {
	total  atomic.Uint64
	logged throttle.Line
}

// Decide returns the text of the route ([Route.Text]) that a session gets if it begins now as one of
// kind k; "" if it is not accounted. It depends on nothing but the session. It must not wait, change
// the session, or call a Router.
type Decide func(k sessions.Kind, s *sessions.Session) string

// preparedRoute is a route with the parts that every record needs.
type preparedRoute struct {
	text     string
	route    *Route
	kind     sessions.Kind // of the list
	branches []branch
	methods  []string // those of route, for the tap
	alone    []branch // where a record to one method only goes
}

// draft is the memory for one change. It is reused.
type draft struct {
	puts    []store.Put
	appends []store.Append
	buf     []byte
}

// NewRouter returns a Router for an open store. Until SetPolicy, nothing is recorded.
func NewRouter(st *store.Store, logger *slog.Logger) *Router {
	r := &Router{store: st, logger: logger, clientName: func(netip.Addr) string { return "" }}
	r.SetPolicy(func(sessions.Kind, *sessions.Session) string { return "" })
	r.routes.Store(&map[string]*preparedRoute{})
	r.drafts.New = func() any { return &draft{} }
	r.SetDictionary(radius.Standard())
	return r
}

// SetDictionary sets the names of attributes in the log. The default is the standard dictionary.
func (r *Router) SetDictionary(d *radius.Dictionary) { r.dictionary.Store(d) }

// SetClientName sets the function that returns the configured name of the client with a source
// address, or "", for the log. Call it before the first Commit. It must return at once.
func (r *Router) SetClientName(nameOf func(netip.Addr) string) { r.clientName = nameOf }

// SetPolicy sets the policy for all sessions that begin. Sessions that have begun keep their routes,
// and records keep their methods.
func (r *Router) SetPolicy(decide Decide) { r.decide.Store(&decide) }

// SetNewInfo says whether a second start of a session is recorded, as an interim: mostly it adds the
// user's address (R25, R47; S1 "aaa accounting update newinfo"). The default is true.
func (r *Router) SetNewInfo(isRecorded bool) { r.withoutNewInfo.Store(!isRecorded) }

// isUnwantedNewInfo reports whether a notice is of a second start that SetNewInfo leaves out. One that
// brings the User-Name without which the first start was suppressed is recorded: no record has told
// of the session before. So is one that brings the address that the start waits for.
func (r *Router) isUnwantedNewInfo(to *Route, n *sessions.Notice) bool {
	return r.withoutNewInfo.Load() && n.SecondStart && !(to.SuppressNullUsername && n.BringsUser) &&
		!(to.DelayStart > 0 && n.Session.Kind == sessions.Network && HasAddress(n.Attrs))
}

// Route returns the text of the route of a session that begins now; "" if it is not recorded.
func (r *Router) Route(s *sessions.Session) string { return (*r.decide.Load())(s.Kind, s) }

// today returns the route of a session that begins now as one of kind k; nil if it is not recorded.
func (r *Router) today(k sessions.Kind, s *sessions.Session) *preparedRoute {
	if text := (*r.decide.Load())(k, s); text != "" {
		return r.prepare(text)
	}
	return nil
}

// Adopt returns the routes of sessions that were stored without one. It is like Route, except that
// a session continues in the queue where its newest record waits, whatever its list is now. It
// reads all queues.
func (r *Router) Adopt(old []*sessions.Session) ([]string, error) {
	n, err := findNewest(old, r.store)
	if err != nil {
		return nil, err
	}
	type key struct {
		today   string
		pending int
	}
	adopted, texts := map[key]string{}, make([]string, len(old))
	for i, s := range old {
		k := key{r.Route(s), n.found[i].pending}
		text, ok := adopted[k]
		if !ok {
			var today *Route
			if to := r.today(s.Kind, s); to != nil {
				today = to.route
			}
			if to := n.pending[k.pending].adoptedRoute(today); to != nil {
				text = to.Text()
			}
			adopted[k] = text
		}
		texts[i] = text
	}
	return texts, nil
}

// prepare returns the prepared route of a text. It returns nil if the text cannot be parsed, and
// logs that once.
func (r *Router) prepare(text string) *preparedRoute {
	if to, ok := (*r.routes.Load())[text]; ok {
		return to
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before := *r.routes.Load()
	if to, ok := before[text]; ok {
		return to
	}
	var to *preparedRoute
	if route, err := ParseRoute(text); err == nil {
		to = &preparedRoute{
			text: text, route: route, kind: kindOf(route.List),
			branches: route.branches(), alone: route.alone(), methods: methodTexts(route.Methods),
		}
	} else {
		r.logger.Error("route of a session cannot be read; its records use its present list", "err", err)
	}
	known := maps.Clone(before)
	known[text] = to
	r.routes.Store(&known)
	return to
}

// RouterStats are the counters of a Router since it was created.
type RouterStats struct {
	Records uint64 `json:"records"` // records committed
	Resyncs uint64 `json:"resyncs"` // of these, how many a resync has made

	// Attributes of NASes that were left out, by reason, see [Dropped].
	DroppedAttributes   uint64 `json:"tooLarge"` // their record did not fit into a RADIUS packet
	EmptyAttributes     uint64 `json:"empty"`
	RepeatedAttributes  uint64 `json:"repeated"`
	ForbiddenAttributes uint64 `json:"forbidden"`
}

// Stats returns the counters.
func (r *Router) Stats() RouterStats {
	return RouterStats{
		Records:             r.records.Load(),
		Resyncs:             r.resyncs.Load(),
		DroppedAttributes:   r.tooLarge.total.Load(),
		EmptyAttributes:     r.empty.total.Load(),
		RepeatedAttributes:  r.repeated.total.Load(),
		ForbiddenAttributes: r.forbidden.total.Load(),
	}
}

// Accepting is [store.Store.Accepting].
func (r *Router) Accepting() error { return r.store.Accepting() }

// AfterBatch is [store.Store.AfterBatch].
func (r *Router) AfterBatch(fn func()) { r.store.AfterBatch(fn) }

// Commit composes the records of a change and commits them with its state.
func (r *Router) Commit(c sessions.Change, done func(error)) {
	if done == nil {
		done = func(error) {}
	}
	d := r.drafts.Get().(*draft)
	for _, p := range c.State {
		d.puts = append(d.puts, store.Put(p))
	}
	for i := range c.Notices {
		r.record(d, &c.Notices[i])
	}
	r.store.Commit(store.Change{Puts: d.puts, Appends: d.appends, Patient: c.Patient}, done)
	clear(d.puts) // so that the values can be freed before the draft is
	clear(d.appends)
	d.puts, d.appends, d.buf = d.puts[:0], d.appends[:0], d.buf[:0]
	r.drafts.Put(d)
}

// ownRoute returns the route of a session, nil if it has none.
func (r *Router) ownRoute(s *sessions.Session) *preparedRoute {
	text := s.Route.String()
	if text == "" {
		return nil
	}
	if own := r.prepare(text); own != nil {
		return own
	}
	return r.today(s.Kind, s)
}

// routeOf returns the route that a notice's record uses, nil if it is not recorded. The package
// comment has the rules for a [sessions.Other].
func (r *Router) routeOf(n *sessions.Notice) *preparedRoute {
	s := n.Session
	own := r.ownRoute(s)
	if own != nil && own.route.Record.includes(n) {
		return own
	}
	if n.Type != sessions.Other || s.ID != 0 && s.Kind == sessions.Network {
		return nil
	}
	network := r.today(sessions.Network, s)
	if network == nil || !network.route.Record.includes(n) {
		return nil
	}
	return cmp.Or(own, network)
}

// isNullUsername reports whether a notice is of a session that has no User-Name, or an empty one,
// and brings none. An Other of no session is not: it is about no user. Neither is a packet after the
// session's end, because a long User-Name is forgotten then.
func isNullUsername(n *sessions.Notice) bool {
	s := n.Session
	forgotten := n.AfterEnd || s.Revived() != 0
	return s.ID != 0 && !forgotten && s.User() == "" && n.Attrs.Text(radius.UserName) == "" && s.Granted().Text(radius.UserName) == ""
}

// waitsForAddress reports whether a notice is of a start of a network session that lives and whose
// user has no address yet. That of a resync waits only while the session's own start may wait.
func waitsForAddress(n *sessions.Notice) bool {
	s := n.Session
	return n.Type == sessions.Start && s.Kind == sessions.Network && !n.AfterEnd && !HasAddress(n.Attrs) && !HasAddress(s.Attrs) && !grantsAddress(s.Granted())
}

// record adds the records of a notice, one for each branch of its route, if it has any.
func (r *Router) record(d *draft, n *sessions.Notice) {
	to := r.routeOf(n)
	if to == nil || to.route.SuppressNullUsername && isNullUsername(n) || r.isUnwantedNewInfo(to.route, n) {
		r.offer(n, to, 0)
		return
	}
	branches := to.branchesFor(n)
	if len(branches) == 0 {
		return
	}
	r.offer(n, to, len(branches))
	rec := Record{
		Session: n.Session.ID, Type: n.Type, Resync: n.Only != "", At: n.At,
		Lane: n.Session.Parent(), // so a stop of the parent is sent after those of its children
		// The packet has it as the NAS sent it; an ended session may have it in shortened form.
		NASSession: cmp.Or(n.Attrs.Text(radius.AcctSessionID), n.Session.AcctSessionID()),
	}
	if n.Type == sessions.Other {
		if rec.Session == 0 {
			rec.Session = placeholderID(n.Session)
		} else {
			rec.Renamed = n.Session.Name() != rec.Session.String()
		}
	}
	if to.route.DelayStart > 0 && waitsForAddress(n) {
		rec.Hold = to.route.DelayStart
	}
	first, start := &branches[0], len(d.buf)
	d.buf = appendHead(d.buf, &rec, to.kind)
	headEnd := len(d.buf)
	d.buf = append(d.buf, first.tail...)
	restStart := len(d.buf)
	d.buf = appendNASSession(d.buf, d.buf[start], rec.NASSession)
	attrs := len(d.buf) + 2
	var dropped Dropped
	d.buf, dropped = Compose(append(d.buf, 0, 0), n)
	binary.BigEndian.PutUint16(d.buf[attrs-2:], uint16(len(d.buf)-attrs))
	end := len(d.buf)
	d.append(first.queue, start)
	for i := range branches[1:] {
		other, begin := &branches[i+1], len(d.buf)
		d.buf = append(d.buf, d.buf[start:headEnd]...)
		d.buf = append(d.buf, other.tail...)
		d.buf = append(d.buf, d.buf[restStart:end]...)
		d.append(other.queue, begin)
	}
	r.records.Add(uint64(len(branches)))
	if n.Only != "" {
		r.resyncs.Add(1)
	}
	if dropped != (Dropped{}) {
		r.leftOut(&r.tooLarge, dropped.TooLarge, n, "accounting record too large, attributes left out")
		r.leftOut(&r.empty, dropped.Empty, n, "empty attributes left out of an accounting record")
		r.leftOut(&r.repeated, dropped.Repeated, n, "attributes that came more often than allowed left out of an accounting record")
		r.leftOut(&r.forbidden, dropped.Forbidden, n, "attributes that no accounting record may have left out")
	}
}

// append adds the record that begins at start in the buffer and ends with it.
func (d *draft) append(queue string, start int) {
	d.appends = append(d.appends, store.Append{Queue: queue, Data: d.buf[start:len(d.buf):len(d.buf)]})
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
		session = n.Session.AcctSessionID()
	}
	args := []any{
		"session", session, "nas", n.Session.NAS.String(), "attribute", r.attributeName(dropped),
		"dropped", dropped.Count, "dropped_total", total,
	}
	if client := r.clientName(n.Session.NAS.Addr); client != "" {
		args = append(args, "client", client)
	}
	r.logger.Warn(msg, args...)
}

// attributeName returns the name of the first attribute that was left out.
func (r *Router) attributeName(dropped Drop) string {
	for p := range r.dictionary.Load().Print(radius.Attributes(radius.AppendAttribute(nil, dropped.First, dropped.Value))) {
		return p.Name
	}
	return ""
}
