package live

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/human"
)

const clearSessionHelp = `Remove the sessions with the given IDs, the sessions that match all the given filters, or with
--all every session, without asking their NASes. If one of the given IDs is not live, no
session is removed.

This is for sessions whose NAS is gone for good. The user of a session whose NAS still runs
stays online: use "aaasess disconnect" for it. If the NAS still reports a cleared session, it
returns.

Each session ends with a stop record that has its last known counters, the time of its last
packet, and Acct-Terminate-Cause Admin-Reset.

The selection is the same as in "aaasess disconnect". Unless --yes is given, the command
asks, even for one session.
Without a terminal, it needs --yes.

The exit code is 4 if no session matches.`

// NewClear returns the command "clear".
func NewClear(g *cli.Global) *cobra.Command {
	cmd := &cobra.Command{
		Use: "clear", Short: "Remove sessions whose NAS is gone",
		Args: cli.SubcommandArgs, RunE: cli.RequireSubcommand,
	}
	cmd.AddCommand(newClearSession(g))
	return cmd
}

func newClearSession(g *cli.Global) *cobra.Command {
	var f cli.SelectionFlags
	cmd := &cobra.Command{
		Use:   "session [ID...]",
		Short: "Remove sessions whose NAS is gone, with a stop record from their last counters",
		Long:  clearSessionHelp,
		Example: `  aaasess clear session 0000000D
  aaasess clear session --nas nas-1 --state stuck`,
		ValidArgsFunction: g.SuggestIDs(0),
	}
	f.Add(cmd, g, "remove every session")
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		req, q, err := f.Request(cmd, ids, 0)
		if err != nil {
			return err
		}
		if !g.Terminal && !f.Yes {
			return fmt.Errorf("%w: a clear needs --yes if the standard input is not a terminal", cli.ErrUsage)
		}
		client := g.Client()
		if !f.Yes {
			if req, err = confirmClear(cmd.Context(), g, client, req, q); err != nil {
				return g.EmptyList(api.ClearHead{}, err)
			}
		}
		return clearSessions(cmd.Context(), g, client, req)
	}
	return cmd
}

// confirmClear prompts. It returns the request to send.
func confirmClear(ctx context.Context, g *cli.Global, client *apiclient.Client, req api.DisconnectRequest, q api.Query) (api.DisconnectRequest, error) {
	matched, _, err := g.Matching(ctx, client, q, req.All)
	if err != nil {
		return req, err
	}
	yes, err := g.Prompt(ctx, "Remove "+cli.Selected(matched, req.All)+" without asking the NAS?")
	if err == nil && !yes {
		err = cli.ErrNotCleared
	}
	return cli.AtMost(req, matched), err
}

// clearSessions sends the request, and prints the sessions that were removed.
func clearSessions(ctx context.Context, g *cli.Global, client *apiclient.Client, req api.DisconnectRequest) error {
	var cleared, total atomic.Int64
	done := g.Progress(ctx, func(context.Context) string {
		if total.Load() == 0 {
			return ""
		}
		return cli.OfTotal("removing", int(cleared.Load()), int(total.Load()), "session")
	})
	list, err := client.Clear(ctx, req, func(n, of int) {
		cleared.Store(int64(n))
		total.Store(int64(of))
	})
	done()
	if err != nil {
		return err
	}
	defer list.Close()
	if g.JSON {
		err = cli.PrintList(g.Out, api.ClearHead{Matched: list.Matched, Cleared: list.Cleared}, list.All(), func(api.Session) {})
	} else {
		err = printCleared(g, list)
	}
	if err == nil && list.Matched == 0 {
		err = cli.ErrNoMatch
	}
	return err
}

func printCleared(g *cli.Global, list *apiclient.List) error {
	for s, err := range list.All() {
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(g.Out, "%s  %s  removed\n", s.ID, human.Printable(cmp.Or(s.User, "-"))); err != nil {
			return err
		}
	}
	if list.Matched > 0 {
		fmt.Fprintln(g.Err, term.Count(list.Cleared, "session"))
	}
	return nil
}
