package sessions

import "slices"

// updateIndexes updates the entries of a session in the indexes that need nothing but its states: was
// before, nil if it is new, and s now, nil if it has ended. It returns what updateLinks returns.
func (t *Table) updateIndexes(was, s *Session) (others []ID) {
	t.updateNesting(was, s)
	t.updateGranted(was, s)
	t.updateUnique(was, s)
	return t.updateLinks(was, s)
}

// nodes returns the nodes of all NAS values that a session has or had, the present one first.
func (s *Session) nodes() []*nasNode { return append([]*nasNode{s.node}, s.formerNodes()...) }

// register adds a session to the live sessions of a node.
func (t *Table) register(n *nasNode, s *Session) {
	if len(n.ids) > 2*n.liveCount+16 {
		n.ids = slices.DeleteFunc(n.ids, func(id ID) bool { return !t.isRegistered(id, n) })
		slices.Sort(n.ids)
		n.ids = slices.Compact(n.ids)
	}
	n.liveCount++
	n.ids = append(n.ids, s.ID)
	t.names.add(n, sidHash(s.AcctSessionID()), s.ID)
}

// unregister undoes register. The id stays in n.ids until a later register cleans up.
func (t *Table) unregister(n *nasNode, s *Session) {
	t.names.remove(n, sidHash(s.AcctSessionID()), s.ID)
	if n.liveCount--; n.liveCount == 0 {
		n.ids = nil
	}
}

// isRegistered reports whether a live session is registered at a node.
func (t *Table) isRegistered(id ID, n *nasNode) bool {
	s := t.live(id)
	return s != nil && (s.node == n || slices.Contains(s.formerNodes(), n))
}

// updateIndex updates the entries of a session in the index of names and at its NAS nodes. was is
// its state before, nil if it is new.
func (t *Table) updateIndex(was, s *Session) {
	var before []*nasNode
	switch {
	case was == nil:
	case was.node == s.node:
		return
	default:
		before = was.nodes()
	}
	now := s.nodes()
	for _, n := range now {
		if !slices.Contains(before, n) {
			t.register(n, s)
		}
	}
	for _, n := range before {
		if !slices.Contains(now, n) {
			t.unregister(n, s)
			t.nases.release(n)
		}
	}
}
