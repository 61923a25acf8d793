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

const showSessionHelp = `Show one live session: what the daemon knows of it, and the attributes that the NAS sent.

An ID is the Acct-Session-Id in the first column of "show sessions": exactly eight hex
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
		{0, "user", s.User},
		{0, "service", s.Service},
		{0, "parent session", s.ParentSession},
		{0, "address", s.Address},
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
	return printLines(w, set)
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
