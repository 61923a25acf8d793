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
	number uint32 // of its text in the durable state; 0 outside of a table
	text   string
	live   int         // how many rows have it; under Table.mu
	stored atomic.Bool // the text is durable, as far as is known
}

// NewRoute makes the Route of a [Session] that is in no table. The text must not be empty.
func NewRoute(text string) *Route { return &Route{text: text} }

// String is the text, "" for nowhere.
func (r *Route) String() string {
	if r == nil {
		return ""
	}
	return r.text
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
func (rs *routes) findOrAdd(text string) *Route {
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
func (rs *routes) byStoredNumber(number uint32) *Route {
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
func (rs *routes) setTexts(texts map[uint32]string) error {
	for number, text := range texts {
		rs.last = max(rs.last, number)
		r := rs.byNumber[number]
		if r == nil {
			rs.unused = append(rs.unused, Put{Key: routeKey(number)})
			continue
		}
		r.text = text
		r.stored.Store(true)
		rs.byText[text] = r
	}
	for number, r := range rs.byNumber {
		if r.text == "" {
			return fmt.Errorf("%w: a session has route %d, which has no text", ErrState, number)
		}
	}
	return nil
}

// save adds to a change the texts that are not known to be durable, which it returns, and what is unused.
func (rs *routes) appendUnsaved(c *Change) (routes []*Route) {
	c.State = append(c.State, rs.unused...)
	rs.unused = nil
	rs.unsaved = slices.DeleteFunc(rs.unsaved, func(r *Route) bool { return r.stored.Load() })
	for _, r := range rs.unsaved {
		c.State = append(c.State, Put{Key: routeKey(r.number), Value: appendRoute(nil, r.text)})
		routes = append(routes, r)
	}
	return routes
}

// Routes are the texts of the routes that rows have, in order. It costs next to nothing.
func (t *Table) Routes() (texts []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.routes.byNumber {
		if r.live > 0 {
			texts = append(texts, r.text)
		}
	}
	slices.Sort(texts)
	return texts
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
