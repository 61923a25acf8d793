package live

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/human"
)

const disconnectHelp = `End the sessions with the given IDs, the sessions that match all the given filters, or with
--all every session. If one of the given IDs is not live, no session is ended.

An ID is the Acct-Session-Id in the first column of "show sessions": exactly eight hex
digits, or 0x and one to eight hex digits. Fewer digits without 0x are an error, because they
could be a decimal number. --number selects a session by that (casnSessionId).

The daemon asks the NAS to end each session, and repeats that at intervals until the session
has ended. This cannot be canceled. Without --wait, the command returns as soon as the
request is on disk, so that even a crash of the daemon does not lose it. With --wait, the
command prints the result for each session.

On a terminal, the command asks before it ends more than one session by filters or --all, and says
how many match. If more match when the answer comes, no session is ended. Without a terminal, more
than one session needs --yes.

If a NAS is gone for good, it cannot end its sessions: see "aaasess clear session --help". The
same is true of a NAS whose client has "disconnect: {profile: none}" and neither command nor
openvpn, and of sessions of this host that have not said how they are ended: the command says so,
and leaves these sessions as they are.

The exit code is 0 if the daemon will end the sessions or, with --wait, they have ended; 1 if the
answer is not yes, if more sessions match than were confirmed, or if sessions cannot be ended or are
left at the end of --wait; 2 if --yes is missing; and 4 if no session matches. "aaasess --help" has
the others.`

// NewDisconnect returns the command "disconnect".
func NewDisconnect(g *cli.Global) *cobra.Command {
	var f cli.SelectionFlags
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "disconnect [ID...]",
		Short: "End sessions",
		Long:  disconnectHelp,
		Example: `  aaasess disconnect 0000000D
  aaasess disconnect --number 13 --wait 30s
  aaasess disconnect --nas nas-1 --user alice@example.net
  aaasess disconnect --all --yes --json`,
		ValidArgsFunction: g.SuggestIDs(0),
	}
	f.Add(cmd, g, "end every session")
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait at most `DURATION` (up to 1h) until the sessions have ended")
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		if wait < 0 || wait > time.Hour {
			return fmt.Errorf("%w: --wait %v: want 0 to 1h", cli.ErrUsage, wait)
		}
		req, q, err := f.Request(cmd, ids, wait)
		if err != nil {
			return err
		}
		if !g.Terminal && !f.Yes && (f.All || len(req.IDs) > 1) {
			return fmt.Errorf("%w: more than one session needs --yes if the standard input is not a terminal", cli.ErrUsage)
		}
		client := g.Client()
		if len(req.IDs) == 0 && !f.Yes {
			if req, err = confirmDisconnect(cmd.Context(), g, client, req, q); err != nil {
				return g.EmptyList(api.DisconnectHead{}, err)
			}
		}
		return disconnect(cmd.Context(), g, client, req)
	}
	return cmd
}

// confirmDisconnect prompts if the request would end more than one session. Without a terminal that
// is an error. It returns the request to send: a request that matches one session now ends that
// session, and no other one.
func confirmDisconnect(ctx context.Context, g *cli.Global, client *apiclient.Client, req api.DisconnectRequest, q api.Query) (api.DisconnectRequest, error) {
	matched, first, err := g.Matching(ctx, client, q, req.All)
	switch {
	case err != nil:
		return req, err
	case matched == 1 && !req.All:
		return api.DisconnectRequest{IDs: []string{first.ID}, Wait: req.Wait}, nil
	case !g.Terminal:
		return req, fmt.Errorf("%w: %s match; more than one needs --yes if the standard input is not a terminal",
			cli.ErrUsage, term.Count(matched, "session"))
	}
	yes, err := g.Prompt(ctx, "Disconnect "+cli.Selected(matched, req.All)+"?")
	if err == nil && !yes {
		err = cli.ErrNotDisconnected
	}
	return cli.AtMost(req, matched), err
}

func disconnect(ctx context.Context, g *cli.Global, client *apiclient.Client, req api.DisconnectRequest) error {
	list, err := client.Disconnect(ctx, req)
	if err != nil {
		return err
	}
	defer list.Close()
	ended := 0
	var received atomic.Int64
	done := func() {}
	if g.JSON || !g.OutTerminal { // else the lines on the terminal show it
		done = g.Progress(ctx, func(context.Context) string {
			return cli.OfTotal("disconnecting", int(received.Load()), list.Matched, "session")
		})
	}
	defer done()
	countEnded := func(s api.Session) {
		received.Add(1)
		if s.State == "ended" {
			ended++
		}
	}
	if g.JSON {
		head := api.DisconnectHead{Matched: list.Matched, Marked: list.Marked, Unable: list.Unable, UnableReason: list.UnableReason}
		err = cli.PrintList(g.Out, head, list.All(), countEnded)
	} else {
		err = printResults(g, list, countEnded, done)
	}
	done()
	switch {
	case err != nil:
		return err
	case list.Matched == 0:
		return cli.ErrNoMatch
	case list.Unable > 0:
		return fmt.Errorf("%w: %d left; %s", cli.ErrSessionsRun, list.Unable, list.UnableReason)
	case req.Wait > 0 && ended < list.Matched:
		return fmt.Errorf("%w: %d of %d are left", cli.ErrSessionsRun, list.Matched-ended, list.Matched)
	}
	return nil
}

// printResults prints a line for each session when it arrives. It calls observe with each session, and done
// before the summary.
func printResults(g *cli.Global, list *apiclient.List, observe func(api.Session), done func()) error {
	for s, err := range list.All() {
		if err != nil {
			return err
		}
		observe(s)
		user := human.Printable(cmp.Or(s.User, "-"))
		if _, err := fmt.Fprintf(g.Out, "%s  %s  %s\n", s.ID, user, human.Printable(ResultText(s, time.Now()))); err != nil {
			return err
		}
	}
	done()
	if list.Matched > 0 {
		out := term.Count(list.Matched, "session")
		if before := list.Matched - list.Marked; before > 0 {
			out += fmt.Sprintf(", %d already being disconnected", before)
		}
		fmt.Fprintln(g.Err, out)
	}
	return nil
}

// ResultText describes the result of a disconnect, or its progress while the session is live.
func ResultText(s api.Session, now time.Time) string {
	t := s.Termination
	if t == nil {
		t = &api.Termination{}
	}
	var out string
	switch {
	case s.State == "ended":
		out = "ended"
	case s.State == "active":
		out = "disconnect undone" // by snmpd, because another part of its SET failed
	case s.Marked && t.Last == "":
		out = "being disconnected"
	default:
		out = "still being disconnected"
	}
	if t.Last != "" {
		out += ": " + t.Last
	}
	if t.Attempts > 1 {
		out += fmt.Sprintf(", %d attempts", t.Attempts)
	}
	if t.Next != nil {
		out += ", next attempt in " + human.Span(t.Next.Sub(now))
	}
	return out
}
