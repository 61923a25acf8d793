package sessions

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Invariants compares everything that the table keeps in two places.
func (t *Table) Invariants() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	live, over, names, namesOver := map[*nasNode]int{}, map[*nasNode]int{}, 0, 0
	routed := map[*Route]int{}
	for _, s := range t.allLive() {
		if t.rowsOf(s.Kind).get(s.ID) != s {
			return fmt.Errorf("session %s is of kind %s", s.ID, s.Kind)
		}
		if s.NAS != &s.node.NAS {
			return fmt.Errorf("session %s: its NAS is not its node's", s.ID)
		}
		routed[s.Route]++
		for _, n := range s.nodes() {
			live[n]++
			if t.nases.byValue[n.NAS] != n {
				return fmt.Errorf("session %s: its node %v is gone", s.ID, n.NAS)
			}
			if err := t.names.check(n, sidHash(s.AcctSessionID()), s.ID); err != nil {
				return err
			}
			names += n.keyCount()
			if !slices.Contains(n.ids, s.ID) {
				return fmt.Errorf("session %s is not among those of %v", s.ID, n.NAS)
			}
		}
	}
	if err := t.checkNesting(routed); err != nil {
		return err
	}
	for id, ended := range t.remembered.byID {
		if t.live(id) != nil {
			return fmt.Errorf("session %s is both live and ended", id)
		}
		if s := t.remembered.get(id); s == nil || s.State != Ended || len(ended.data) > s.mostEnded() {
			return fmt.Errorf("ended session %s: %d octets, %+v", id, len(ended.data), s)
		} else if s.Route != nil {
			routed[s.Route] += 0
		}
		for _, n := range ended.nodes {
			over[n]++
			if err := t.remembered.names.check(n, ended.sidHash, id); err != nil {
				return err
			}
			namesOver += n.keyCount()
		}
	}
	if live, over := t.names.size(), t.remembered.names.size(); live != names || over != namesOver {
		return fmt.Errorf("%d and %d names, want %d and %d", live, over, names, namesOver)
	}
	for _, n := range t.nases.byValue {
		if n.liveCount != live[n] || n.endedCount != over[n] || n.liveCount+n.endedCount == 0 {
			return fmt.Errorf("NAS %v: %d live and %d ended, want %d and %d", n.NAS, n.liveCount, n.endedCount, live[n], over[n])
		}
	}
	if err := t.checkLines(); err != nil {
		return err
	}
	if err := t.checkGranted(); err != nil {
		return err
	}
	if err := t.checkUnique(); err != nil {
		return err
	}
	if err := t.checkLinks(); err != nil {
		return err
	}
	return t.routes.check(routed)
}

// checkLinks compares the index of interfaces with the rows.
func (t *Table) checkLinks() error {
	n := 0
	for _, s := range t.allLive() {
		l := s.link()
		if l == nil {
			continue
		}
		n++
		if _, lost := t.links.lost[s.ID]; l.id != s.ID || l.isLost() == slices.Contains(t.links.byKey[l.key], l) || lost && !l.isLost() {
			return fmt.Errorf("session %s: its interface is not registered as it is", s.ID)
		}
	}
	if indexed := len(t.links.sessions()); int64(n) != t.links.n.Load() || indexed > n {
		return fmt.Errorf("%d sessions have an interface, but %d are counted and %d indexed", n, t.links.n.Load(), indexed)
	}
	return nil
}

// checkUnique compares the index of unique values with the rows.
func (t *Table) checkUnique() error {
	names := 0
	for s := range (&View{root: t.rows.root}).All() {
		for _, typ := range t.unique.types {
			value := s.uniqueValue(typ)
			if value == "" {
				continue
			}
			if err := t.unique.names.check(s.node, attributeHash(typ, value), s.ID); err != nil {
				return err
			}
			names += s.node.keyCount()
		}
	}
	if got := t.unique.names.size(); got != names {
		return fmt.Errorf("%d unique names, want %d", got, names)
	}
	return nil
}

// allLive returns the rows, the calls and the groups of routers.
func (t *Table) allLive() (all []*Session) {
	for _, root := range []*node{t.rows.root, t.calls.root, t.groups.root} {
		all = slices.AppendSeq(all, (&View{root: root}).All())
	}
	return all
}

// checkLines compares the indexes of lines with the live sessions.
func (t *Table) checkLines() error {
	names := map[Kind]map[hashedName][]ID{Resource: {}, Network: {}}
	for _, s := range t.allLive() {
		if s.Kind == VRRS {
			continue
		}
		if s.node.reportsCalls {
			class := Network
			if s.Kind == Resource {
				class = Resource
			}
			s.lineNames(func(name hashedName) { names[class][name] = append(names[class][name], s.ID) })
		} else if s.Kind == Resource {
			return fmt.Errorf("call %s: its NAS reports none", s.ID)
		}
	}
	for class, all := range names {
		for name, id := range t.linesOf(class) {
			if !slices.Contains(all[name], id) {
				return fmt.Errorf("%s: line %x has session %s, not one of %s", class, name, id, all[name])
			}
		}
	}
	return nil
}

// checkGranted compares the index of granted sessions with the rows, and the reserved numbers with
// all sessions.
func (t *Table) checkGranted() error {
	names := map[hashedName][]ID{}
	for s := range (&View{root: t.rows.root}).All() {
		if s.Granted() != "" {
			s.grantedNames(func(name hashedName) { names[name] = append(names[name], s.ID) })
		}
	}
	for name, id := range t.granted {
		if !slices.Contains(names[name], id) {
			return fmt.Errorf("granted line %x has session %s, not one of %s", name, id, names[name])
		}
	}
	for id := range t.numbers.reserved {
		if t.live(id) != nil {
			return fmt.Errorf("number %s is reserved and live", id)
		}
	}
	return nil
}

// checkNesting compares children and exec sessions with the rows, and adds the stops that wait to
// the routes.
func (t *Table) checkNesting(routed map[*Route]int) error {
	children, ports := map[ID]int{}, 0
	for s := range (&View{root: t.rows.root}).All() {
		if s.Parent() != 0 {
			children[s.Parent()]++
		}
		for _, port := range s.ports() {
			if s.Kind != Exec || port == 0 {
				continue
			}
			if err := t.nesting.execs.check(s.node, port, s.ID); err != nil {
				return err
			}
			ports += s.node.keyCount()
		}
	}
	if !maps.Equal(children, t.nesting.children) || t.nesting.execs.size() != ports {
		return fmt.Errorf("children %v, want %v; %d ports, want %d", t.nesting.children, children, t.nesting.execs.size(), ports)
	}
	for id, w := range t.nesting.waiting {
		if !slices.Contains(t.nesting.order, waitingStop{id, w.until}) || len(w.data) == 0 {
			return fmt.Errorf("%d stops of %s wait", len(w.data), id)
		}
		for _, data := range w.data {
			until, n, err := parseWaiting(id, []byte(data), &t.routes)
			if err != nil || until != w.until {
				return fmt.Errorf("a stop of %s waits until %v, stored is %v, %w", id, w.until, until, err)
			}
			routed[n.Session.Route]++
		}
	}
	return nil
}

// ReleaseOverdue does what Run does when stops have waited long enough.
func (t *Table) ReleaseOverdue(ctx context.Context) { t.releaseOverdue(ctx) }

// check compares the routes with the number of rows that have each.
func (rs *routes) check(routed map[*Route]int) error {
	for r, rows := range routed {
		if r != nil && (rs.byNumber[r.number] != r || r.live != rows) {
			return fmt.Errorf("route %d %q: %d rows, want %d", r.number, r, r.live, rows)
		}
	}
	for number, r := range rs.byNumber {
		if r.number != number || number > rs.last || r.live != routed[r] {
			return fmt.Errorf("route %d is %d of %d, with %d rows", number, r.number, rs.last, r.live)
		}
		if !r.stored.Load() && !slices.Contains(rs.unsaved, r) {
			return fmt.Errorf("route %d %q is not durable and not queued", number, r)
		}
	}
	for text, r := range rs.byText {
		if r.String() != text {
			return fmt.Errorf("route %d is %q, found as %q", r.number, r, text)
		}
	}
	return nil
}

// check returns an error if the index does not find a session at a node.
func (n *nameIndex) check(node *nasNode, sid uint64, id ID) error {
	for _, key := range node.keys {
		if name := nameHash(key, sid); key != 0 && n.first[name] != id && !slices.Contains(n.more[name], id) {
			return fmt.Errorf("session %s is not found at %v", id, node.NAS)
		}
	}
	return nil
}

func (n *nameIndex) size() int {
	size := len(n.first)
	for _, more := range n.more {
		size += len(more)
	}
	return size
}

// keyCount returns how many keys of the node the index uses.
func (n *nasNode) keyCount() (keys int) {
	for _, key := range n.keys {
		if key != 0 {
			keys++
		}
	}
	return keys
}

// Remembered returns how many ended sessions are remembered.
func (t *Table) Remembered() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.remembered.byID)
}

// SetLastID sets the id that was given last.
func (t *Table) SetLastID(id ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = id
}
