package live

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/human"
)

const sessionsHelp = `List the live sessions that match all the given filters. Without a filter, list all.

An ID is the Acct-Session-Id in the first column: exactly eight hex digits, or 0x and one to
eight hex digits. --number selects by the same value as a decimal number (casnSessionId).

  AGE    time since the session started
  IDLE   time since user data last flowed
  IN     octets from the user, as the NAS last reported them (k, M, G: powers of 1000)
  OUT    octets to the user
  STATE  active; terminating while the session is being disconnected; stuck if the NAS has
         not ended it in five attempts (the daemon goes on asking)
  DISCONNECT  the last outcome, the number of attempts, and the time until the next one

On a terminal, lines fit its width if it has at least 80 columns: below 110 there is no
DISCONNECT, below 96 no IN and OUT, and long values are cut. Otherwise all columns are
printed.

The exit code is 4 if filters are given and no session matches them.`

// NewShowSessions returns the command "show sessions".
func NewShowSessions(g *cli.Global) *cobra.Command {
	var ids []string
	var order string
	var limit uint
	var wide bool
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "List the live sessions",
		Long:  sessionsHelp,
		Example: `  aaasess show sessions --user alice@example.net
  aaasess show sessions --nas nas-1 --sort octets --limit 10
  aaasess show sessions --json | jq -r '.sessions[] | select(.idle > 3600) | .id'`,
		Args: cobra.NoArgs,
	}
	filter := cli.AddFilterFlags(cmd, g)
	filter.AddSearch(cmd)
	cmd.Flags().StringSliceVar(&ids, "id", nil, "the session `ID` (may be repeated)")
	cmd.Flags().StringVar(&order, "sort", "id",
		"sort by `ORDER`: id, user, address, nas, started (oldest first), idle (longest first), octets, input or output (most first); a leading - reverses the order")
	cmd.Flags().UintVar(&limit, "limit", 0, "list at most `N` sessions; 0 for all")
	cmd.Flags().BoolVar(&wide, "wide", false, "print more columns, and do not cut long values, whatever the width of the terminal")
	cli.Complete(cmd, "sort", api.Orders()...)
	_ = cmd.RegisterFlagCompletionFunc("id", g.SuggestIDs(0))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q, err := filter.Query(cmd, ids)
		if err != nil {
			return err
		}
		values := q.Values()
		values.Set("sort", order)
		values.Set("limit", strconv.FormatUint(uint64(limit), 10))
		if q, err = api.ParseQuery(values); err != nil {
			return fmt.Errorf("%w: %w", cli.ErrUsage, err)
		}
		return showSessions(g, cmd, q, wide)
	}
	return cmd
}

func showSessions(g *cli.Global, cmd *cobra.Command, q api.Query, wide bool) error {
	list, err := g.Client().Sessions(cmd.Context(), q)
	if err != nil {
		return err
	}
	defer list.Close()
	shown := 0
	if g.JSON {
		head := api.SessionsHead{Total: list.Total, Matched: list.Matched}
		err = cli.PrintList(g.Out, head, list.All(), func(api.Session) { shown++ })
	} else {
		shown, err = printTable(g, list, wide, time.Now())
	}
	if err != nil {
		return err
	}
	if list.Matched == 0 && !q.IsZero() {
		return fmt.Errorf("%w (%s live)", cli.ErrNoMatch, term.Count(list.Total, "session"))
	}
	if !g.JSON {
		fmt.Fprintln(g.Err, summary(shown, list.Matched, list.Total, q.IsZero()))
	}
	return nil
}

// summary returns the line below a table. all says that no filter was given.
func summary(shown, matched, total int, all bool) string {
	out := term.Count(matched, "session")
	if shown < matched {
		out = fmt.Sprintf("%d of %s", shown, out)
	}
	if !all {
		out += fmt.Sprintf(" matched, %d live", total)
	}
	return out
}

var (
	NarrowColumns = []term.Column{
		{Title: "ID"},
		{Title: "USER", Cut: 32},
		{Title: "ADDRESS"},
		{Title: "NAS", Cut: 32},
		{Title: "AGE", Right: true},
		{Title: "IDLE", Right: true},
		{Title: "IN", Right: true},
		{Title: "OUT", Right: true},
		{Title: "STATE"},
		{Title: "DISCONNECT"},
	}
	WideColumns = []term.Column{
		{Title: "ID"},
		{Title: "NUMBER", Right: true},
		{Title: "KIND"},
		{Title: "USER"},
		{Title: "ADDRESS"},
		{Title: "IPV6"},
		{Title: "NAS"},
		{Title: "NAS-IDENTIFIER"},
		{Title: "NAS-ADDRESS"},
		{Title: "PORT"},
		{Title: "NAS-SESSION-ID"},
		{Title: "CALLING-STATION"},
		{Title: "CALLED-STATION"},
		{Title: "STARTED"},
		{Title: "HEARD"},
		{Title: "IDLE", Right: true},
		{Title: "IN", Right: true},
		{Title: "OUT", Right: true},
		{Title: "STATE"},
		{Title: "DISCONNECT"},
	}
)

func printTable(g *cli.Global, list *apiclient.List, wide bool, now time.Time) (shown int, err error) {
	columns, cells := NarrowColumns, NarrowCells
	switch {
	case wide:
		columns, cells = WideColumns, WideCells
	case g.Width > 0:
		columns, cells = FittingColumns(g.Width)
	}
	t := g.StateColors(term.NewTable(g.Out, columns))
	for s, err := range list.All() {
		if err != nil {
			return shown, err
		}
		if err := t.Row(cells(s, now)...); err != nil {
			return shown, err
		}
		shown++
	}
	return shown, t.Flush()
}

// NarrowCells returns the cells of a session in NarrowColumns.
func NarrowCells(s api.Session, now time.Time) []string {
	return []string{
		s.ID, s.User, cli.Address(s), cmp.Or(s.NAS, s.NASAddress),
		human.Span(now.Sub(s.Started)), human.Span(time.Duration(s.Idle) * time.Second),
		term.Amount(s.InputOctets), term.Amount(s.OutputOctets), State(s), attemptsText(s, now),
	}
}

// WideCells returns the cells of a session in WideColumns.
func WideCells(s api.Session, now time.Time) []string {
	port := s.NASPortID
	if s.NASPort != nil && port == "" {
		port = strconv.FormatUint(uint64(*s.NASPort), 10)
	}
	return []string{
		s.ID, strconv.FormatUint(uint64(s.Number), 10), s.Kind, s.User, s.Address, strings.Join(cli.IPv6(s), ","),
		s.NAS, s.NASIdentifier, s.NASAddress,
		port, s.AcctSessionID, s.CallingStation, s.CalledStation,
		term.Date(s.Started), term.Date(s.Heard),
		human.Span(time.Duration(s.Idle) * time.Second),
		strconv.FormatUint(s.InputOctets, 10), strconv.FormatUint(s.OutputOctets, 10), State(s), attemptsText(s, now),
	}
}

// State returns the state of a session, with stuck as a state of its own.
func State(s api.Session) string {
	if s.Termination != nil && s.Termination.Stuck {
		return "stuck"
	}
	return s.State
}

// attemptsText returns the progress of the disconnect, if the NAS was asked to end the session.
func attemptsText(s api.Session, now time.Time) string {
	t := s.Termination
	if t == nil || t.Attempts == 0 {
		return ""
	}
	var details []string
	if t.Last != "" {
		details = append(details, t.Last)
	}
	details = append(details, term.Count(t.Attempts, "attempt"))
	if t.Next != nil {
		details = append(details, "next in "+human.Span(t.Next.Sub(now)))
	}
	return strings.Join(details, ", ")
}
