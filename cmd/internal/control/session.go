package control

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"aaasess/internal/radius"
	"aaasess/sessions"
)

// Session is a live session as JSON. The names of the fields stay. Texts are "" and numbers 0 where
// the NAS said nothing.
type Session struct {
	ID             string    `json:"id"`                // Acct-Session-Id towards the AAA servers, eight hex digits
	Number         uint32    `json:"number"`            // casnSessionId: the same as a number
	Kind           string    `json:"kind"`              // network, exec or connection
	State          string    `json:"state"`             // active, terminating; ended only in the answer to a disconnect
	User           string    `json:"user"`              // User-Name
	Address        string    `json:"address"`           // Framed-IP-Address
	NAS            string    `json:"nas"`               // NAS-Identifier, else the address that the NAS calls its own
	NASAddress     string    `json:"nasAddress"`        // where its packets come from
	AcctSessionID  string    `json:"acctSessionId"`     // what the NAS calls the session
	CallingStation string    `json:"callingStation"`    // Calling-Station-Id
	CalledStation  string    `json:"calledStation"`     // Called-Station-Id
	NASPort        *uint32   `json:"nasPort,omitempty"` // NAS-Port; absent if the NAS sent none
	NASPortID      string    `json:"nasPortId"`         // NAS-Port-Id
	IfIndex        uint32    `json:"ifIndex"`           // casnVaiIfIndex
	Started        time.Time `json:"started"`           // RFC 3339, UTC, whole seconds
	Heard          time.Time `json:"heard"`             // when the newest event of it happened
	Idle           uint32    `json:"idle"`              // casnIdleTime, seconds
	SessionTime    uint32    `json:"sessionTime"`       // Acct-Session-Time as last heard, seconds
	InputOctets    uint64    `json:"inputOctets"`       // from the user, as last heard
	OutputOctets   uint64    `json:"outputOctets"`      // to the user
	InputPackets   uint64    `json:"inputPackets"`
	OutputPackets  uint64    `json:"outputPackets"`
	// Marked: the disconnect that this answers is what ends the session; false if it was being ended before.
	Marked bool `json:"marked,omitempty"`
	// Termination is there while the session is being ended, or has been in the answer to a disconnect.
	Termination *Termination `json:"termination,omitempty"`
}

// Termination is how far the ending of a session has come (R30).
type Termination struct {
	Attempts   int        `json:"attempts"`             // how often the NAS was asked
	Last       string     `json:"last,omitempty"`       // outcome of the newest attempt: "ACK", "NAK 406 (...)", "no answer"
	ErrorCause uint32     `json:"errorCause,omitempty"` // of a NAK (RFC 5176 section 3.5)
	Next       *time.Time `json:"next,omitempty"`       // when something is done again; absent while an attempt is under way
}

// describe makes JSON of a session; clock is the table that it is of.
func describe(s *sessions.Session, clock *sessions.Table) Session {
	out := Session{
		ID: s.ID.String(), Number: uint32(s.ID), Kind: s.Kind.String(), State: s.State.String(),
		User: utf8Text(s.User), NAS: utf8Text(s.NAS.Name()), AcctSessionID: utf8Text(s.AcctSessionID),
		CallingStation: utf8Text(s.Attrs.Text(radius.CallingStationID)),
		CalledStation:  utf8Text(s.Attrs.Text(radius.CalledStationID)),
		NASPortID:      utf8Text(s.Attrs.Text(radius.NASPortID)),
		IfIndex:        s.IfIndex,
		Started:        clock.Date(s.Started).UTC().Truncate(time.Second), Heard: clock.Date(s.LastEvent).UTC().Truncate(time.Second),
		Idle: s.IdleTime(clock.Clock()), SessionTime: s.Usage.SessionTime,
		InputOctets: s.Usage.InputOctets, OutputOctets: s.Usage.OutputOctets,
		InputPackets: s.Usage.InputPackets, OutputPackets: s.Usage.OutputPackets,
	}
	if s.NAS.Addr.IsValid() {
		out.NASAddress = s.NAS.Addr.String()
	}
	if s.IPv4 != 0 {
		out.Address = framedAddress(s).String()
	}
	if port, ok := s.Attrs.Uint32(radius.NASPort); ok {
		out.NASPort = &port
	}
	return out
}

func framedAddress(s *sessions.Session) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], s.IPv4)
	return netip.AddrFrom4(b)
}

// describeTermination makes JSON of a termination; asked says whether an attempt has come back, so
// that there is an outcome.
func describeTermination(t sessions.Termination, asked bool) *Termination {
	out := &Termination{Attempts: t.Attempts}
	if asked {
		out.Last = utf8Text(t.Last.String())
		out.ErrorCause = uint32(t.Last.ErrorCause)
	}
	if !t.Next.IsZero() {
		next := t.Next.UTC().Truncate(time.Millisecond)
		out.Next = &next
	}
	return out
}

// hasOutcome reports whether an attempt has come back: the first is under way as long as there is no Next.
func hasOutcome(t sessions.Termination) bool {
	return t.Attempts > 1 || t.Attempts == 1 && !t.Next.IsZero()
}

// utf8Text writes octets that are not UTF-8 as \xHH: JSON can carry nothing else.
func utf8Text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[0])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}
