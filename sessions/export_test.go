package sessions

import (
	"fmt"
	"slices"
)

// Invariants holds all that the table keeps twice against each other.
func (t *Table) Invariants() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	live, over, names, namesOver := map[*nasNode]int{}, map[*nasNode]int{}, 0, 0
	for s := ceiling(t.rows.root, 1); s != nil; s = ceiling(t.rows.root, s.ID+1) {
		if s.NAS != &s.node.NAS {
			return fmt.Errorf("session %s: its NAS is not its node's", s.ID)
		}
		for _, n := range s.nodes() {
			live[n]++
			if t.nases.byValue[n.NAS] != n {
				return fmt.Errorf("session %s: its node %v is gone", s.ID, n.NAS)
			}
			if err := t.names.has(n, hashOf(s.AcctSessionID), s.ID); err != nil {
				return err
			}
			names += n.found()
			if !slices.Contains(n.ids, s.ID) {
				return fmt.Errorf("session %s is not among those of %v", s.ID, n.NAS)
			}
		}
	}
	for id, of := range t.endings.byID {
		if t.rows.get(id) != nil {
			return fmt.Errorf("session %s is live and over", id)
		}
		if s := t.endings.get(id); s == nil || s.State != Ended || len(of.data) > maxEnded {
			return fmt.Errorf("ended session %s: %d octets, %+v", id, len(of.data), s)
		}
		for _, n := range of.nodes {
			over[n]++
			if err := t.endings.names.has(n, of.sid, id); err != nil {
				return err
			}
			namesOver += n.found()
		}
	}
	if live, over := t.names.size(), t.endings.names.size(); live != names || over != namesOver {
		return fmt.Errorf("%d and %d names, want %d and %d", live, over, names, namesOver)
	}
	for _, n := range t.nases.byValue {
		if n.live != live[n] || n.over != over[n] || n.live+n.over == 0 {
			return fmt.Errorf("NAS %v: %d live and %d over, want %d and %d", n.NAS, n.live, n.over, live[n], over[n])
		}
	}
	return nil
}

// has is an error if a session is not found at a node.
func (n *names) has(node *nasNode, sid uint64, id ID) error {
	for _, key := range node.keys {
		if name := nameOf(key, sid); key != 0 && n.first[name] != id && !slices.Contains(n.more[name], id) {
			return fmt.Errorf("session %s is not found at %v", id, node.NAS)
		}
	}
	return nil
}

func (n *names) size() int {
	size := len(n.first)
	for _, more := range n.more {
		size += len(more)
	}
	return size
}

// found is by how many keys sessions are found at a node.
func (n *nasNode) found() (keys int) {
	for _, key := range n.keys {
		if key != 0 {
			keys++
		}
	}
	return keys
}

// Remembered is how many sessions that are over are remembered.
func (t *Table) Remembered() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.endings.byID)
}
