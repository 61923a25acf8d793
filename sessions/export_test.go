package sessions

import (
	"fmt"
	"slices"
)

// Invariants holds all that the table keeps twice against each other.
func (t *Table) Invariants() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	live, over, names := map[*nasNode]int{}, map[*nasNode]int{}, 0
	for s := ceiling(t.rows.root, 1); s != nil; s = ceiling(t.rows.root, s.ID+1) {
		if s.NAS != &s.node.NAS {
			return fmt.Errorf("session %s: its NAS is not its node's", s.ID)
		}
		for _, n := range s.nodes() {
			live[n]++
			names++
			if t.nases.byValue[n.NAS] != n {
				return fmt.Errorf("session %s: its node %v is gone", s.ID, n.NAS)
			}
			if !slices.Contains(t.named(n, s.AcctSessionID), s.ID) {
				return fmt.Errorf("session %s is not found as %q", s.ID, s.AcctSessionID)
			}
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
			if !slices.Contains(t.endings.byName[endedName{n, of.sid}], id) {
				return fmt.Errorf("ended session %s is not found", id)
			}
		}
	}
	registered := len(t.byName)
	for _, twins := range t.twins {
		registered += len(twins)
	}
	if registered != names {
		return fmt.Errorf("%d names for %d sessions and NASes", registered, names)
	}
	for _, n := range t.nases.byValue {
		if n.live != live[n] || n.over != over[n] || n.live+n.over == 0 {
			return fmt.Errorf("NAS %v: %d live and %d over, want %d and %d", n.NAS, n.live, n.over, live[n], over[n])
		}
	}
	return nil
}
