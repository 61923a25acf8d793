package sessions

import (
	"fmt"
	"net/netip"
	"slices"

	"aaasess/internal/radius"
)

// Admission is what authentication has said of a session. It never changes: states of the session
// share it.
type Admission struct {
	// Granted are attributes of the Access-Accept: User-Name, Class (all, in order),
	// Chargeable-User-Identity, Acct-Interim-Interval, Session-Timeout, Idle-Timeout, and the IPv4 and
	// IPv6 addresses and prefixes of the user. Of an ended session it has User-Name, Class and
	// Chargeable-User-Identity, if they are short.
	Granted radius.Attributes
	// Upstream is the Acct-Session-Id that goes upstream if it is not that of the number (R55), else
	// "". It never changes in the life of a session.
	Upstream string
}

// Granted returns what the Access-Accept of the session's user had; see [Admission].
func (s *Session) Granted() radius.Attributes {
	if s.Admission == nil {
		return ""
	}
	return s.Admission.Granted
}

// Name returns the Acct-Session-Id that goes upstream.
func (s *Session) Name() string {
	if s.Admission != nil && s.Admission.Upstream != "" {
		return s.Admission.Upstream
	}
	return s.ID.String()
}

// Admissions knows what authentication has said of users whose accounting begins.
type Admissions interface {
	// Idle reports whether Admit would return its session's number and nil, whatever the session. It is
	// called as Admit is.
	Idle() bool
	// Admit is called when a session begins, under the table's lock, so it must be quick and must not
	// call the table. s has the number that it gets unless Admit returns another, which is one of
	// [Table.Reserve], or is free. call is the call that it begins in, or nil. Admit returns a nil
	// Admission if nothing is known.
	Admit(ev Event, s, call *Session, free func(ID) bool) (ID, *Admission)
	// Upstream returns the Admission.Upstream of an event without a session, of which authentication
	// has said nothing. It is called as Admit is.
	Upstream(nas *NAS, attrs radius.Attributes, id ID) string
}

// SetAdmissions sets who is asked when a session begins.
func (t *Table) SetAdmissions(a Admissions) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.admissions = a
}

// admit gives a new session its number, and what authentication has said of it.
func (t *Table) admit(s *Session, ev *Event) {
	if t.admissions == nil {
		return
	}
	s.ID, s.Admission = t.admissions.Admit(*ev, s, t.callOf(s, ev), t.free)
	delete(t.numbers.reserved, s.ID)
	if s.Admission != nil {
		s.setAttrs(s.Attrs)
	}
}

// name gives an event without a session its Acct-Session-Id upstream, if it has none. That is never the
// one of a session that the NAS calls the same (a re-authentication that fails): a server would take the
// record for its stop.
func (t *Table) name(s *Session, attrs radius.Attributes) {
	if t.admissions == nil || s.Admission != nil && s.Admission.Upstream != "" {
		return
	}
	if sid := attrs.Text(radius.AcctSessionID); sid != "" && t.knows(s.NAS, sid) {
		_, attrs = split(attrs, radius.AcctSessionID)
	}
	if name := t.admissions.Upstream(s.NAS, attrs, s.ID); name != "" {
		s.Admission = &Admission{Granted: s.Granted(), Upstream: name}
	}
}

// knows reports whether the session of a user, live or remembered, has this Acct-Session-Id at a NAS.
func (t *Table) knows(nas *NAS, sid string) bool {
	ev := &Event{NAS: *nas, SameClient: func(netip.Addr) bool { return true }}
	var room [16]ID
	is := func(s *Session) bool {
		_, matches := ev.matches(s.node)
		return matches && s.Kind.isRow() && s.hasName(sid)
	}
	return slices.ContainsFunc(t.names.find(&t.nases, ev, sidHash(sid), room[:0]), func(id ID) bool { return is(t.live(id)) }) ||
		slices.ContainsFunc(t.remembered.names.find(&t.nases, ev, sidHash(sid), room[:0]), func(id ID) bool { return is(t.remembered.get(id)) })
}

// Grant gives a live session or call what a later Access-Accept of its user has granted (a
// re-authentication). What identifies the user to servers (User-Name, Class, Chargeable-User-Identity)
// stays if the new Accept has none of it. Grant does nothing if the session is not live, or has that
// already. After an error nothing has changed; otherwise done is called as [Journal.Commit] describes.
func (t *Table) Grant(id ID, granted radius.Attributes, done func(error)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journal.Accepting(); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	var c Change
	if s := t.live(id); s != nil && !t.closings.anyCovers(s) {
		var a Admission
		if s.Admission != nil {
			a = *s.Admission
		}
		if granted = renewed(a.Granted, granted); granted != a.Granted {
			n := *s
			attrs := withoutEcho(s.Attrs, a.Granted, granted)
			a.Granted, n.Admission = granted, &a
			n.setAttrs(attrs)
			t.put(&c, &n)
		}
	}
	t.commit(c, done)
	return nil
}

// renewed returns what a session is granted after another Accept.
func renewed(was, granted radius.Attributes) radius.Attributes {
	var b []byte
	for t, v := range was.All() {
		if _, again := granted.Get(t); !again && identifiesUser(t) {
			b = radius.AppendAttribute(b, t, v)
		}
	}
	return radius.Attributes(b) + granted
}

// withoutEcho returns the attributes of a session without those that its NAS has taken from an earlier
// Accept and sent in its accounting (Class, RFC 2865 section 5.25; Chargeable-User-Identity, RFC 4372
// section 2.1), if another Accept has others. Records that the NAS does not cause have the new ones then.
func withoutEcho(attrs, was, granted radius.Attributes) radius.Attributes {
	for _, t := range [...]radius.Type{radius.Class, radius.ChargeableUserIdentity} {
		echo, others := split(attrs, t)
		before, _ := split(was, t)
		if now, _ := split(granted, t); echo != "" && echo == before && echo != now {
			attrs = others
		}
	}
	return attrs
}

// split returns the attributes of one type, and the others.
func split(attrs radius.Attributes, t radius.Type) (of, others radius.Attributes) {
	var a, b []byte
	for u, v := range attrs.All() {
		if u == t {
			a = radius.AppendAttribute(a, u, v)
		} else {
			b = radius.AppendAttribute(b, u, v)
		}
	}
	return radius.Attributes(a), radius.Attributes(b)
}

// identifiesUser reports whether an attribute of an Access-Accept identifies the user to servers, in
// each record of the session.
func identifiesUser(t radius.Type) bool {
	return t == radius.UserName || t == radius.Class || t == radius.ChargeableUserIdentity
}

// grantedTypes tell the line of a session, the surest first.
var grantedTypes = [...]radius.Type{radius.CallingStationID, radius.NASPort, radius.NASPortID}

// lineHash returns the hash of a user on a line.
func lineHash(t radius.Type, v, user string) uint64 { return fnv(attributeHash(t, v), user) }

// grantedNames calls fn with the names under which a session is in the index of granted ones.
func (s *Session) grantedNames(fn func(hashedName)) {
	for _, t := range grantedTypes {
		v, has := s.Attrs.Get(t)
		if !has {
			continue
		}
		for _, key := range s.node.keys {
			if key != 0 {
				fn(nameHash(key, lineHash(t, v, s.Attrs.Text(radius.UserName))))
			}
		}
		return
	}
}

// updateGranted updates the entries of a session of a user in the index of granted ones. was is its state
// before, nil if it is new, s its state now, nil if it has ended.
func (t *Table) updateGranted(was, s *Session) {
	isIndexed := func(s *Session) bool { return s != nil && s.Kind.isRow() && s.Granted() != "" }
	before, now := isIndexed(was), isIndexed(s)
	if before && now && was.node == s.node && was.Attrs == s.Attrs {
		return
	}
	if before {
		was.grantedNames(func(name hashedName) {
			if t.granted[name] == was.ID {
				delete(t.granted, name)
			}
		})
	}
	if now {
		s.grantedNames(func(name hashedName) { t.granted[name] = s.ID })
	}
}

// OnLine returns the newest live session of this user on the line that an event is about: with its
// Calling-Station-Id, else its NAS-Port or NAS-Port-Id. It knows only sessions that an Access-Accept
// has granted something. It returns nil if there is none.
func (t *Table) OnLine(ev Event, user string) (found *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var room [8]uint64
	keys := t.nases.appendKeys(room[:0], &ev.NAS)
	for _, typ := range grantedTypes {
		v, has := ev.Attrs.Get(typ)
		if !has || found != nil {
			continue
		}
		for _, key := range keys {
			s := t.live(t.granted[nameHash(key, lineHash(typ, v, user))])
			if s == nil || s.Attrs.Text(radius.UserName) != user || !s.Attrs.Has(typ, v) ||
				found != nil && s.Started <= found.Started || t.closings.anyCovers(s) {
				continue
			}
			if _, ok := ev.matches(s.node); ok {
				found = s
			}
		}
	}
	return found
}

// Live returns a live session or call as it is now, or nil.
func (t *Table) Live(id ID) *Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.live(id)
}

// Named returns the live session or call that an event with this Acct-Session-Id would belong to, or
// nil. The event needs its NAS, Acct-Session-Id, kind and attributes.
func (t *Table) Named(ev Event) *Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	var best *Session
	var least rank
	var room [16]ID
	for _, id := range t.names.find(&t.nases, &ev, sidHash(ev.AcctSessionID), room[:0]) {
		s := t.live(id)
		if s.Kind.class() != ev.Kind.class() || t.closings.anyCovers(s) {
			continue
		}
		if r, ok := s.rank(&ev); ok && (best == nil || r.better(least)) {
			best, least = s, r
		}
	}
	return best
}

// CallOnLine returns the live call on the line that an event of a user is about, or nil. The event
// needs its NAS and attributes.
func (t *Table) CallOnLine(ev Event) *Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	call := t.findOnLine(t.calls.lines, &Session{Kind: Network, Attrs: ev.Attrs}, &ev)
	if call == nil || t.closings.anyCovers(call) {
		return nil
	}
	return call
}

// admission reads what authentication has said of a session, nil if nothing is stored.
func (d *decoder) admission(more byte) *Admission {
	if more&(moreUpstream|moreGranted) == 0 {
		return nil
	}
	var a Admission
	if more&moreUpstream != 0 {
		a.Upstream = d.text()
	}
	if more&moreGranted != 0 {
		a.Granted = radius.Attributes(d.text())
	}
	d.Require(a.Granted.Valid() && (a.Upstream != "") == (more&moreUpstream != 0) && (a.Granted != "") == (more&moreGranted != 0))
	return &a
}
