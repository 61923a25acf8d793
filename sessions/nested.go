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
// recorded in the commit that ends the last child, or by Run when it has waited for nestedWait.
type nesting struct {
	on       atomic.Bool
	execs    nameIndex            // the live exec sessions by NAS, port and user
	children map[ID]int           // how many live children a session has
	waiting  map[ID]*waitingStops // by parent
	order    []waitingStop        // when they are recorded at the latest, oldest first
}

// waitingStops are the stops of a parent that wait for its children: mostly one. A NAS may send a
// later one that differs.
type waitingStops struct {
	until Stamp  // when they are recorded at the latest
	n     int    // how many there are
	data  string // as it is stored
}

type waitingStop struct {
	id    ID
	until Stamp
}

const (
	// nestedWait is how long the stop of a parent waits for the stops of its children.
	nestedWait = time.Minute
	// maxWaiting is how many stops of a session wait at most. One more releases all of them, so a NAS
	// that sends stops without end costs little.
	maxWaiting = 4
)

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
	for i, t := range portTypes {
		if v, has := s.Attrs.Get(t); has && s.User != "" {
			hashes[i] = fnv(attributeHash(t, v), s.User)
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
			if ok && o.User == s.User && o.Attrs.Same(s.Attrs, portTypes[i]) && o.Route != nil && !t.closings.anyCovers(o) &&
				(parent == nil || o.Started > parent.Started) {
				parent = o
			}
		}
	}
	if parent != nil {
		s.Parent = parent.ID
	}
}

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
	case was == nil && s.Parent != 0:
		t.nesting.children[s.Parent]++
	case s == nil && was.Parent != 0:
		if t.nesting.children[was.Parent]--; t.nesting.children[was.Parent] == 0 {
			delete(t.nesting.children, was.Parent)
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
	if parent := n.Session.Parent; parent != 0 && t.nesting.children[parent] == 0 {
		t.releaseStops(c, parent)
	}
}

// keepStop lets a stop wait for the children of its session.
func (t *Table) keepStop(c *Change, n *Notice) {
	id := n.Session.ID
	w := t.nesting.waiting[id]
	if w != nil && w.n == maxWaiting {
		t.releaseStops(c, id)
		c.Notices = append(c.Notices, *n)
		return
	}
	if w == nil {
		w = &waitingStops{until: t.clock.now().Add(nestedWait)}
		w.data = string(appendWaiting(nil, w.until))
		t.nesting.waiting[id] = w
		if t.nesting.order = append(t.nesting.order, waitingStop{id, w.until}); len(t.nesting.order) == 1 {
			t.wakeRun()
		}
	}
	w.n++
	w.data += string(appendStop(nil, n))
	c.State = append(c.State, Put{Key: waitingKey(id), Value: []byte(w.data)})
	if r := n.Session.Route; r != nil {
		r.live++
	}
}

// releaseStops records the stops of a session that wait, if there are any.
func (t *Table) releaseStops(c *Change, id ID) {
	w := t.nesting.waiting[id]
	if w == nil {
		return
	}
	delete(t.nesting.waiting, id)
	_, stops, _ := parseWaiting(id, []byte(w.data), &t.routes) // no error: we have written it
	for _, n := range stops {
		if r := n.Session.Route; r != nil {
			r.live--
		}
	}
	c.Notices = append(c.Notices, stops...)
	c.State = append(c.State, Put{Key: waitingKey(id)})
}

// overdue returns sessions whose stops have waited long enough, and when the next ones have; 0 if
// none wait.
func (ns *nesting) overdue(now Stamp) (ids []ID, next Stamp) {
	ns.order = slices.DeleteFunc(ns.order, func(o waitingStop) bool {
		w := ns.waiting[o.id]
		return w == nil || w.until != o.until
	})
	for _, o := range ns.order {
		if next = o.until; next > now || len(ids) == closeChunk {
			return ids, next
		}
		ids = append(ids, o.id)
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
func (ns *nesting) load(stored []loadedStops) {
	slices.SortFunc(stored, func(a, b loadedStops) int { return cmp.Compare(a.until, b.until) })
	for _, l := range stored {
		ns.waiting[l.id] = &waitingStops{until: l.until, n: len(l.stops), data: l.data}
		ns.order = append(ns.order, waitingStop{l.id, l.until})
		for _, n := range l.stops {
			if r := n.Session.Route; r != nil {
				r.live++
			}
		}
	}
}

// loadedStops are stops that wait, as read.
type loadedStops struct {
	id    ID
	until Stamp
	data  string
	stops []Notice
}

func waitingKey(id ID) []byte { return binary.BigEndian.AppendUint32([]byte("w"), uint32(id)) }

func parseWaitingKey(key []byte) (ID, bool) {
	if len(key) != 5 || key[0] != 'w' {
		return 0, false
	}
	id := ID(binary.BigEndian.Uint32(key[1:]))
	return id, id != 0
}

// appendWaiting appends what precedes the stops that wait.
func appendWaiting(b []byte, until Stamp) []byte {
	return binary.BigEndian.AppendUint64(append(b, waitingVersion), uint64(until))
}

func appendStop(b []byte, n *Notice) []byte {
	flags := byte(0)
	if n.AfterEnd {
		flags = 1
	}
	b = binary.AppendUvarint(append(b, flags), uint64(n.Cause))
	b = binary.BigEndian.AppendUint64(b, uint64(n.At.UnixNano()))
	b = binary.AppendUvarint(b, uint64(n.Lasted))
	b = appendText(b, string(n.Session.encode()))
	return appendText(b, string(n.Attrs))
}

// parseWaiting reads the stops of a session that wait, and until when.
func parseWaiting(id ID, b []byte, routes *routes) (until Stamp, stops []Notice, err error) {
	d := newDecoder(b)
	d.Require(d.Octet() == waitingVersion)
	until = d.stamp()
	for d.OK() && (len(stops) == 0 || len(d.Rest()) > 0) {
		flags := d.Octet()
		n := Notice{Type: Stop, Cause: d.Uvarint32(), AfterEnd: flags == 1}
		n.At = time.Unix(0, int64(d.Uint64()))
		n.Lasted = time.Duration(d.Uvarint())
		s, err := parseSession(id, []byte(d.text()), nil, routes)
		n.Attrs = radius.Attributes(d.text())
		d.Require(err == nil && flags <= 1 && n.Lasted >= 0 && n.Attrs.Valid())
		n.Session = s.Session
		stops = append(stops, n)
	}
	return until, stops, d.end("stops that wait")
}
