package control

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"aaasess/cmd/internal/api"
	"aaasess/internal/radius"
	"aaasess/sessions"
)

// describe returns the JSON form of a session of the table.
func describe(s *sessions.Session, table *sessions.Table) api.Session {
	out := api.Session{
		ID: s.ID.String(), Number: uint32(s.ID), Kind: s.Kind.String(), State: s.State.String(),
		User: utf8Text(s.User), NAS: utf8Text(s.NAS.Name()), AcctSessionID: utf8Text(s.AcctSessionID),
		CallingStation: utf8Text(s.Attrs.Text(radius.CallingStationID)),
		CalledStation:  utf8Text(s.Attrs.Text(radius.CalledStationID)),
		NASPortID:      utf8Text(s.Attrs.Text(radius.NASPortID)),
		IfIndex:        s.IfIndex,
		Started:        table.Date(s.Started).UTC().Truncate(time.Second), Heard: table.Date(s.LastEvent).UTC().Truncate(time.Second),
		Idle: s.IdleTime(table.Clock()), SessionTime: s.Usage.SessionTime,
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

// describeTermination returns the JSON form of a termination.
func describeTermination(t sessions.Termination) *api.Termination {
	out := &api.Termination{Attempts: t.Attempts}
	if t.Attempts > 1 || t.Attempts == 1 && !t.Asking { // there is an outcome
		out.Last = utf8Text(t.Last.String())
		out.ErrorCause = uint32(t.Last.ErrorCause)
	}
	if !t.Next.IsZero() {
		next := t.Next.UTC().Truncate(time.Millisecond)
		out.Next = &next
	}
	return out
}

// utf8Text replaces octets that are not valid UTF-8 by \xHH, because JSON text is UTF-8.
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
