package sessions

import "aaasess/internal/radius"

// Admission is what authentication has said of a session. It never changes: states of the session
// share it.
type Admission struct {
	// Granted are attributes of the Access-Accept: User-Name, Class (all, in order),
	// Chargeable-User-Identity, Acct-Interim-Interval, Session-Timeout, Idle-Timeout, and the IPv4 and
	// IPv6 addresses and prefixes of the user.
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
	// Admit is called when a session begins, under the table's lock, so it must be quick and must not
	// call the table. s has the number that it gets unless Admit returns another, which must be
	// reserved ([Table.Reserve]) or free. call is the call that it begins in, or nil. Admit returns
	// nil if nothing is known.
	Admit(ev *Event, s, call *Session, free func(ID) bool) (ID, *Admission)
}

// SetAdmissions sets who is asked when a session begins.
func (t *Table) SetAdmissions(a Admissions) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.admissions = a
}
