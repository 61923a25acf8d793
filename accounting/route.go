package accounting

import (
	"encoding/binary"
	"fmt"
	"slices"

	"aaasess/sessions"
	"aaasess/store"
)

// Route is where the records of a session go: what its list said when its first packet came. It does not change once
// it is made. A session whose records go nowhere has none.
type Route struct {
	List    string       // accounting type and name of the list, "network/default"; 1 to 255 octets
	Record  RecordType   // start-stop or stop-only
	Methods []MethodName // to try in turn, 1 to 255; the records stand in the queue of the first
}

// routeVersion is the first octet of a route; see the package comment for the layout.
const routeVersion = 1

// Text is the route as sessions carry it: what [ParseRoute] reads.
func (r *Route) Text() string {
	return string(appendRoute([]byte{routeVersion, byte(r.Record)}, r.List, r.Methods))
}

// ParseRoute reads what [Route.Text] made, and nothing else. Its errors wrap [ErrRoute].
func ParseRoute(text string) (*Route, error) {
	d := newDecoder(text)
	if v := d.Octet(); v != routeVersion {
		return nil, fmt.Errorf("%w: version %d", ErrRoute, v)
	}
	r := &Route{Record: RecordType(d.Octet())}
	r.List, r.Methods = d.route()
	switch {
	case !d.OK():
		return nil, fmt.Errorf("%w: %d octets are too few", ErrRoute, len(text))
	case len(d.Rest()) > 0:
		return nil, fmt.Errorf("%w: %d octets too many", ErrRoute, len(d.Rest()))
	case r.Record != StartStop && r.Record != StopOnly:
		return nil, fmt.Errorf("%w: %s", ErrRoute, r.Record)
	case r.List == "" || len(r.Methods) == 0:
		return nil, fmt.Errorf("%w: list %q with %d methods", ErrRoute, r.List, len(r.Methods))
	}
	for i, m := range r.Methods {
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRoute, err)
		}
		if slices.Contains(r.Methods[:i], m) {
			return nil, fmt.Errorf("%w: method %q twice", ErrRoute, string(m))
		}
	}
	return r, nil
}

// waiting is where a session of a store from before routes has its newest record, and how that goes on.
type waiting struct {
	method MethodName // whose queue it is
	list   string
	next   []MethodName
}

// after is the route of a session of before, by the route that a new one gets today, nil for none: that one, unless a
// record waits in another queue. What comes must stand behind it, so then its method is first.
func (w *waiting) after(today *Route) *Route {
	if w == nil || today != nil && today.Methods[0] == w.method {
		return today
	}
	r := &Route{List: w.list, Record: StartStop, Methods: []MethodName{w.method}}
	others := w.next
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

// methodOf is the method whose queue this is; false for other queues.
func methodOf(queue string) (MethodName, bool) {
	m := MethodOf(queue)
	return m, m.check() == nil && m.Queue() == queue
}

// newest looks for the newest waiting record of each of some sessions.
type newest struct {
	store  *store.Store
	at     map[sessions.ID]int // in found
	found  []foundRecord
	places []*waiting // that records have; the first stands for none
}

type foundRecord struct {
	seq   uint64
	at    int64 // its At, nanoseconds since 1970
	place int   // in places
}

// newestOf reads all queues of methods: the heads of the records that wait, which may be tens of millions.
func newestOf(old []*sessions.Session, st *store.Store) (*newest, error) {
	n := &newest{store: st, at: make(map[sessions.ID]int, len(old)), found: make([]foundRecord, len(old)), places: []*waiting{nil}}
	for i, s := range old {
		n.at[s.ID] = i
	}
	for _, q := range st.Queues() {
		m, ok := methodOf(q.Name)
		if !ok || q.Len == 0 {
			continue
		}
		if err := n.search(m); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// search looks through the queue of a method.
func (n *newest) search(m MethodName) error {
	places := map[string]int{}
	var entries []store.Entry
	for from := uint64(0); ; {
		var err error
		if entries, err = n.store.Read(m.Queue(), from, 2048, entries[:0]); err != nil {
			return fmt.Errorf("accounting: routes of sessions: %w", err)
		}
		if len(entries) == 0 {
			return nil
		}
		for i := range entries {
			n.take(m, &entries[i], places)
		}
		from = entries[len(entries)-1].Seq + 1
	}
}

// take notes a record if it is the newest of its session; places has those of the queue by their octets.
func (n *newest) take(m MethodName, e *store.Entry, places map[string]int) {
	id, at, route, ok := recordHead(e.Data)
	if !ok {
		return
	}
	i, ok := n.at[id]
	if !ok {
		return
	}
	is := foundRecord{seq: e.Seq, at: at, place: places[string(route)]}
	if was := n.found[i]; was.place != 0 && (was.at > is.at || was.at == is.at && was.seq > is.seq) {
		return
	}
	if sessions.EventType(e.Data[1]) == sessions.Other {
		if r, err := ParseRecord(e.Data); err != nil || r.Number() != id {
			return // of no session: it only looks like the number
		}
	}
	if is.place == 0 {
		w := &waiting{method: m}
		d := newDecoder(string(route))
		w.list, w.next = d.route()
		is.place = len(n.places)
		n.places = append(n.places, w)
		places[string(route)] = is.place
	}
	n.found[i] = is
}

// recordHead reads whose a record is, from when (nanoseconds since 1970), and the octets of its list and methods, without
// looking at the rest.
func recordHead(b []byte) (id sessions.ID, at int64, route []byte, ok bool) {
	const head = 14
	if len(b) <= head || b[0] != recordVersion {
		return 0, 0, nil, false
	}
	end := head + 1 + int(b[head]) // of the list's name, where the number of methods is
	if end >= len(b) {
		return 0, 0, nil, false
	}
	methods := int(b[end])
	for end++; methods > 0; methods-- {
		if end >= len(b) {
			return 0, 0, nil, false
		}
		end += 1 + int(b[end])
	}
	if end > len(b) {
		return 0, 0, nil, false
	}
	id, at = sessions.ID(binary.BigEndian.Uint32(b[2:])), int64(binary.BigEndian.Uint64(b[6:]))
	return id, at, b[head:end], true
}
