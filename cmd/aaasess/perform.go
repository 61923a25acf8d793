package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"

	"github.com/spf13/cobra"
)

const acctOnHelp = `Have an Accounting-On sent to the server group GROUP, or without it to every group that
sends Accounting-On and -Off. A group that only monitors another one sends none.

It goes to the servers in the order of the access algorithm until one answers, again each
minute. The command does not wait for that; "aaasess show server-group GROUP acct-on-off"
tells how it went.

If a server has acknowledged an Accounting-On already, --force sends another one.
`

const acctOffHelp = `Have an Accounting-Off sent to the server group GROUP, or without it to every group that
sends Accounting-On and -Off. A group that only monitors another one sends none.

It goes to the servers in the order of the access algorithm until one answers, once. The
command does not wait for that; "aaasess show server-group GROUP acct-on-off" tells how it
went.

If a server has acknowledged an Accounting-Off already, --force sends another one.
`

const performExits = `
Each group that it goes to is printed with its state. The exit code is 1 if one of them
refuses (the others are done even so), and 4 if there is no server group GROUP, or none that
sends these.`

func newPerform(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use: "perform", Short: "Have an Accounting-On or Accounting-Off sent", Args: cobra.NoArgs, RunE: wantCommand,
	}
	cmd.AddCommand(
		newPerformAction(g, api.AcctOn, "Have an Accounting-On sent", acctOnHelp),
		newPerformAction(g, api.AcctOff, "Have an Accounting-Off sent", acctOffHelp))
	return cmd
}

func newPerformAction(g *global, action api.Action, short, long string) *cobra.Command {
	req := api.PerformRequest{Action: action}
	cmd := &cobra.Command{
		Use: string(action) + " [GROUP]", Short: short, Long: long + performExits, Args: optionalName(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return g.suggestGroups(cmd.Context(), func(group api.ServerGroup) bool { return group.AcctOnOff.Sends() }), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVar(&req.Force, "force", false, "also if a server has acknowledged one already")
	const cause = "acct-terminate-cause"
	if action == api.AcctOff {
		cmd.Flags().Uint32Var(&req.AcctTerminateCause, cause, 0, "the Acct-Terminate-Cause is `N` (RFC 2866 section 5.10; default the daemon's)")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed(cause) && req.AcctTerminateCause == 0 {
			return fmt.Errorf("%w: --%s 0 is no cause", errUsage, cause)
		}
		if len(args) > 0 {
			req.Group = args[0]
		}
		return g.perform(cmd.Context(), req)
	}
	return cmd
}

// performed is what --json prints of a group: how it is, or why it refuses.
type performed struct {
	Name      string         `json:"name"`
	AcctOnOff *api.AcctOnOff `json:"acctOnOff,omitempty"`
	Error     string         `json:"error,omitempty"`
}

// perform sends to the group of the request, or to all.
func (g *global) perform(ctx context.Context, req api.PerformRequest) error {
	client := g.client()
	names := []string{req.Group}
	if req.Group == "" {
		groups, err := client.ServerGroups(ctx)
		if err != nil {
			return err
		}
		names = nil
		for _, group := range groups {
			if group.AcctOnOff.Sends() {
				names = append(names, group.Name)
			}
		}
		if len(names) == 0 {
			return errNoOnOff
		}
	}
	var done []performed
	var failed []string
	for _, name := range names {
		one := req
		one.Group = name
		group, err := client.Perform(ctx, one)
		refused := (*apiclient.RefusedError)(nil)
		switch {
		case err == nil:
			done = append(done, performed{Name: name, AcctOnOff: &group.AcctOnOff})
		case req.Group != "":
			return err
		case !errors.As(err, &refused): // the daemon is gone: tell at least what was done
			return errors.Join(err, g.printPerformed(done))
		default:
			done = append(done, performed{Name: name, Error: err.Error()})
			failed = append(failed, err.Error())
		}
	}
	if err := g.printPerformed(done); err != nil {
		return err
	}
	if len(failed) > 0 {
		return errors.New(strings.Join(failed, "\n"))
	}
	return nil
}

func (g *global) printPerformed(done []performed) error {
	if g.json {
		return g.printJSON(struct {
			Groups []performed `json:"groups"`
		}{append([]performed{}, done...)})
	}
	for _, p := range done {
		if p.Error != "" { // goes to the standard error
			continue
		}
		if _, err := fmt.Fprintf(g.out, "%s  %s\n", printable(p.Name), printable(string(p.AcctOnOff.State))); err != nil {
			return err
		}
	}
	return nil
}
