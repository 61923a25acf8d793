package cas

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"aaasess/internal/servers"
	"aaasess/mib"
)

// table is casConfigTable as a SET finds and leaves it.
type table struct {
	now       time.Time
	globalKey func(servers.Protocol) bool
	making    []making // those that have not ended
	servers   []server
	overlay   servers.Overlay // its slices are never changed, only replaced
}

// server is a server in use. It is an active row if it has an IPv4 address.
type server struct {
	key
	name    string
	addr    netip.Addr // IPv4; the zero Addr: it has no rows
	listed  bool
	private bool
}

// newTable returns the table of the moment. The servers that managers have created are those of the
// overlay, even if the View is older.
func (m *module) newTable() *table {
	now := m.Now()
	t := &table{now: now, globalKey: m.GlobalKey, making: alive(*m.making.Load(), now), overlay: m.Overlay()}
	view := m.View()
	for i := range view.Entries {
		e := &view.Entries[i]
		created := e.Identity.Index != 0
		if created || slices.Contains(t.overlay.Destroyed, e.Key()) {
			continue
		}
		s := server{key: keyOf(e), name: e.Name, listed: e.Listed, private: e.Private}
		if HasRow(e) {
			s.addr = e.Addr.Unmap()
		}
		t.servers = append(t.servers, s)
	}
	for i := range t.overlay.Created {
		t.add(&t.overlay.Created[i])
	}
	return t
}

func (t *table) add(c *servers.Created) {
	t.servers = append(t.servers, server{key: keyOfCreated(c), name: c.Name(), addr: c.Addr})
}

// server returns the index of a server in use, or -1.
func (t *table) server(k key) int {
	return slices.IndexFunc(t.servers, func(s server) bool { return s.key == k })
}

// created returns the index of a server of the overlay, or -1.
func (t *table) created(k key) int {
	return slices.IndexFunc(t.overlay.Created, func(c servers.Created) bool { return keyOfCreated(&c) == k })
}

// plan is what a SET changes.
type plan struct {
	request *request
	before  servers.Overlay
	after   servers.Overlay
	// at is the position of the first variable that changes active rows; 0: none does.
	at     int
	making []makingChange
	// created and destroyed are the servers that become and are no longer active, for undo and the log.
	created   []servers.Created
	destroyed []server
}

// makingChange is a row in the making before and after a SET; nil: there is none.
type makingChange struct {
	key           key
	before, after *making
}

// plan decides what a SET changes: all that it asks for, or nothing, and then the error is a
// *[mib.SetError]. It changes the table accordingly. All variables have their effect at once (RFC 3416
// section 4.2.5): what a row of the SET frees, another row may use, whatever their order.
func (t *table) plan(r *request) (*plan, error) {
	p := &plan{request: r, before: t.overlay}
	for _, step := range [...]func(status int32) bool{
		func(status int32) bool { return status == destroy },
		func(status int32) bool { return status == active || status == createAndGo },
		func(status int32) bool { return status != destroy && status != active && status != createAndGo },
	} {
		for _, w := range r.rows {
			if !step(w.status) {
				continue
			}
			if err := t.planRow(p, w); err != nil {
				return nil, err
			}
		}
	}
	p.after = t.overlay
	return p, nil
}

// planRow decides about one row, by the table of states and actions in RFC 2579, RowStatus. There, A is
// a row that does not exist, B is notReady, C is notInService and D is active.
func (t *table) planRow(p *plan, w *wanted) error {
	if w.status == destroy {
		return t.destroy(p, w)
	}
	if i := t.server(w.key); i >= 0 {
		switch {
		case t.servers[i].addr.IsValid() && (w.status == createAndGo || w.status == createAndWait):
			return w.refuse(mib.InconsistentValue, errExists)
		case t.servers[i].addr.IsValid(): // D
			return w.refuse(mib.InconsistentValue, errActive)
		case w.status == 0:
			return w.refuse(mib.InconsistentName, errNoRow)
		}
		return w.refuse(mib.InconsistentValue, errExists)
	}
	next := making{key: w.key, created: t.now}
	i, found := find(t.making, w.key)
	switch creates := w.status == createAndGo || w.status == createAndWait; {
	case found && creates: // B, C
		return w.refuse(mib.InconsistentValue, errExists)
	case found:
		next = t.making[i]
	case w.status == 0: // A: we create no row without its status
		return w.refuse(mib.InconsistentName, errNoRow)
	case !creates: // A
		return w.refuse(mib.InconsistentValue, errNoRow)
	case w.status == createAndWait && len(t.making) >= maxRows:
		return w.refuse(mib.ResourceUnavailable, errManyRows)
	}
	w.applyTo(&next.columns)
	switch w.status {
	case createAndGo, active:
		return t.activate(p, w, &next)
	case notInService:
		if !next.ready() { // B
			return w.refuse(mib.InconsistentValue, errIncomplete)
		}
	}
	t.replace(p, w.key, &next)
	return nil
}

// replace replaces a row in the making; nil removes it.
func (t *table) replace(p *plan, k key, next *making) {
	var before *making
	if i, found := find(t.making, k); found {
		before = &t.making[i]
	}
	if before != nil || next != nil {
		p.making = append(p.making, makingChange{k, before, next})
		t.making = with(t.making, k, next)
	}
}

// activate makes a row active. It has the lowest priority: it is the last one of the overlay.
func (t *table) activate(p *plan, w *wanted, row *making) error {
	if !row.ready() {
		return w.refuse(mib.InconsistentValue, errIncomplete)
	}
	c := row.server()
	if fault := c.Fault(); fault != "" {
		return w.refuse(mib.InconsistentValue, fmt.Errorf("cas: %s", fault))
	}
	if c.Key == "" && !t.globalKey(c.Protocol) {
		return w.refuse(mib.InconsistentValue, errNoKey)
	}
	public := 0
	for i := range t.servers {
		s := &t.servers[i]
		if s.protocol != row.protocol {
			continue
		}
		if s.addr == row.addr {
			return w.refuse(mib.InconsistentValue, errAddress)
		}
		if !s.private {
			public++
		}
	}
	if public >= servers.MaxServers {
		return w.refuse(mib.ResourceUnavailable, errFull)
	}
	t.add(&c)
	t.overlay.Created = append(slices.Clip(t.overlay.Created), c)
	t.replace(p, row.key, nil)
	p.created = append(p.created, c)
	p.changesServers(w)
	return nil
}

// destroy destroys a row. One that does not exist is no error.
func (t *table) destroy(p *plan, w *wanted) error {
	if w.columnAt != 0 {
		return &mib.SetError{Status: mib.InconsistentValue, Index: w.columnAt, Err: errDestroyed}
	}
	t.replace(p, w.key, nil)
	i := t.server(w.key)
	if i < 0 || !t.servers[i].addr.IsValid() {
		return nil
	}
	s := t.servers[i]
	if s.listed {
		return w.refuse(mib.InconsistentValue, errListed)
	}
	t.servers = slices.Delete(t.servers, i, i+1)
	if n := t.created(w.key); n >= 0 {
		t.overlay.Created = slices.Delete(slices.Clone(t.overlay.Created), n, n+1)
	} else {
		t.overlay.Destroyed = append(slices.Clip(t.overlay.Destroyed), servers.Key{Protocol: s.protocol, Name: s.name})
	}
	p.destroyed = append(p.destroyed, s)
	p.changesServers(w)
	return nil
}

func (p *plan) changesServers(w *wanted) {
	if p.at == 0 || w.statusAt < p.at {
		p.at = w.statusAt
	}
}
