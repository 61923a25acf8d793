package sessions

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"
)

// Route says where the records of a session go: a text that only the [Journal] understands. All sessions with one
// text share a Route. A session gets it with its first packet and keeps it for life; nil is nowhere, for life too.
type Route struct {
	number uint32                 // of its text in the durable state; 0 outside of a table
	live   int                    // how many rows have it; under Table.mu
	text   atomic.Pointer[string] // only Table.Reroute replaces it
	stored atomic.Pointer[string] // the text that is durable, as far as is known
}

// NewRoute makes the Route of a [Session] that is in no table. The text must not be empty.
func NewRoute(text string) *Route {
	r := &Route{}
	r.text.Store(&text)
	return r
}

// String is the text, "" for nowhere.
func (r *Route) String() string {
	if r == nil {
		return ""
	}
	return *r.text.Load()
}

// id is the number, 0 for nowhere.
func (r *Route) id() uint32 {
	if r == nil {
		return 0
	}
	return r.number
}

// routes are those of a table, guarded by Table.mu. Each has a number, which stands for it in stored sessions. The text
// of a number is part of each change until a commit that has it is durable, so no stored session names a number that
// has none. A number that no session has any more goes at the next Load.
type routes struct {
	byText   map[string]*Route // what a new session gets
	byNumber map[uint32]*Route
	last     uint32
	unsaved  []*Route
	unused   []Put // removes what Load found unused
}

func newRoutes() routes {
	return routes{byText: map[string]*Route{}, byNumber: map[uint32]*Route{}}
}

// of finds or makes the route with a text.
func (rs *routes) of(text string) *Route {
	if text == "" {
		return nil
	}
	if r := rs.byText[text]; r != nil {
		return r
	}
	r := NewRoute(text)
	rs.last++
	r.number = rs.last
	rs.byText[text], rs.byNumber[r.number] = r, r
	rs.unsaved = append(rs.unsaved, r)
	return r
}

// numbered finds the route of a stored session. While a table is loaded it may have no text yet.
func (rs *routes) numbered(number uint32) *Route {
	if number == 0 {
		return nil
	}
	r := rs.byNumber[number]
	if r == nil {
		r = &Route{number: number}
		rs.byNumber[number] = r
	}
	return r
}

// fill gives the routes of stored sessions the texts that were stored.
func (rs *routes) fill(texts map[uint32]string) error {
	for number, text := range texts {
		rs.last = max(rs.last, number)
		r := rs.byNumber[number]
		if r == nil {
			rs.unused = append(rs.unused, Put{Key: routeKey(number)})
			continue
		}
		r.text.Store(&text)
		r.stored.Store(&text)
		rs.byText[text] = r
	}
	for number, r := range rs.byNumber {
		if r.text.Load() == nil {
			return fmt.Errorf("%w: a session has route %d, which has no text", ErrState, number)
		}
	}
	return nil
}

// written is a text that a change makes durable.
type written struct {
	route *Route
	text  *string
}

// save adds to a change the texts that are not known to be durable, and what is unused.
func (rs *routes) save(c *Change) (texts []written) {
	c.State = append(c.State, rs.unused...)
	rs.unused = nil
	if len(rs.unsaved) == 0 {
		return nil
	}
	rs.unsaved = slices.DeleteFunc(rs.unsaved, func(r *Route) bool { return r.stored.Load() == r.text.Load() })
	for _, r := range rs.unsaved {
		c.State = append(c.State, r.put())
		texts = append(texts, written{r, r.text.Load()})
	}
	return texts
}

func (r *Route) put() Put { return Put{Key: routeKey(r.number), Value: appendRoute(nil, r.String())} }

// Routes are the texts of the routes that rows have, in order. It costs next to nothing.
func (t *Table) Routes() (texts []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.routes.byNumber {
		if text := r.String(); r.live > 0 && text != "" {
			texts = append(texts, text)
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

// Reroute gives all sessions whose route has one text, live or remembered, another, for an operator who wants their
// records elsewhere; "" is nowhere. Sessions that begin later are not concerned. It returns how many rows have it.
//
// commit makes it durable: it gets what is to be put, and hands it to the journal's store in one change with what else
// must happen then, such as moving the records that wait. It runs under the table's lock, after the change in memory.
// So each record of these sessions by the old route was handed to the store before that change, and each by the new route comes
// after it. It must not wait, nor call the table. It is not called if no session has the old text. Until the change, or a
// later one of the table, which has the texts too, is durable, a crash brings the old route back.
func (t *Table) Reroute(from, to string, commit func([]Put)) (rows int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if from == "" || from == to {
		return 0
	}
	var puts []Put
	for _, r := range t.routes.byNumber {
		if r.String() != from {
			continue
		}
		r.text.Store(&to)
		if t.routes.byText[to] == nil && to != "" {
			t.routes.byText[to] = r
		}
		if !slices.Contains(t.routes.unsaved, r) {
			t.routes.unsaved = append(t.routes.unsaved, r)
		}
		puts = append(puts, r.put())
		rows += r.live
	}
	delete(t.routes.byText, from)
	if len(puts) > 0 {
		commit(puts)
	}
	return rows
}

func routeKey(number uint32) []byte { return binary.BigEndian.AppendUint32([]byte("r"), number) }

func parseRouteKey(key []byte) (number uint32, ok bool) {
	if len(key) != 5 || key[0] != 'r' {
		return 0, false
	}
	number = binary.BigEndian.Uint32(key[1:])
	return number, number != 0
}

func appendRoute(b []byte, text string) []byte { return append(append(b, routeVersion), text...) }

func parseRoute(b []byte) (string, error) {
	if len(b) == 0 || b[0] != routeVersion {
		return "", fmt.Errorf("%w: route of %d octets", ErrState, len(b))
	}
	return string(b[1:]), nil
}
