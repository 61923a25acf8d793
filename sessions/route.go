package sessions

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"
)

// Route says where the records of a session go. It is a text that only the [Journal] understands.
// All sessions with the same text share a Route. The first packet of a session decides its Route,
// which never changes. nil means that the records go nowhere.
type Route struct {
	number uint32 // stands for the text in the durable state; 0 outside of a table
	text   string
	live   int         // number of rows that have it; guarded by Table.mu
	stored atomic.Bool // the text is known to be durable
}

// NewRoute makes the Route of a [Session] that is in no table. The text must not be empty.
func NewRoute(text string) *Route { return &Route{text: text} }

// String returns the text, "" for nil.
func (r *Route) String() string {
	if r == nil {
		return ""
	}
	return r.text
}

// id returns the number, 0 for nil.
func (r *Route) id() uint32 {
	if r == nil {
		return 0
	}
	return r.number
}

// routes has the routes of a table, guarded by Table.mu. Stored sessions name a route by its
// number. Each change stores the text of a number until one such commit is durable, so a stored
// session never has a number without a text. The next Load removes unused numbers.
type routes struct {
	byText   map[string]*Route // for new sessions
	byNumber map[uint32]*Route
	last     uint32
	unsaved  []*Route
	unused   []Put // removes numbers that Load found unused
}

func newRoutes() routes {
	return routes{byText: map[string]*Route{}, byNumber: map[uint32]*Route{}}
}

// findOrAdd returns the route with this text, which may be new.
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

// byStoredNumber returns the route of a stored session. During Load its text may be missing.
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

// setTexts gives the routes of stored sessions the stored texts.
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

// appendUnsaved adds to a change the texts that are not known to be durable, and returns their
// routes. It also adds the removal of unused numbers.
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

// Routes returns the texts of the routes that rows have, sorted. It costs little.
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
		return "", fmt.Errorf("%w: route: %d octets of an unknown version", ErrState, len(b))
	}
	return string(b[1:]), nil
}
