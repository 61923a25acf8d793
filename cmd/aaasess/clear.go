package main

import (
	"cmp"
	"context"
	"fmt"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"

	"github.com/spf13/cobra"
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

func newClear(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use: "clear", Short: "Remove sessions whose NAS is gone",
		Args: subcommandArgs, RunE: requireSubcommand,
	}
	cmd.AddCommand(newClearSession(g))
	return cmd
}

func newClearSession(g *global) *cobra.Command {
	var f selectionFlags
	cmd := &cobra.Command{
		Use:   "session [ID...]",
		Short: "Remove sessions whose NAS is gone, with a stop record from their last counters",
		Long:  clearSessionHelp,
		Example: `  aaasess clear session 0000000D
  aaasess clear session --nas nas-1 --state stuck`,
		ValidArgsFunction: g.suggestIDs(0),
	}
	f.add(cmd, g, "remove every session")
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		req, q, err := f.request(cmd, ids, 0)
		if err != nil {
			return err
		}
		if !g.terminal && !f.yes {
			return fmt.Errorf("%w: a clear needs --yes if the standard input is not a terminal", errUsage)
		}
		client := g.client()
		if !f.yes {
			if req, err = g.confirmClear(cmd.Context(), client, req, q); err != nil {
				return g.emptyList(api.ClearHead{}, err)
			}
		}
		return g.clearSessions(cmd.Context(), client, req)
	}
	return cmd
}

// confirmClear prompts. It returns the request to send.
func (g *global) confirmClear(ctx context.Context, client *apiclient.Client, req api.DisconnectRequest, q api.Query) (api.DisconnectRequest, error) {
	matched, _, err := g.matching(ctx, client, q, req.All)
	if err != nil {
		return req, err
	}
	yes, err := g.prompt(ctx, "Remove "+selected(matched, req.All)+" without asking the NAS?")
	if err == nil && !yes {
		err = errNotCleared
	}
	return atMost(req, matched), err
}

// clearSessions sends the request, and prints the sessions that were removed.
func (g *global) clearSessions(ctx context.Context, client *apiclient.Client, req api.DisconnectRequest) error {
	list, err := client.Clear(ctx, req)
	if err != nil {
		return err
	}
	defer list.Close()
	if g.json {
		err = printList(g.out, api.ClearHead{Matched: list.Matched, Cleared: list.Cleared}, list.All(), func(api.Session) {})
	} else {
		err = g.printCleared(list)
	}
	if err == nil && list.Matched == 0 {
		err = errNoMatch
	}
	return err
}

func (g *global) printCleared(list *apiclient.List) error {
	for s, err := range list.All() {
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(g.out, "%s  %s  removed\n", s.ID, printable(cmp.Or(s.User, "-"))); err != nil {
			return err
		}
	}
	if list.Matched > 0 {
		fmt.Fprintln(g.err, count(list.Cleared, "session"))
	}
	return nil
}
