package cas

import (
	"slices"

	"aaasess/internal/servers"
)

// undo changes a table, which may have changed since a plan was made, to what it would be without the
// plan. If another request has changed the same, nothing can be restored, and the error is errChanged.
func (t *table) undo(p *plan) error {
	for i := range p.making {
		if !t.stands(p, &p.making[i]) {
			return errChanged
		}
	}
	for _, c := range p.created {
		n := slices.Index(t.overlay.Created, c)
		if n < 0 {
			return errChanged
		}
		t.overlay.Created = slices.Delete(slices.Clone(t.overlay.Created), n, n+1)
	}
	if err := t.restoreDestroyed(p); err != nil {
		return err
	}
	for i := range p.making {
		t.making = with(t.making, p.making[i].key, p.making[i].before)
	}
	return nil
}

// stands reports whether a row is still as a plan has left it.
func (t *table) stands(p *plan, m *makingChange) bool {
	i, found := find(t.making, m.key)
	if m.after != nil {
		return found && t.making[i] == *m.after || !found && !t.now.Before(m.after.ends())
	}
	activated := slices.ContainsFunc(p.created, func(c servers.Created) bool { return keyOfCreated(&c) == m.key })
	return !found && (activated || t.server(m.key) < 0)
}

// restoreDestroyed restores the servers that a plan has destroyed, each in its old place.
func (t *table) restoreDestroyed(p *plan) error {
	for _, s := range p.destroyed {
		if _, found := find(t.making, s.key); found || t.server(s.key) >= 0 || t.takenSince(p, &s) {
			return errChanged
		}
	}
	for i, c := range p.before.Created {
		if slices.Contains(t.overlay.Created, c) || !slices.ContainsFunc(p.destroyed, func(s server) bool { return s.key == keyOfCreated(&c) }) {
			continue
		}
		place := 0
		for _, earlier := range p.before.Created[:i] {
			place = max(place, slices.Index(t.overlay.Created, earlier)+1)
		}
		t.overlay.Created = slices.Insert(slices.Clone(t.overlay.Created), place, c)
	}
	t.overlay.Destroyed = slices.DeleteFunc(slices.Clone(t.overlay.Destroyed), func(d servers.Key) bool {
		return slices.Contains(p.after.Destroyed[len(p.before.Destroyed):], d)
	})
	return nil
}

// takenSince reports whether a server that was created after a plan has the address of one that the plan
// has destroyed.
func (t *table) takenSince(p *plan, s *server) bool {
	return slices.ContainsFunc(t.overlay.Created, func(c servers.Created) bool {
		return c.Protocol == s.protocol && c.Addr == s.addr && !slices.Contains(p.before.Created, c)
	})
}
