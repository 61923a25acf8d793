package sessions

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"

	"aaasess/internal/radius"
)

// nesting is nested accounting (R50; S1 and S2 "aaa accounting nested"): the network session that a
// user starts from an exec session is the child of that session, and the stops of the parent are
// recorded after those of its children. Table.mu guards all but on.
//
// If a parent ends while a child lives, its row ends, but its stop waits in the durable state. It is
// recorded in the commit that ends the last child, or by Run when it has waited for nestedWait. If the
// parent turns out to be alive, its stop is recorded before the event that shows it.
type nesting struct {
	on       atomic.Bool
	execs    nameIndex            // the live exec sessions by NAS, port and user
	children map[ID]int           // how many live children a session has
	waiting  map[ID]*waitingStops // by parent
	order    []waitingStop        // when they are recorded at the latest, oldest first; some may be released
}

// waitingStops are the stops of a parent that wait for its children: mostly one. A NAS may send a
// later one that differs.
type waitingStops struct {
	until Stamp    // when they are recorded at the latest
	data  []string // each as it is stored
}

type waitingStop struct {
	id    ID
	until Stamp
}

// nestedWait is how long the stop of a parent waits for the stops of its children.
const nestedWait = time.Minute

func newNesting() nesting {
	return nesting{execs: newNameIndex(0), children: map[ID]int{}, waiting: map[ID]*waitingStops{}}
}

// SetNested says whether network sessions that begin from now on become children of the exec session
// from which their user has started them. Those that have begun stay as they are. The default is no.
func (t *Table) SetNested(on bool) { t.nesting.on.Store(on) }

// portTypes are the attributes that tell the port of a session. One that is equal suffices: IOS calls
// the line of an exec session tty1, and that of the PPP session on it Async1.
var portTypes = [...]radius.Type{radius.NASPort, radius.NASPortID}

// ports returns hashes of what a session has of portTypes, each with its user; 0 for what it does not
// have, or if it has no user.
func (s *Session) ports() (hashes [len(portTypes)]uint64) {
	user := s.Attrs.Text(radius.UserName)
	for i, t := range portTypes {
		if v, has := s.Attrs.Get(t); has && user != "" {
			hashes[i] = fnv(attributeHash(t, v), user)
		}
	}
	return hashes
}

// nest makes a session that begins with an event the child of the live exec session of the same NAS,
// port and User-Name, the newest if there are several. A session without records is neither parent
// nor child.
func (t *Table) nest(s *Session, ev *Event) {
	if !t.nesting.on.Load() || s.Kind != Network || s.Route == nil {
		return
	}
	var parent *Session
	var room [16]ID
	for i, port := range s.ports() {
		if port == 0 {
			continue
		}
		for _, id := range t.nesting.execs.find(&t.nases, ev, port, room[:0]) {
			o := t.rows.get(id)
			_, ok := ev.matches(o.node)
			if ok && o.Attrs.Same(s.Attrs, radius.UserName) && o.Attrs.Same(s.Attrs, portTypes[i]) && o.Route != nil && !t.closings.anyCovers(o) &&
				(parent == nil || o.Started > parent.Started) {
				parent = o
			}
		}
	}
	if parent != nil {
		s.SetParent(parent.ID)
	}
}

// needs reports whether the number of a session that has ended must not be given again: it has children
// that live, or stops that wait.
func (ns *nesting) needs(id ID) bool { return ns.children[id] > 0 || ns.waiting[id] != nil }

// updateNesting keeps count of a row: was is its state before, nil if it is new, s its state now, nil
// if it has ended.
func (t *Table) updateNesting(was, s *Session) {
	if was != nil && s != nil && was.Kind == s.Kind && was.node == s.node && was.Attrs == s.Attrs {
		return
	}
	if was != nil && was.Kind == Exec {
		for _, port := range was.ports() {
			if port != 0 {
				t.nesting.execs.remove(was.node, port, was.ID)
			}
		}
	}
	if s != nil && s.Kind == Exec {
		for _, port := range s.ports() {
			if port != 0 {
				t.nesting.execs.add(s.node, port, s.ID)
			}
		}
	}
	switch {
	case was == nil && s.Parent() != 0:
		t.nesting.children[s.Parent()]++
	case s == nil && was.Parent() != 0:
		if t.nesting.children[was.Parent()]--; t.nesting.children[was.Parent()] == 0 {
			delete(t.nesting.children, was.Parent())
		}
	}
}

// recordStop adds a stop to a change: as a record, or if the session has children that live, as one
// that waits. If it is the stop of the last child, the stops of the parent follow.
func (t *Table) recordStop(c *Change, n Notice) {
	if t.nesting.children[n.Session.ID] == 0 {
		c.Notices = append(c.Notices, n)
	} else {
		t.keepStop(c, &n)
	}
	if parent := n.Session.Parent(); parent != 0 && t.nesting.children[parent] == 0 {
		t.releaseStops(c, parent)
	}
}

// keepStop lets a stop wait for the children of its session.
func (t *Table) keepStop(c *Change, n *Notice) {
	id := n.Session.ID
	w := t.nesting.waiting[id]
	if w == nil {
		w = &waitingStops{until: t.clock.now().Add(nestedWait)}
		t.nesting.waiting[id] = w
		if t.nesting.order = append(t.nesting.order, waitingStop{id, w.until}); len(t.nesting.order) == 1 {
			t.wakeRun()
		}
	}
	data := appendWaiting(nil, w.until, n)
	c.State = append(c.State, Put{Key: waitingKey(id, len(w.data)), Value: data})
	w.data = append(w.data, string(data))
	if r := n.Session.Route; r != nil {
		r.live++
	}
}

// StopWaits returns until when the stop of a session that has ended waits for those of its children at
// the latest; false if none waits.
func (t *Table) StopWaits(id ID) (until time.Time, waits bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.nesting.waiting[id]
	if w == nil {
		return time.Time{}, false
	}
	return t.clock.date(w.until), true
}

// WaitingStops returns how many stops of ended sessions wait for those of their children.
func (t *Table) WaitingStops() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range t.nesting.waiting {
		n += len(w.data)
	}
	return n
}

// releaseStops records the stops of a session that wait, if there are any.
func (t *Table) releaseStops(c *Change, id ID) {
	w := t.nesting.waiting[id]
	if w == nil {
		return
	}
	delete(t.nesting.waiting, id)
	for i, data := range w.data {
		_, n, _ := parseWaiting(id, []byte(data), &t.routes) // no error: we have written it
		if r := n.Session.Route; r != nil {
			r.live--
		}
		c.Notices = append(c.Notices, n)
		c.State = append(c.State, Put{Key: waitingKey(id, i)})
	}
}

// overdue returns sessions whose stops have waited long enough, and when the next ones have; 0 if
// none wait.
func (ns *nesting) overdue(now Stamp) (ids []ID, next Stamp) {
	isOver := func(o waitingStop) bool { // released, or they have begun to wait again since
		w := ns.waiting[o.id]
		return w == nil || w.until != o.until
	}
	for len(ns.order) > 0 && isOver(ns.order[0]) {
		ns.order = ns.order[1:]
	}
	for _, o := range ns.order {
		if next = o.until; next > now || len(ids) == closeChunk {
			return ids, next
		}
		if !isOver(o) {
			ids = append(ids, o.id)
		}
	}
	return ids, next
}

// releaseOverdue records the stops that have waited long enough.
func (t *Table) releaseOverdue(ctx context.Context) {
	t.untilDurable(ctx, func(done func(error)) error {
		t.mu.Lock()
		defer t.mu.Unlock()
		if err := t.Accepting(); err != nil {
			return err
		}
		var c Change
		ids, _ := t.nesting.overdue(t.clock.now())
		for _, id := range ids {
			t.releaseStops(&c, id)
		}
		t.commit(c, done)
		return nil
	})
}

// load adds the stops that waited when the state was stored. The routes have their texts.
func (ns *nesting) load(stored []loadedStop) {
	slices.SortFunc(stored, func(a, b loadedStop) int {
		return cmp.Or(cmp.Compare(a.until, b.until), cmp.Compare(a.id, b.id), cmp.Compare(a.index, b.index))
	})
	for _, l := range stored {
		w := ns.waiting[l.id]
		if w == nil {
			w = &waitingStops{until: l.until}
			ns.waiting[l.id] = w
			ns.order = append(ns.order, waitingStop{l.id, l.until})
		}
		w.data = append(w.data, l.data)
		if l.route != nil {
			l.route.live++
		}
	}
}

// loadedStop is a stop that waits, as read.
type loadedStop struct {
	id    ID
	index uint32
	until Stamp
	data  string
	route *Route
}

// waitingKey returns the key of one of the stops of a session that wait, by its index.
func waitingKey(id ID, index int) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("w"), uint32(id)), uint32(index))
}

func parseWaitingKey(key []byte) (id ID, index uint32, ok bool) {
	if len(key) != 9 || key[0] != 'w' {
		return 0, 0, false
	}
	id = ID(binary.BigEndian.Uint32(key[1:]))
	return id, binary.BigEndian.Uint32(key[5:]), id != 0
}

// appendWaiting appends a stop that waits.
func appendWaiting(b []byte, until Stamp, n *Notice) []byte {
	flags := byte(0)
	if n.AfterEnd {
		flags = 1
	}
	b = binary.BigEndian.AppendUint64(append(b, waitingVersion), uint64(until))
	b = binary.AppendUvarint(append(b, flags), uint64(n.Cause))
	b = binary.BigEndian.AppendUint64(b, uint64(n.At.UnixNano()))
	b = binary.AppendUvarint(b, uint64(n.Lasted))
	b = appendText(b, string(n.Session.encode()))
	return appendText(b, string(n.Attrs))
}

// parseWaiting reads a stop of a session that waits, and until when.
func parseWaiting(id ID, b []byte, routes *routes) (until Stamp, n Notice, err error) {
	d := newDecoder(b)
	d.Require(d.Octet() == waitingVersion)
	until = d.stamp()
	flags := d.Octet()
	n = Notice{Type: Stop, Cause: d.Uvarint32(), AfterEnd: flags == 1}
	n.At = time.Unix(0, int64(d.Uint64()))
	n.Lasted = time.Duration(d.Uvarint())
	s, err := parseSession(id, []byte(d.text()), nil, routes)
	n.Session, n.Attrs = s.Session, radius.Attributes(d.text())
	d.Require(err == nil && flags <= 1 && n.Lasted >= 0 && n.Attrs.Valid())
	return until, n, d.end("a stop that waits")
}
