package live

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

const showSessionHelp = `Show one live session: what the daemon knows of it, the attributes that the NAS sent, and what
the Access-Accept of the user has granted.

An ID is what is in the first column of "show sessions": exactly eight hex
digits, or 0x and one to eight hex digits.

The exit code is 4 if no session has the ID.`

// NewShowSession returns the command "show session".
func NewShowSession(g *cli.Global) *cobra.Command {
	return &cobra.Command{
		Use:               "session ID",
		Short:             "Show one session with all its attributes",
		Long:              showSessionHelp,
		Example:           "  aaasess show session 0000000D",
		Args:              cli.Arguments("ID"),
		ValidArgsFunction: g.SuggestIDs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := api.ParseID(args[0])
			if err != nil {
				return fmt.Errorf("%w: %w", cli.ErrUsage, err)
			}
			session, err := g.Client().Session(cmd.Context(), id)
			if err != nil {
				return err
			}
			if g.JSON {
				return g.PrintJSON(session)
			}
			return PrintSession(g.Out, session, time.Now())
		},
	}
}

// PrintSession prints a session: a line for each field that is set, and then for each attribute.
func PrintSession(w io.Writer, s *api.SessionDetail, now time.Time) error {
	ago := func(t time.Time) string { return term.Date(t) + ", " + human.Span(now.Sub(t)) + " ago" }
	nas := s.NAS
	if s.NASIdentifier != "" && s.NASIdentifier != s.NAS {
		nas += ", calls itself " + s.NASIdentifier
	}
	lines := []term.StatusLine{
		{Name: "id", Value: s.ID},
		{Name: "number", Value: strconv.FormatUint(uint64(s.Number), 10)},
		{Name: "kind", Value: s.Kind},
		{Name: "state", Value: State(s.Session)},
		{Name: "disconnect", Value: attemptsText(s.Session, now)},
		{Name: "cannot be ended", Value: s.UnableReason},
		{Name: "id upstream", Value: s.Upstream},
		{Name: "user", Value: UserText(&s.Session)},
		{Name: "service", Value: s.Service},
		{Name: "parent session", Value: s.ParentSession},
		{Name: "address", Value: addressText(&s.Session)},
		{Name: "IPv6", Value: strings.Join(s.IPv6Addresses, ", ")},
		{Name: "IPv6 prefix", Value: strings.Join(s.IPv6Prefixes, ", ")},
		{Name: "delegated prefix", Value: strings.Join(s.DelegatedPrefixes, ", ")},
		{Name: "NAS", Value: nas},
		{Name: "NAS address", Value: s.NASAddress},
		{Name: "NAS session id", Value: s.AcctSessionID},
		{Name: "interface", Value: ifIndexText(s.IfIndex)},
		{Name: "started", Value: ago(s.Started)},
		{Name: "heard", Value: ago(s.Heard)},
		{Name: "idle", Value: human.Span(time.Duration(s.Idle) * time.Second)},
		{Name: "session time", Value: human.Span(time.Duration(s.SessionTime) * time.Second)},
		{Name: "input", Value: usageText(s.InputOctets, s.InputPackets)},
		{Name: "output", Value: usageText(s.OutputOctets, s.OutputPackets)},
	}
	set := lines[:0]
	for _, l := range lines {
		if l.Value != "" {
			set = append(set, l)
		}
	}
	set = append(set, term.StatusLine{Name: "attributes", Value: ""})
	for _, a := range s.Attributes {
		set = append(set, term.StatusLine{Depth: 1, Name: a.Name, Value: a.Value})
	}
	if len(s.Granted) > 0 {
		set = append(set, term.StatusLine{Name: "granted", Value: ""})
	}
	for _, a := range s.Granted {
		set = append(set, term.StatusLine{Depth: 1, Name: a.Name, Value: a.Value})
	}
	return term.PrintLines(w, set)
}

// UserText returns the user of a session, and where the name comes from if it is not the NAS's.
func UserText(s *api.Session) string {
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
