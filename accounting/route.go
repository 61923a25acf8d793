package accounting

import (
	"fmt"
	"slices"
	"time"

	"aaasess/sessions"
	"aaasess/store"
)

// Route says where the records of a session go. It comes from the method list at the session's
// first packet and must not be changed. A session whose records go nowhere has no route.
type Route struct {
	List   string     // accounting type and name of the list, "network/default"; 1 to 255 octets
	Record RecordType // start-stop, stop-only or stop-failure
	// Reason says for people why the session has this list; at most 255 octets. It is "" if the
	// name of the list says it.
	Reason string
	// Broadcast sends each record to all methods. Without it the methods are tried in order, and
	// the records wait in the queue of the first.
	Broadcast bool
	// InterimsToFirst sends the interims of a broadcast only to the first method (S1 "SSG
	// Restriction"). Events other than start, interim and stop are broadcast.
	InterimsToFirst bool
	// SuppressNullUsername makes no records of the session as long as it has no User-Name, or an
	// empty one (R48). Once a packet has brought a User-Name, records are made.
	SuppressNullUsername bool
	// DelayStart is how long the start waits for the address of the user, if it has none (R45a); 0
	// means not at all. It counts in milliseconds.
	DelayStart time.Duration
	Methods    []MethodName // 1 to 255
}

// The first octet of a route. The package comment describes the layouts.
const (
	routePlain   = 1 // without Reason and flags
	routeVersion = 2
)

// The flags of a route.
const (
	flagBroadcast            = 1
	flagInterimsToFirst      = 2 // only with flagBroadcast
	flagSuppressNullUsername = 4
	flagDelayStart           = 8 // DelayStart is at the end

	allFlags = flagBroadcast | flagInterimsToFirst | flagSuppressNullUsername | flagDelayStart
)

// flags returns the flags of the route.
func (r *Route) flags() (flags byte) {
	for _, f := range []struct {
		is   bool
		flag byte
	}{
		{r.Broadcast, flagBroadcast},
		{r.Broadcast && r.InterimsToFirst, flagInterimsToFirst},
		{r.SuppressNullUsername, flagSuppressNullUsername},
		{r.DelayStart > 0, flagDelayStart},
	} {
		if f.is {
			flags |= f.flag
		}
	}
	return flags
}

// Text returns the route as sessions store it, for [ParseRoute].
func (r *Route) Text() string {
	flags := r.flags()
	if r.Reason == "" && flags == 0 {
		return string(appendRoute([]byte{routePlain, byte(r.Record)}, r.List, r.Methods))
	}
	b := appendName(appendRoute([]byte{routeVersion, byte(r.Record), flags}, r.List, r.Methods), r.Reason)
	if r.DelayStart > 0 {
		b = appendHold(b, r.DelayStart)
	}
	return string(b)
}

// ParseRoute parses what [Route.Text] returned, and nothing else. Its errors wrap [ErrRoute].
func ParseRoute(text string) (*Route, error) {
	d := newDecoder(text)
	version := d.Octet()
	if version != routePlain && version != routeVersion {
		return nil, fmt.Errorf("%w: unknown version %d", ErrRoute, version)
	}
	r, flags := &Route{Record: RecordType(d.Octet())}, byte(0)
	if version == routeVersion {
		flags = d.Octet()
		r.Broadcast, r.InterimsToFirst = flags&flagBroadcast != 0, flags&flagInterimsToFirst != 0
		r.SuppressNullUsername = flags&flagSuppressNullUsername != 0
	}
	r.List, r.Methods = d.route()
	if version == routeVersion {
		r.Reason = d.name()
	}
	if flags&flagDelayStart != 0 {
		r.DelayStart = time.Duration(d.Uint32()) * time.Millisecond
		d.Require(r.DelayStart > 0)
	}
	switch {
	case !d.OK():
		return nil, fmt.Errorf("%w: it ends early, after %d octets", ErrRoute, len(text))
	case len(d.Rest()) > 0:
		return nil, fmt.Errorf("%w: %d octets follow its end", ErrRoute, len(d.Rest()))
	case flags > allFlags || r.InterimsToFirst && !r.Broadcast:
		return nil, fmt.Errorf("%w: unknown flags %#x", ErrRoute, flags)
	case version == routeVersion && r.Reason == "" && flags == 0:
		return nil, fmt.Errorf("%w: version %d has no need", ErrRoute, version)
	case r.Record == None || r.Record > StopFailure:
		return nil, fmt.Errorf("%w: record type %s is not allowed", ErrRoute, r.Record)
	case r.List == "" || len(r.Methods) == 0:
		return nil, fmt.Errorf("%w: list %q has %d methods", ErrRoute, r.List, len(r.Methods))
	}
	for i, m := range r.Methods {
		if err := m.Check(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRoute, err)
		}
		if slices.Contains(r.Methods[:i], m) {
			return nil, fmt.Errorf("%w: method %q is listed twice", ErrRoute, string(m))
		}
	}
	return r, nil
}

// RouteList returns the name and record type of the list that a route came from, without parsing the
// rest. text is the result of [Route.Text].
func RouteList(text string) (list string, record RecordType, ok bool) {
	d := newDecoder(text)
	version := d.Octet()
	record = RecordType(d.Octet())
	if version == routeVersion {
		d.Octet() // flags
	}
	list = d.name()
	return list, record, d.OK() && list != "" && (version == routePlain || version == routeVersion)
}

// branch is a queue that gets each record of a route.
type branch struct {
	queue string
	// tail has the octets of each record in this queue between its head and what follows its route.
	tail []byte
}

// branches returns one branch for each method of a broadcast, else one for all methods.
func (r *Route) branches() []branch {
	if r.Broadcast {
		return r.alone()
	}
	return []branch{{r.Methods[0].Queue(), appendRoute(nil, r.List, r.Methods[1:])}}
}

// pendingRoute is the queue, list and further methods of the newest waiting record of a session
// that was stored without a route.
type pendingRoute struct {
	method MethodName // its queue
	list   string
	next   []MethodName
}

// adoptedRoute returns the route of a session that was stored without one. today is the route that
// a new session gets, nil for none. The result is today, unless a record waits in another queue.
// Later records must stand behind that record, so then its method comes first. A broadcast has no
// such order.
func (p *pendingRoute) adoptedRoute(today *Route) *Route {
	if p == nil || today != nil && (today.Broadcast || today.Methods[0] == p.method) {
		return today
	}
	r := &Route{List: p.list, Record: StartStop, Methods: []MethodName{p.method}}
	others := p.next
	if today != nil {
		r.List, r.Record, others = today.List, today.Record, today.Methods
	}
	for _, m := range others {
		if !slices.Contains(r.Methods, m) && len(r.Methods) < 255 {
			r.Methods = append(r.Methods, m)
		}
	}
	return r
}

// methodOf returns the method of a queue; false if the queue belongs to no method.
func methodOf(queue string) (MethodName, bool) {
	m := MethodOf(queue)
	return m, m.Check() == nil && m.Queue() == queue
}

// newestRecords finds the newest waiting record of each of some sessions.
type newestRecords struct {
	store   *store.Store
	index   map[sessions.ID]int // index in found
	found   []foundRecord
	pending []*pendingRoute // distinct ones of the records found; the first stands for none
}

type foundRecord struct {
	seq     uint64
	at      int64 // Record.At, nanoseconds since 1970
	pending int   // index in newestRecords.pending
}

// findNewest reads the heads of all records in the queues of methods, which may be tens of
// millions.
func findNewest(old []*sessions.Session, st *store.Store) (*newestRecords, error) {
	n := &newestRecords{store: st, index: make(map[sessions.ID]int, len(old)), found: make([]foundRecord, len(old)), pending: []*pendingRoute{nil}}
	for i, s := range old {
		n.index[s.ID] = i
	}
	for _, q := range st.Queues() {
		m, ok := methodOf(q.Name)
		if !ok || q.Len == 0 {
			continue
		}
		if err := n.searchQueue(m); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// searchQueue reads the queue of a method.
func (n *newestRecords) searchQueue(m MethodName) error {
	known := map[string]int{}
	var entries []store.Entry
	for from := uint64(0); ; {
		var err error
		if entries, err = n.store.Read(m.Queue(), from, 2048, entries[:0]); err != nil {
			return fmt.Errorf("accounting: find the routes of stored sessions: %w", err)
		}
		if len(entries) == 0 {
			return nil
		}
		for i := range entries {
			n.consider(m, &entries[i], known)
		}
		from = entries[len(entries)-1].Seq + 1
	}
}

// consider keeps a record if it is the newest of its session. known maps the octets of a list and
// methods to an index in pending, for this queue.
func (n *newestRecords) consider(m MethodName, e *store.Entry, known map[string]int) {
	h, ok := PeekRecord(e.Data)
	if !ok {
		return
	}
	i, ok := n.index[h.Session]
	if !ok {
		return
	}
	route, ok := recordRoute(e.Data)
	if !ok {
		return
	}
	candidate := foundRecord{seq: e.Seq, at: h.At, pending: known[string(route)]}
	if previous := n.found[i]; previous.pending != 0 && (previous.at > candidate.at || previous.at == candidate.at && previous.seq > candidate.seq) {
		return
	}
	if h.Type == sessions.Other {
		if r, err := ParseRecord(e.Data); err != nil || r.Number() != h.Session {
			return // its placeholder equals the number of the session
		}
	}
	if candidate.pending == 0 {
		w := &pendingRoute{method: m}
		d := newDecoder(string(route))
		w.list, w.next = d.route()
		candidate.pending = len(n.pending)
		n.pending = append(n.pending, w)
		known[string(route)] = candidate.pending
	}
	n.found[i] = candidate
}

// recordRoute returns the octets of a record's list and methods, without parsing the rest.
func recordRoute(b []byte) (route []byte, ok bool) {
	begin := headLen
	if len(b) > 0 && b[0] >= recordExtended {
		begin += extensionLen
	}
	if len(b) <= begin {
		return nil, false
	}
	end := begin + 1 + int(b[begin]) // end of the list's name, where the number of methods follows
	if end >= len(b) {
		return nil, false
	}
	methods := int(b[end])
	for end++; methods > 0; methods-- {
		if end >= len(b) {
			return nil, false
		}
		end += 1 + int(b[end])
	}
	if end > len(b) {
		return nil, false
	}
	return b[begin:end], true
}
