package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"

	"github.com/spf13/cobra"
)

const disconnectHelp = `End sessions: those with the given IDs, those that pass all the filters, or --all.

An ID is the Acct-Session-Id that "show sessions" has: exactly eight hex digits, or 0x
and up to eight. Fewer digits alone are refused, as they could be meant as a decimal
number; that is --number, the casnSessionId. With IDs all are ended, or none if one of
them is not live.

The daemon asks the NAS to end each session, again and again with pauses until it is gone;
nothing takes that back. Without --wait the command ends when it is sure that this will
happen, also if the daemon is killed now. With --wait it tells of each session how it went,
and fails (exit code 1) if one is still there at the end.

On a terminal it asks before it ends more than one session by filter. Without one, --all
wants --yes.`

// disconnectFlags are the flags of the command of that name.
type disconnectFlags struct {
	filter *filterFlags
	all    bool
	yes    bool
	wait   time.Duration
}

func newDisconnect(g *global) *cobra.Command {
	var f disconnectFlags
	cmd := &cobra.Command{
		Use:   "disconnect [ID...]",
		Short: "End sessions",
		Long:  disconnectHelp,
		Example: `  aaasess disconnect 0000000D
  aaasess disconnect --number 13 --wait 30s
  aaasess disconnect --nas nas-1 --user alice@example.net
  aaasess disconnect --all --yes --json`,
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			ids := g.suggest(cmd.Context(), func(s api.Session) string { return s.ID })
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
	}
	f.filter = addFilterFlags(cmd, g)
	cmd.Flags().BoolVar(&f.all, "all", false, "every session")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	cmd.Flags().DurationVar(&f.wait, "wait", 0, "wait for `DURATION` (at most 1h) for the sessions to be gone")
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		req, q, err := f.request(cmd, ids)
		if err != nil {
			return err
		}
		if !g.terminal && f.all && !f.yes {
			return fmt.Errorf("%w: --all wants --yes where nobody can be asked", errUsage)
		}
		client := g.client()
		if len(req.IDs) == 0 && g.terminal && !f.yes {
			if err := g.confirm(cmd.Context(), client, q, f.all); err != nil {
				return err
			}
		}
		return g.disconnect(cmd.Context(), client, req)
	}
	return cmd
}

// request reads the flags: what to ask for, and as a query which sessions that is now.
func (f *disconnectFlags) request(cmd *cobra.Command, ids []string) (api.DisconnectRequest, api.Query, error) {
	none := api.DisconnectRequest{}
	q, err := f.filter.query(cmd, ids)
	if err != nil {
		return none, q, err
	}
	if f.wait < 0 || f.wait > time.Hour {
		return none, q, fmt.Errorf("%w: --wait %v is not within 0 and 1h", errUsage, f.wait)
	}
	if f.all {
		if !q.IsZero() {
			return none, q, fmt.Errorf("%w: --all goes with no id and no filter", errUsage)
		}
		return api.DisconnectRequest{All: true, Wait: f.wait.Seconds()}, q, nil
	}
	if q.IsZero() {
		return none, q, fmt.Errorf("%w: say which sessions: IDs, a filter, or --all", errUsage)
	}
	req, err := api.NewDisconnectRequest(q.Filter, f.wait)
	if err != nil {
		return none, q, fmt.Errorf("%w: %w", errUsage, err)
	}
	return req, q, nil
}

// confirm asks whether to go on, if more than one session would be ended.
func (g *global) confirm(ctx context.Context, client *apiclient.Client, q api.Query, all bool) error {
	q.Limit = 1
	list, err := client.Sessions(ctx, q)
	if err != nil {
		return err
	}
	defer list.Close()
	switch {
	case list.Matched == 0 && !all:
		return fmt.Errorf("%w (%s live)", errNoMatch, count(list.Total, "session"))
	case list.Matched < 2 && !all:
		return nil
	}
	what := count(list.Matched, "session")
	if all {
		what = "ALL sessions, " + fmt.Sprint(list.Matched) + " now"
	}
	yes, err := g.ask(ctx, "Disconnect "+what+"?")
	if err == nil && !yes {
		err = errRefused
	}
	return err
}

// ask asks the person at the terminal.
func (g *global) ask(ctx context.Context, question string) (yes bool, err error) {
	fmt.Fprint(g.err, question+" [y/N] ")
	answer := make(chan string, 1)
	go func() { // ends with the process at the latest: a read of a terminal cannot be called off
		line, _ := bufio.NewReader(g.in).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case line := <-answer:
		return line == "y" || line == "yes", nil
	}
}

func (g *global) disconnect(ctx context.Context, client *apiclient.Client, req api.DisconnectRequest) error {
	list, err := client.Disconnect(ctx, req)
	if err != nil {
		return err
	}
	defer list.Close()
	gone := 0
	look := func(s api.Session) {
		if s.State == "ended" {
			gone++
		}
	}
	if g.json {
		head := api.DisconnectHead{Matched: list.Matched, Marked: list.Marked}
		err = g.printList(head, list, look)
	} else {
		err = g.printEnded(list, look)
	}
	switch {
	case err != nil:
		return err
	case list.Matched == 0:
		return errNoMatch
	case req.Wait > 0 && gone < list.Matched:
		return fmt.Errorf("%w: %d of %d are left", errRemain, list.Matched-gone, list.Matched)
	}
	return nil
}

// printEnded prints a line for each session, when it arrives.
func (g *global) printEnded(list *apiclient.List, look func(api.Session)) error {
	for s, err := range list.All() {
		if err != nil {
			return err
		}
		look(s)
		user := printable(s.User)
		if user == "" {
			user = "-"
		}
		if _, err := fmt.Fprintf(g.out, "%s  %s  %s\n", s.ID, user, printable(endText(s, time.Now()))); err != nil {
			return err
		}
	}
	if list.Matched > 0 {
		out := count(list.Matched, "session")
		if before := list.Matched - list.Marked; before > 0 {
			out += fmt.Sprintf(", %d being disconnected before", before)
		}
		fmt.Fprintln(g.err, out)
	}
	return nil
}

// endText says how far the ending of a session has come.
func endText(s api.Session, now time.Time) string {
	t := s.Termination
	if t == nil {
		t = &api.Termination{}
	}
	var out string
	switch {
	case s.State == "ended":
		out = "ended"
	case s.State == "active":
		out = "taken back" // an SNMP SET that had marked it failed elsewhere
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
		out += ", next step in " + span(t.Next.Sub(now))
	}
	return out
}
