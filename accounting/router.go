package accounting

import (
	"encoding/binary"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"aaasess/sessions"
	"aaasess/store"
)

// Router is the [sessions.Journal]: it turns notices into records for the first method of their
// list, and commits them together with the state that caused them. All methods may be called by any
// number of goroutines; the order of commits is that of the calls.
type Router struct {
	store  *store.Store
	logger *slog.Logger
	routes atomic.Pointer[routes]
	spare  sync.Pool // of *draft

	records                              atomic.Uint64
	tooLarge, empty, repeated, forbidden drops
}

// drops counts the attributes that were left out of records for one reason.
type drops struct {
	total  atomic.Uint64
	warned atomic.Int64 // when one was last logged, Unix seconds
}

// routes is a policy made ready: by kind, for as many as there are.
type routes [sessions.Connection + 1]*route

type route struct {
	record RecordType
	queue  string // of the first method
	tail   []byte // of each record, between its head and its attributes
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
	r.routes.Store(&routes{})
	r.spare.New = func() any { return &draft{} }
	return r
}

// SetPolicy makes a policy the one for all events to come, or returns what Validate finds wrong
// with it and changes nothing. Records that were made before keep the methods that they have.
func (r *Router) SetPolicy(p *Policy) error {
	if err := p.Validate(); err != nil {
		return err
	}
	var made routes
	for k, l := range p.Lists {
		if l == nil || l.Record == None {
			continue
		}
		made[k] = &route{
			record: l.Record,
			queue:  l.Methods[0].Queue(),
			tail:   appendRoute(nil, listName(k, l), l.Methods[1:]),
		}
	}
	r.routes.Store(&made)
	return nil
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
	routes := r.routes.Load()
	for i := range c.Notices {
		r.record(d, routes, &c.Notices[i])
	}
	r.store.Commit(store.Change{Puts: d.puts, Appends: d.appends}, done)
	clear(d.puts) // else the values live as long as the draft
	clear(d.appends)
	d.puts, d.appends, d.buf = d.puts[:0], d.appends[:0], d.buf[:0]
	r.spare.Put(d)
}

// record adds the record of a notice, if its list says that there is one.
func (r *Router) record(d *draft, routes *routes, n *sessions.Notice) {
	kind := kindOf(n)
	if int(kind) >= len(routes) {
		return
	}
	to := routes[kind]
	if to == nil || !to.record.records(n.Type) {
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
	now, last := time.Now().Unix(), reason.warned.Load()
	if now-last < 60 || !reason.warned.CompareAndSwap(last, now) {
		return
	}
	session := n.Session.ID.String()
	if n.Session.ID == 0 {
		session = n.Session.AcctSessionID
	}
	r.logger.Warn(msg, "session", session, "nas", n.Session.NAS.String(), "attribute", AttributeName(dropped.First),
		"dropped", dropped.Count, "dropped_total", total)
}
