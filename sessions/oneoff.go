package sessions

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"aaasess/internal/iosmask"
	"aaasess/internal/radius"
)

// OneOff is an event of a user without a session: a command (R53), or a login or negotiation that
// failed (R49). It is recorded as a stop without a start, under a number of its own. It is no row, no
// counter counts it, and nothing of it stays in the table.
type OneOff struct {
	// Kind is Command; or Network, Exec or Connection if a session of this kind failed.
	Kind Kind
	NAS  NAS       // with an Addr
	At   time.Time // when the command ended, or the attempt
	// Attrs tell who and where, as the NAS would send it: User-Name, NAS-Port or NAS-Port-Id,
	// Calling-Station-Id. Of a failure they may have an Acct-Terminate-Cause; without it, it is
	// User-Error.
	Attrs radius.Attributes
	// Of a Command:
	Level int    // the privilege level, 0 to MaxLevel
	Text  string // as it was typed, with its secrets
}

// MaxLevel is the highest privilege level of a command.
const MaxLevel = 15

// causeUserError is a value of Acct-Terminate-Cause (RFC 2866 section 5.10): the input from the user
// was in error.
const causeUserError = 17

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
	id, err := t.nextID()
	if err != nil {
		return 0, err
	}
	at, _ := t.clock.fromHost(o.At)
	s := &Session{
		ID: id, Kind: o.Kind, State: Ended, Stopped: true, Failed: o.Kind != Command,
		NAS: &o.NAS, Started: at, LastEvent: at, LastTraffic: at,
	}
	s.setAttrs(attrs)
	if call := t.findOnLine(t.calls.lines, s, &Event{NAS: o.NAS}); call != nil && s.Failed {
		unchanged := *call // all records of a call have its id
		shareID(&unchanged, s)
	}
	var c Change
	if route := t.journal.Route(s); route != "" {
		s.Route, t.last = NewRoute(route), id
		c.State = []Put{t.countersPut()} // with the number, so that it is not given again
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
	add(radius.AcctTerminateCause, causeUserError)
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
