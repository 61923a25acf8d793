package sessions

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"aaasess/sessions/silence"
)

// loadBatch is how many sessions the reading goroutine hands over at a time.
const loadBatch = 1024

// loaded is the durable state as read.
type loaded struct {
	last       ID
	counters   Counters
	anchor     anchor
	hearing    silence.Time
	newest     Stamp // the latest time of any session
	ended      []stored
	live       chan []stored // in batches, in order of their ids
	spare      chan []stored // batches to use again
	closings   []*closing
	waiting    []loadedStop
	routes     routes
	routeTexts map[uint32]string // by route number
}

// Load fills an empty table with the durable state. each must call its argument for every key; keys
// of others are ignored. NASes and SNMP wait for Load, so two goroutines share the work.
func (t *Table) Load(each func(func(key, value []byte) error) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	got := loaded{live: make(chan []stored, 4), spare: make(chan []stored, 4), routes: newRoutes(), routeTexts: map[uint32]string{}}
	ended := make(chan error)
	go func() { ended <- got.read(each) }()
	var old []*Session // stored before routes existed
	var last lastNAS
	for batch := range got.live {
		room := 0
		for i, s := range batch {
			last.setNodes(t, s)
			s.node.liveCount++
			if i == 0 || batch[i-1].ID>>digitBits != s.ID>>digitBits {
				room = leafMates(batch[i:])
			}
			t.rowsOf(s.Kind).putRoom(s.Session, room)
			if s.beforeRoutes {
				old = append(old, s.Session)
			}
		}
		got.recycle(batch)
	}
	if err := <-ended; err != nil {
		return fmt.Errorf("sessions: load: %w", err)
	}
	if err := t.loadRoutes(&got, old); err != nil {
		return fmt.Errorf("sessions: load: %w", err)
	}
	t.indexLoaded()
	for s := range (&View{root: t.calls.root}).All() {
		t.updateLines(nil, s)
	}
	t.nesting.load(got.waiting)
	t.clock.resume(got.anchor, got.newest)
	t.hearing.Resume(got.hearing)
	t.hearing.stored = got.hearing
	slices.SortFunc(got.ended, func(a, b stored) int { return cmp.Compare(a.LastTraffic, b.LastTraffic) })
	for _, s := range got.ended {
		last.setNodes(t, s)
		if s.beforeRoutes {
			s.data = string(appendEnded(nil, s.Session))
		}
		t.remembered.add(s.Session, s.AcctSessionID(), s.data)
	}
	for _, m := range got.closings {
		t.resumeClosing(m)
	}
	t.last, t.counters, t.dirty = got.last, got.counters, false
	t.lastCounters = &got.counters
	t.durableCounters.Store(t.lastCounters)
	t.view.Store(t.snapshot())
	return nil
}

// indexLoaded enters live sessions in the indexes. Load has counted in liveCount how many each node gets.
func (t *Table) indexLoaded() {
	t.names = newNameIndex(3 * t.rows.n) // a map of the final size: growing costs more than filling
	for _, n := range t.nases.byValue {
		n.ids, n.liveCount = make([]ID, 0, n.liveCount), 0
	}
	for _, rows := range [...]*rows{&t.rows, &t.calls.rows, &t.groups} {
		for s := range (&View{root: rows.root}).All() {
			t.register(s.node, s)
			if s.Route != nil {
				s.Route.live++
			}
			for _, n := range s.formerNodes() {
				t.register(n, s)
			}
			t.updateIndexes(nil, s)
		}
	}
	for _, n := range t.nases.byValue {
		slices.Sort(n.ids) // each of the three has its own order
	}
}

// loadRoutes gives the table its routes. Sessions that were stored before routes existed get theirs
// from the journal, and Run makes them durable. old are the live ones of them.
func (t *Table) loadRoutes(got *loaded, old []*Session) error {
	if err := got.routes.setTexts(got.routeTexts); err != nil {
		return err
	}
	t.routes = got.routes
	for _, s := range got.ended {
		if s.beforeRoutes {
			old = append(old, s.Session)
		}
	}
	if len(old) == 0 {
		return nil
	}
	texts, err := t.journal.Adopt(old)
	if err != nil {
		return err
	}
	for i, s := range old {
		s.Route = t.routes.findOrAdd(texts[i])
		t.unrouted = append(t.unrouted, s.ID)
	}
	t.wakeRun()
	return nil
}

// leafMates returns how many sessions of a batch are in the leaf of the first one, if all are of its kind.
func leafMates(batch []stored) int {
	if n := slices.IndexFunc(batch, func(s stored) bool { return s.ID>>digitBits != batch[0].ID>>digitBits }); n > 0 {
		return n
	}
	return len(batch)
}

// lastNAS has the node of the session that was loaded last: the next session mostly has the same.
type lastNAS struct {
	nas  *NAS
	node *nasNode
}

// setNodes gives a session its nodes.
func (a *lastNAS) setNodes(t *Table, s stored) {
	if s.NAS != a.nas {
		a.nas, a.node = s.NAS, t.nases.nodeOf(*s.NAS)
	}
	s.node, s.NAS = a.node, &a.node.NAS
	for _, n := range s.former {
		s.setFormerNodes(append(s.formerNodes(), t.nases.nodeOf(n)))
	}
}

// resumeClosing continues an Accounting-On or -Off that was not finished.
func (t *Table) resumeClosing(m *closing) {
	m.nodes = t.nases.find(&Event{NAS: m.nas, SameClient: func(a netip.Addr) bool { return slices.Contains(m.addrs, a) }})
	t.closings.last = max(t.closings.last, m.seq)
	t.startClosing(m)
}

// newBatch returns an empty batch, and recycle gives one back. A million sessions need 50 MiB of them.
func (l *loaded) newBatch() []stored {
	select {
	case batch := <-l.spare:
		return batch
	default:
		return make([]stored, 0, loadBatch)
	}
}

func (l *loaded) recycle(batch []stored) {
	clear(batch)
	select {
	case l.spare <- batch[:0]:
	default:
	}
}

// read reads all keys, and closes l.live.
func (l *loaded) read(each func(func(key, value []byte) error) error) error {
	defer close(l.live)
	batch := l.newBatch()
	shared := &sharedNASes{all: map[NAS]*NAS{}}
	err := each(func(key, value []byte) (err error) {
		if string(key) == string(countersKey) {
			l.last, l.counters, l.anchor, err = parseCounters(value)
			return err
		}
		if string(key) == string(hearingKey) {
			l.hearing, err = parseHearing(value)
			return err
		}
		if seq, ok := parseClosingKey(key); ok {
			m, err := parseClosing(seq, value)
			l.closings = append(l.closings, m)
			return err
		}
		if id, index, ok := parseWaitingKey(key); ok {
			until, n, err := parseWaiting(id, value, &l.routes)
			if err == nil {
				l.waiting = append(l.waiting, loadedStop{id, index, until, string(value), n.Session.Route})
			}
			return err
		}
		if number, ok := parseRouteKey(key); ok {
			l.routeTexts[number], err = parseRoute(value)
			return err
		}
		id, ok := parseSessionKey(key)
		if !ok {
			return nil
		}
		s, err := parseSession(id, value, shared, &l.routes)
		if err != nil {
			return err
		}
		l.newest = max(l.newest, s.LastEvent, s.LastTraffic)
		if s.State == Ended {
			if !s.beforeRoutes { // else its route must be known first
				s.data = string(appendEnded(nil, s.Session))
			}
			l.ended = append(l.ended, s)
			return nil
		}
		if batch = append(batch, s); len(batch) == loadBatch {
			l.live <- batch
			batch = l.newBatch()
		}
		return nil
	})
	l.live <- batch
	return err
}
