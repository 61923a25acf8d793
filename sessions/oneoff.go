package sessions

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"aaasess/internal/iosmask"
	"aaasess/internal/radius"
)

// OneOff is an event of a user without a session: a command (R53), or the end of a session before its
// start (R49, R45a). It is recorded as a stop without a start, under a number of its own. It is no
// row, and no counter counts it. Of the table it changes at most the call that it is in.
type OneOff struct {
	// Kind is Command; or Network, Exec or Connection, that of the session that has not started.
	Kind Kind
	// Unstarted is zero for a Command, and not zero for a session.
	Unstarted Unstarted
	NAS       NAS       // with an Addr
	At        time.Time // when the command ended, or the attempt
	// Attrs tell who and where, as the NAS would send it: User-Name, NAS-Port or NAS-Port-Id,
	// Calling-Station-Id. Of a session they may have an Acct-Terminate-Cause; without it, it is that
	// of Unstarted.
	Attrs radius.Attributes
	// Of a session whose login went through us: the number that was reserved for it, else 0, and what
	// authentication has said of it, else nil.
	ID        ID
	Admission *Admission
	// Of a Command:
	Level int    // the privilege level, 0 to MaxLevel
	Text  string // as it was typed, with its secrets
}

// MaxLevel is the highest privilege level of a command.
const MaxLevel = 15

// Unstarted says how far a session came that ended before its start was accounted. It is zero for
// all others.
type Unstarted uint8

const (
	// AuthenticationFailed: its login or its negotiation failed (S1 "aaa accounting send stop-record
	// authentication failure").
	AuthenticationFailed Unstarted = 1 + iota
	// AuthenticatedRemotely: a remote server accepted its user, and then it ended, for whatever reason
	// (IOS XE "aaa accounting send stop-record authentication success remote-server").
	AuthenticatedRemotely
)

// cause returns the Acct-Terminate-Cause (RFC 2866 section 5.10) of a session if nobody knows a better
// one. A user who was not admitted is User Error. Of one who was, only this is known: the service
// that he was to get never began. That is Service Unavailable; the other values claim to know more.
func (u Unstarted) cause() uint32 {
	const serviceUnavailable, userError = 15, 17
	if u == AuthenticatedRemotely {
		return serviceUnavailable
	}
	return userError
}

// oneOffs has the settings of [Table.Record].
type oneOffs struct{ visibleKeys atomic.Bool }

// SetVisibleKeys says whether passwords and keys in commands are recorded as they were typed (S2 "aaa
// accounting commands visible-keys"). The default is no: they are masked before anything is stored or
// shown.
func (t *Table) SetVisibleKeys(on bool) { t.oneOffs.visibleKeys.Store(on) }

// Record records an event without a session. It returns the number of the record, which is no live
// session's, or 0 if the event has no list. After an error nothing is recorded, and the caller must
// not be answered. Otherwise done is called as [Journal.Commit] describes.
func (t *Table) Record(o OneOff, done func(error)) (ID, error) {
	attrs, err := o.attributes(!t.oneOffs.visibleKeys.Load())
	if err != nil {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.journal.Accepting(); err != nil {
		return 0, fmt.Errorf("sessions: %w", err)
	}
	id := o.ID
	if id == 0 {
		if id, err = t.nextID(); err != nil {
			return 0, err
		}
	}
	at, _ := t.clock.fromHost(o.At)
	s := &Session{
		ID: id, Kind: o.Kind, State: Ended, Stopped: true, Unstarted: o.Unstarted,
		NAS: &o.NAS, Started: at, LastEvent: at, LastTraffic: at, Admission: o.Admission,
	}
	t.name(s, attrs)
	s.setAttrs(attrs)
	var c Change
	if s.Unstarted != 0 {
		t.joinCall(&c, s, &Event{NAS: o.NAS}, s.Unstarted != AuthenticationFailed)
	}
	if route := t.journal.Route(s); route != "" {
		if s.Route = NewRoute(route); o.ID == 0 {
			t.last = id
		}
		t.encodeCounters(&c) // with the number, so that it is not given again
		done = t.whenDurable(nil, done)
	} else {
		s.ID = 0
	}
	c.Notices = []Notice{{Type: Stop, Session: s, Attrs: attrs, At: o.At}}
	t.journal.Commit(c, done)
	return s.ID, nil
}

// attributes returns the attributes of the record: those of the event, and what it was.
func (o *OneOff) attributes(masked bool) (radius.Attributes, error) {
	text := ""
	switch {
	case !o.NAS.Addr.IsValid() || !o.Attrs.Valid():
		return "", ErrOneOff
	case o.Kind == Command:
		if text = commandText(o.Text); text == "" || o.Level < 0 || o.Level > MaxLevel {
			return "", ErrOneOff
		}
	case o.Kind < Network || o.Kind > Connection:
		return "", ErrOneOff
	}
	if o.Unstarted > AuthenticatedRemotely || (o.Kind == Command) != (o.Unstarted == 0) {
		return "", ErrOneOff
	}
	b := []byte(o.Attrs)
	add := func(t radius.Type, n uint32) {
		if _, has := o.Attrs.Get(t); !has {
			b = radius.AppendUint32(b, t, n)
		}
	}
	add(radius.AcctStatusType, uint32(Stop))
	if o.Kind == Command {
		if masked {
			text = iosmask.Command(text)
		}
		return radius.Attributes(radius.AppendCommand(b, o.Level, text)), nil
	}
	add(radius.AcctSessionTime, 0)
	add(radius.AcctTerminateCause, o.Unstarted.cause())
	return radius.Attributes(b), nil
}

// commandText returns a command on one line, without the <cr> that IOS adds.
func commandText(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "<cr>"))
}
