package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"aaasess/cmd/internal/api"

	"github.com/spf13/cobra"
)

const showSessionHelp = `Show one live session: what the daemon knows of it, the attributes that the NAS sent, and what
the Access-Accept of the user has granted.

An ID is what is in the first column of "show sessions": exactly eight hex
digits, or 0x and one to eight hex digits.

The exit code is 4 if no session has the ID.`

func newShowSession(g *global) *cobra.Command {
	return &cobra.Command{
		Use:               "session ID",
		Short:             "Show one session with all its attributes",
		Long:              showSessionHelp,
		Example:           "  aaasess show session 0000000D",
		Args:              arguments("ID"),
		ValidArgsFunction: g.suggestIDs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := api.ParseID(args[0])
			if err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			session, err := g.client().Session(cmd.Context(), id)
			if err != nil {
				return err
			}
			if g.json {
				return g.printJSON(session)
			}
			return printSession(g.out, session, time.Now())
		},
	}
}

// printSession prints a session: a line for each field that is set, and then for each attribute.
func printSession(w io.Writer, s *api.SessionDetail, now time.Time) error {
	ago := func(t time.Time) string { return date(t) + ", " + span(now.Sub(t)) + " ago" }
	nas := s.NAS
	if s.NASIdentifier != "" && s.NASIdentifier != s.NAS {
		nas += ", calls itself " + s.NASIdentifier
	}
	lines := []statusLine{
		{0, "id", s.ID},
		{0, "number", strconv.FormatUint(uint64(s.Number), 10)},
		{0, "kind", s.Kind},
		{0, "state", state(s.Session)},
		{0, "disconnect", attemptsText(s.Session, now)},
		{0, "cannot be ended", s.UnableReason},
		{0, "id upstream", s.Upstream},
		{0, "user", userText(&s.Session)},
		{0, "service", s.Service},
		{0, "parent session", s.ParentSession},
		{0, "address", addressText(&s.Session)},
		{0, "IPv6", strings.Join(s.IPv6Addresses, ", ")},
		{0, "IPv6 prefix", strings.Join(s.IPv6Prefixes, ", ")},
		{0, "delegated prefix", strings.Join(s.DelegatedPrefixes, ", ")},
		{0, "NAS", nas},
		{0, "NAS address", s.NASAddress},
		{0, "NAS session id", s.AcctSessionID},
		{0, "interface", ifIndexText(s.IfIndex)},
		{0, "started", ago(s.Started)},
		{0, "heard", ago(s.Heard)},
		{0, "idle", span(time.Duration(s.Idle) * time.Second)},
		{0, "session time", span(time.Duration(s.SessionTime) * time.Second)},
		{0, "input", usageText(s.InputOctets, s.InputPackets)},
		{0, "output", usageText(s.OutputOctets, s.OutputPackets)},
	}
	set := lines[:0]
	for _, l := range lines {
		if l.value != "" {
			set = append(set, l)
		}
	}
	set = append(set, statusLine{0, "attributes", ""})
	for _, a := range s.Attributes {
		set = append(set, statusLine{1, a.Name, a.Value})
	}
	if len(s.Granted) > 0 {
		set = append(set, statusLine{0, "granted", ""})
	}
	for _, a := range s.Granted {
		set = append(set, statusLine{1, a.Name, a.Value})
	}
	return printLines(w, set)
}

// userText returns the user of a session, and where the name comes from if it is not the NAS's.
func userText(s *api.Session) string {
	switch {
	case s.UserFrom != api.FromAccept:
		return s.User
	case s.NASUser != "":
		return s.User + " (Access-Accept; the NAS has " + s.NASUser + ")"
	}
	return s.User + " (Access-Accept)"
}

// addressText returns the address of a session, and where it comes from if it is not the NAS's.
func addressText(s *api.Session) string {
	if s.AddressFrom == api.FromAccept {
		return s.Address + " (Access-Accept)"
	}
	return s.Address
}

func ifIndexText(i uint32) string {
	if i == 0 {
		return ""
	}
	return "ifIndex " + strconv.FormatUint(uint64(i), 10)
}

func usageText(octets, packets uint64) string {
	return fmt.Sprintf("%d octets, %d packets", octets, packets)
}
