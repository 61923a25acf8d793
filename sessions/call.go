package sessions

import (
	"fmt"
	"strings"
	"time"

	"aaasess/internal/radius"
)

// calls has the live calls (R51), the sessions of kind [Resource]. A call has a number, a route and
// a name as other sessions do, but it is no row: views do not have it, the counters do not count it,
// and nothing here asks its NAS to end it.
type calls struct {
	rows
	lines lineIndex // of calls
	// users has the sessions of users at NASes that report calls: a call may be heard of after the
	// session that began in it.
	users lineIndex
}

// Call returns a live call, or nil.
func (t *Table) Call(id ID) *Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls.get(id)
}

// Calls returns how many calls are live.
func (t *Table) Calls() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls.n
}

// rowsOf returns where the live sessions of a kind are.
func (t *Table) rowsOf(k Kind) *rows {
	switch k {
	case Resource:
		return &t.calls.rows
	case VRRS:
		return &t.groups
	}
	return &t.rows
}

// live returns a live session of any kind, or nil.
func (t *Table) live(id ID) *Session {
	if s := t.rows.get(id); s != nil {
		return s
	}
	if s := t.calls.get(id); s != nil {
		return s
	}
	return t.groups.get(id)
}

// classes is the number of classes. A packet about a session of one class is never about one of
// another: S0 gives a call and its user the same Acct-Session-Id.
const classes = 3

// class returns 0 for sessions of users, 1 for calls and 2 for groups of routers.
func (k Kind) class() int {
	switch k {
	case Resource:
		return 1
	case VRRS:
		return 2
	}
	return 0
}

// isRow reports whether live sessions of the kind are rows of the table.
func (k Kind) isRow() bool { return k.class() == 0 }

// mayBeOfCall reports whether an interim or stop that belongs to no session of a user may be about a
// call: it does not say for what service it is.
func (ev *Event) mayBeOfCall() bool {
	_, says := ev.Attrs.Get(radius.ServiceType)
	return ev.Kind.isRow() && !says
}

// hasCallCheck reports whether a session of a user has the Service-Type Call-Check: a device that was
// admitted by its MAC address, or what an earlier version took for a user. Packets about it may look
// like packets about a call.
func (s *Session) hasCallCheck() bool {
	service, _ := s.Attrs.Uint32(radius.ServiceType)
	return service == radius.CallCheck
}

// CallFailed reports whether a notice is of the end of a call that never reached the authentication
// of a user, or failed in it (S1 "AAA Resource Failure Stop Accounting").
func (n *Notice) CallFailed() bool {
	return n.Type == Stop && n.Session.Kind == Resource && !n.Session.Reached
}

// callIDPrefix is how an Acct-Multi-Session-Id begins that the NAS has not sent.
const callIDPrefix = "aaasess-"

// IsMadeCallID reports whether an Acct-Multi-Session-Id was made here, so the NAS does not know it.
func IsMadeCallID(v string) bool { return strings.HasPrefix(v, callIDPrefix) }

// join puts a new call and the sessions of users in it together. s has just begun with the event.
// They get one Acct-Multi-Session-Id, and the call is marked as [Session.Reached], unless the session
// only says that a login failed.
func (t *Table) join(c *Change, s *Session, ev *Event) {
	if s.Kind == VRRS {
		return
	}
	if s.Kind != Resource {
		t.joinCall(c, s, ev, !ev.isFailedLogin())
		return
	}
	t.indexUsers(s)
	if _, has := s.Attrs.Get(radius.AcctMultiSessionID); !has {
		// The number is unique among the sessions of today, and the time among those that have had it.
		s.setAttr(radius.AcctMultiSessionID, fmt.Sprintf("%s%s-%08X", callIDPrefix, s.ID, uint32(ev.now.seconds())))
	}
	user := t.findOnLine(t.calls.users, s, ev)
	if user == nil || !user.beganIn(s) || t.closings.anyCovers(user) || IsMadeCallID(user.Attrs.Text(radius.AcctMultiSessionID)) {
		return // the last is so if it began in another call
	}
	s.Reached = true
	joined := *user
	if shareID(s, &joined); joined.Attrs != user.Attrs {
		t.put(c, &joined)
	}
}

// joinCall is join for a session of a user. admitted says that the user was admitted.
func (t *Table) joinCall(c *Change, s *Session, ev *Event, admitted bool) {
	call := t.callOf(s, ev)
	if call == nil {
		return
	}
	joined := *call
	joined.Reached = call.Reached || admitted
	if shareID(&joined, s); joined.Reached != call.Reached || joined.Attrs != call.Attrs {
		t.put(c, &joined)
	}
}

// callOf returns the live call that a session of a user begins in, or nil.
func (t *Table) callOf(s *Session, ev *Event) *Session {
	if t.calls.n == 0 || !s.Kind.isRow() {
		return nil
	}
	call := t.findOnLine(t.calls.lines, s, ev)
	if call == nil || !s.beganIn(call) || t.closings.anyCovers(call) {
		return nil
	}
	return call
}

// isFailedLogin reports whether the first event of a session says that its user was not admitted: it
// is a stop without use (S1 "aaa accounting send stop-record authentication failure").
func (ev *Event) isFailedLogin() bool { return ev.Type == Stop && ev.Usage == Usage{} }

// beganIn reports whether a session did not begin before a call. The NAS's clock decides if both have
// its time.
func (s *Session) beganIn(call *Session) bool {
	if s.StartTimestamp != 0 && call.StartTimestamp != 0 {
		return int64(s.StartTimestamp)+1 >= int64(call.StartTimestamp)
	}
	return s.Started.Add(startTolerance) >= call.Started
}

// shareID gives a call and a session in it one Acct-Multi-Session-Id: that of the NAS, if it has sent
// one. If it has sent two, both stay.
func shareID(call, user *Session) {
	calls, users := call.Attrs.Text(radius.AcctMultiSessionID), user.Attrs.Text(radius.AcctMultiSessionID)
	switch {
	case users == "":
		user.setAttr(radius.AcctMultiSessionID, calls)
	case IsMadeCallID(calls) && !IsMadeCallID(users):
		call.setAttr(radius.AcctMultiSessionID, users)
	}
}

// setAttr gives the session one value of an attribute.
func (s *Session) setAttr(t radius.Type, v string) {
	b := make([]byte, 0, len(s.Attrs)+2+len(v))
	for u, was := range s.Attrs.All() {
		if u != t {
			b = radius.AppendAttribute(b, u, was)
		}
	}
	s.setAttrs(radius.Attributes(radius.AppendAttribute(b, t, v)))
}

// lineIndex finds the newest live session of a line: by a hash of one identifier or the address of
// its NAS and one of lineTypes. The caller must compare what it finds.
type lineIndex map[hashedName]ID

// lineTypes are what a call and the sessions in it have in common, the surest first.
var lineTypes = [...]radius.Type{radius.AcctMultiSessionID, radius.AcctSessionID, radius.NASPort, radius.NASPortID}

// lines returns the hashes of the session's lineTypes, 0 for what it does not have.
func (s *Session) lines() (hashes [len(lineTypes)]uint64) {
	for i, t := range lineTypes {
		if v, has := s.Attrs.Get(t); has {
			hashes[i] = attributeHash(t, v)
		}
	}
	return hashes
}

// lineNames calls fn with all names under which the session is in an index of lines.
func (s *Session) lineNames(fn func(hashedName)) {
	for _, line := range s.lines() {
		for _, key := range s.node.keys {
			if line != 0 && key != 0 {
				fn(nameHash(key, line))
			}
		}
	}
}

func (x lineIndex) add(s *Session) { s.lineNames(func(name hashedName) { x[name] = s.ID }) }

func (x lineIndex) remove(s *Session) {
	s.lineNames(func(name hashedName) {
		if x[name] == s.ID {
			delete(x, name)
		}
	})
}

// linesOf returns the index of lines of the sessions of a kind.
func (t *Table) linesOf(k Kind) lineIndex {
	if k == Resource {
		return t.calls.lines
	}
	return t.calls.users
}

// updateLines updates the entries of a live session in an index of lines. was is its state before,
// nil if it is new.
func (t *Table) updateLines(was, s *Session) {
	if s.Kind == VRRS || was != nil && was.node == s.node && (was.Attrs == s.Attrs || was.lines() == s.lines()) {
		return
	}
	if was != nil && was.node.reportsCalls {
		t.linesOf(s.Kind).remove(was)
	}
	if s.Kind == Resource {
		t.indexUsers(s)
	}
	if s.node.reportsCalls {
		t.linesOf(s.Kind).add(s)
	}
}

// usersBefore is how long before the first call of a NAS its users began that are looked for when a
// later call is set up. More than startTolerance, because the start of the later call may be older.
const usersBefore = 10 * time.Minute

// indexUsers enters the live sessions of the NAS of a call in the index of lines, if it is the first
// call of the NAS. From then on updateLines does it. Sessions that began long before are in no call:
// a NAS may have very many, and the table waits meanwhile.
func (t *Table) indexUsers(call *Session) {
	n := call.node
	if n.reportsCalls {
		return
	}
	n.reportsCalls = true
	for _, id := range n.ids {
		if user := t.rows.get(id); user != nil && user.node == n && user.Started.Add(usersBefore) >= call.Started {
			t.calls.users.add(user)
		}
	}
}

// findOnLine returns the session in an index of lines that has the line of s, or nil. The event is
// the one that s begins with.
func (t *Table) findOnLine(x lineIndex, s *Session, ev *Event) (found *Session) {
	if len(x) == 0 {
		return nil
	}
	var room [8]uint64
	keys := t.nases.appendKeys(room[:0], &ev.NAS)
	for i, line := range s.lines() {
		if line == 0 {
			continue
		}
		for _, key := range keys {
			o := t.live(x[nameHash(key, line)])
			if o == nil || found != nil && o.Started <= found.Started || !o.Attrs.Same(s.Attrs, lineTypes[i]) {
				continue
			}
			if _, ok := ev.matches(o.node); ok {
				found = o
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}
