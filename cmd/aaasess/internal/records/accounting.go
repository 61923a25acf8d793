package records

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

const showAccountingHelp = `Show the live sessions that are accounted and match all the given filters, in the layout of
"show accounting" of IOS:

  Active Accounted actions on tty1, User username2 Priv 1, NAS bras-1
  Task ID 5, Network Accounting record, 00:00:52 Elapsed
  task_id=5 service=ppp protocol=ip address=10.0.0.98

The first line stands once for all sessions of a user on a line. With --nas it ends before the
NAS. Sessions are in the order of their NASes, lines, users and IDs.

  on       NAS-Port-Id, else NAS-Port; unknown if the NAS sends neither
  Priv     15 if one of the user's sessions on the line has the Service-Type Administrative or
           Callback-Administrative, else 1
  Task ID  the number of the session (casnSessionId), for --number
  Elapsed  hours, minutes and seconds since the session started, by the daemon's clock

A session without a method list, or with one whose record type is none, is not accounted. The
last line tells how many there are.

The exit code is 4 if filters are given and no accounted session matches them.`

// NewShowAccounting returns the command "show accounting".
func NewShowAccounting(g *cli.Global) *cobra.Command {
	var ids []string
	var limit uint
	cmd := &cobra.Command{
		Use:   "accounting",
		Short: "Show the live sessions that are accounted, as IOS does",
		Long:  showAccountingHelp,
		Example: `  aaasess show accounting --user alice@example.net
  aaasess show accounting --nas bras-1 --line tty1
  aaasess show accounting --json | jq -r '.sessions[] | [.id, .decision.list, .elapsed] | @tsv'`,
		Args: cobra.NoArgs,
	}
	filter := cli.AddFilterFlags(cmd, g)
	cmd.Flags().StringSliceVar(&ids, "id", nil, "the session `ID` (may be repeated)")
	cmd.Flags().UintVar(&limit, "limit", 0, "list at most `N` sessions; 0 for all")
	_ = cmd.RegisterFlagCompletionFunc("id", g.SuggestIDs(0))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q, err := filter.Query(cmd, ids)
		if err != nil {
			return err
		}
		values := q.Values()
		values.Set("limit", strconv.FormatUint(uint64(limit), 10))
		if q, err = api.ParseQuery(values); err != nil {
			return fmt.Errorf("%w: %w", cli.ErrUsage, err)
		}
		return showAccounting(g, cmd, q)
	}
	return cmd
}

func showAccounting(g *cli.Global, cmd *cobra.Command, q api.Query) error {
	list, err := g.Client().Accounted(cmd.Context(), q)
	if err != nil {
		return err
	}
	defer list.Close()
	head := api.AccountedHead{Total: list.Total, Matched: list.Matched, Accounted: list.Accounted}
	shown := 0
	out := bufio.NewWriter(g.Out)
	if g.JSON {
		err = cli.PrintList(out, head, list.AllAccounted(), func(api.AccountedSession) { shown++ })
	} else {
		shown, err = PrintAccounting(out, list.AllAccounted(), q.NAS == "")
	}
	if flushErr := out.Flush(); err == nil {
		err = flushErr
	}
	switch {
	case err != nil:
		return err
	case head.Matched == 0 && !q.IsZero():
		return fmt.Errorf("%w (%s live)", cli.ErrNoMatch, term.Count(head.Total, "session"))
	case head.Accounted == 0 && !q.IsZero():
		return fmt.Errorf("%w (%s matched, none accounted, %d live)", cli.ErrNoAccounted, term.Count(head.Matched, "session"), head.Total)
	case !g.JSON:
		fmt.Fprintln(g.Err, accountingSummary(shown, head, q.IsZero()))
	}
	return nil
}

// accountingSummary returns the line below the sessions. all says that no filter was given.
func accountingSummary(shown int, head api.AccountedHead, all bool) string {
	out := term.Count(head.Accounted, "accounted session")
	if shown < head.Accounted {
		out = fmt.Sprintf("%d of %s", shown, out)
	}
	rest := head.Matched - head.Accounted
	if all {
		return fmt.Sprintf("%s, %s not accounted", out, term.Count(rest, "live session"))
	}
	return fmt.Sprintf("%s matched, %d not accounted, %d live", out, rest, head.Total)
}

// PrintAccounting prints sessions in the layout of S1 table 14 while they arrive, and returns their
// number. withNAS adds the NAS to the line of a user.
func PrintAccounting(w io.Writer, list iter.Seq2[api.AccountedSession, error], withNAS bool) (shown int, err error) {
	var previous accountedLine
	for s, err := range list {
		if err != nil {
			return shown, err
		}
		if at := lineOf(&s); at != previous || at.line == "" {
			previous = at
			if _, err := fmt.Fprintln(w, at.heading(&s, withNAS)); err != nil {
				return shown, err
			}
		}
		if _, err := fmt.Fprintln(w, RecordText(&s)); err != nil {
			return shown, err
		}
		shown++
	}
	return shown, nil
}

// accountedLine is what the sessions below one heading have in common. line is "" if it is not
// known: two such sessions may be of two lines.
type accountedLine struct{ nas, nasAddress, nasIdentifier, line, user string }

func lineOf(s *api.AccountedSession) accountedLine {
	return accountedLine{s.NAS, s.NASAddress, s.NASIdentifier, cli.Line(s.Session), s.User}
}

// heading returns the first line of S1's layout. unknown is S1's word in records without a port or
// user.
func (a accountedLine) heading(s *api.AccountedSession, withNAS bool) string {
	on := cmp.Or(a.line, "unknown")
	if s.NASPortID == "" && a.line != "" {
		on = "NAS-Port " + a.line
	}
	text := fmt.Sprintf("Active Accounted actions on %s, User %s Priv %d", human.Printable(on), human.Printable(cmp.Or(a.user, "unknown")), s.Privilege)
	if withNAS {
		text += ", NAS " + human.Printable(cmp.Or(a.nas, a.nasAddress))
	}
	return text
}

// recordNames are the words of IOS for the kinds of sessions.
var recordNames = map[string]string{"network": "Network", "exec": "EXEC", "connection": "Connection"}

// RecordText returns the two lines of a session.
func RecordText(s *api.AccountedSession) string {
	pairs := make([]string, len(s.Pairs))
	for i, p := range s.Pairs {
		pairs[i] = human.Printable(p.Name + "=" + p.Value)
	}
	return fmt.Sprintf("Task ID %d, %s Accounting record, %s Elapsed\n%s", s.Number, cmp.Or(recordNames[s.Kind], human.Printable(s.Kind)),
		term.Clock(s.Elapsed), strings.Join(pairs, " "))
}
