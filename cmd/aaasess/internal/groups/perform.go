package groups

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/human"
)

const acctOnHelp = `Send an Accounting-On to the server group GROUP. Without GROUP, send one to every group that
sends Accounting-On and -Off. A group that only monitors another group sends none.

The daemon sends the request to one server after the other, in the order of the access
algorithm, until one answers. If none does, it starts again a minute later. The command does
not wait for the answer: "aaasess show server-group GROUP acct-on-off" shows the result.

If a server has already acknowledged an Accounting-On, only --force sends another one.
`

const acctOffHelp = `Send an Accounting-Off to the server group GROUP. Without GROUP, send one to every group that
sends Accounting-On and -Off. A group that only monitors another group sends none.

The daemon sends the request to one server after the other, in the order of the access
algorithm, until one answers. It tries each server once. The command does not wait for the
answer: "aaasess show server-group GROUP acct-on-off" shows the result.

If a server has already acknowledged an Accounting-Off, only --force sends another one.
`

const performExits = `
The command prints each group and its state. The exit code is 1 if the daemon rejects the
request for one of the groups (the other groups still send), and 4 if there is no server
group GROUP, or no group that sends Accounting-On and -Off.`

// NewPerform returns the command "perform".
func NewPerform(g *cli.Global) *cobra.Command {
	cmd := &cobra.Command{
		Use: "perform", Short: "Send an Accounting-On or Accounting-Off, or tell servers of all sessions again", Args: cli.SubcommandArgs, RunE: cli.RequireSubcommand,
	}
	cmd.AddCommand(
		newPerformAction(g, api.AcctOn, "Send an Accounting-On", acctOnHelp),
		newPerformAction(g, api.AcctOff, "Send an Accounting-Off", acctOffHelp),
		newPerformResync(g))
	return cmd
}

func newPerformAction(g *cli.Global, action api.Action, short, long string) *cobra.Command {
	req := api.PerformRequest{Action: action}
	cmd := &cobra.Command{
		Use: string(action) + " [GROUP]", Short: short, Long: long + performExits, Args: cli.OptionalName(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return g.SuggestGroups(cmd.Context(), func(group api.ServerGroup) bool { return group.AcctOnOff.Sends() }), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVar(&req.Force, "force", false, "send it even if a server has already acknowledged one")
	const cause = "acct-terminate-cause"
	if action == api.AcctOff {
		cmd.Flags().Uint32Var(&req.AcctTerminateCause, cause, 0, "send the Acct-Terminate-Cause `N` (RFC 2866 section 5.10; default: the daemon chooses)")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed(cause) && req.AcctTerminateCause == 0 {
			return fmt.Errorf("%w: --%s 0: want at least 1", cli.ErrUsage, cause)
		}
		if len(args) > 0 {
			req.Group = args[0]
		}
		return perform(cmd.Context(), g, req)
	}
	return cmd
}

// Performed is what --json prints for a group: its state, or why the daemon rejected the request.
type Performed struct {
	Name      string         `json:"name"`
	AcctOnOff *api.AcctOnOff `json:"acctOnOff,omitempty"`
	Error     string         `json:"error,omitempty"`
}

// perform has the request sent to its group, or to every group that sends Accounting-On and -Off.
func perform(ctx context.Context, g *cli.Global, req api.PerformRequest) error {
	client := g.Client()
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
			return cli.ErrNoOnOff
		}
	}
	var done []Performed
	var failed []string
	for _, name := range names {
		one := req
		one.Group = name
		group, err := client.Perform(ctx, one)
		refused := (*apiclient.ResponseError)(nil)
		switch {
		case err == nil:
			done = append(done, Performed{Name: name, AcctOnOff: &group.AcctOnOff})
		case req.Group != "":
			return err
		case !errors.As(err, &refused): // no connection: print what was done until now
			return errors.Join(err, printPerformed(g, done))
		default:
			done = append(done, Performed{Name: name, Error: err.Error()})
			failed = append(failed, err.Error())
		}
	}
	if err := printPerformed(g, done); err != nil {
		return err
	}
	if len(failed) > 0 {
		return errors.New(strings.Join(failed, "\n"))
	}
	return nil
}

func printPerformed(g *cli.Global, done []Performed) error {
	if g.JSON {
		return g.PrintJSON(struct {
			Groups []Performed `json:"groups"`
		}{append([]Performed{}, done...)})
	}
	for _, p := range done {
		if p.Error != "" { // perform returns it, and run prints it on the standard error
			continue
		}
		if _, err := fmt.Fprintf(g.Out, "%s  %s\n", human.Printable(p.Name), human.Printable(string(p.AcctOnOff.State))); err != nil {
			return err
		}
	}
	return nil
}
