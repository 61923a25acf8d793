package records

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/human"
)

const spoolRerouteHelp = `Reroute a queue whose method is no longer configured: deliver its records by the method list
LIST.

QUEUE is a queue of "aaasess show spool": "group/" and the name of a server group that is no
longer configured, or local. LIST is an accounting type and the name of a method list, such
as network/default.

The records in the queue, and all that live sessions add later, go to the methods of LIST.
The configuration of LIST at the time of sending counts. If a method of a record's own list
is still configured, it comes first. If LIST is a broadcast, each record goes to the first
of its methods that answers, not to all. The records stay in the queue, so the records of
one session stay in order. Set-aside records are not rerouted.

This lasts, also across restarts, until the method of the queue is configured again. To
change the list, run the command again with another one. On a terminal, the command asks for
confirmation. Without a terminal, it needs --yes.

The exit code is 4 if there is no queue QUEUE or no list LIST, or if the list has the record
type none. It is 1, and nothing changes, if the method of the queue is configured.`

func newSpoolReroute(g *cli.Global) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "reroute QUEUE LIST", Short: "Deliver the records of a queue by another method list", Long: spoolRerouteHelp,
		Example:           `  aaasess spool reroute group/old network/default`,
		Args:              cli.Arguments("QUEUE", "LIST"),
		ValidArgsFunction: completeReroute(g),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" || args[1] == "" {
				return fmt.Errorf("%w: the name is empty", cli.ErrUsage)
			}
			if !yes && !g.Terminal {
				return fmt.Errorf("%w: reroute needs --yes if the standard input is not a terminal", cli.ErrUsage)
			}
			client, req := g.Client(), api.RerouteRequest{Queue: args[0], List: args[1]}
			if !yes {
				if err := confirmReroute(cmd.Context(), g, client, req); err != nil {
					return err
				}
			}
			return reroute(cmd.Context(), g, client, req)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	return cmd
}

// confirmReroute prompts, unless the daemon will reject the request.
func confirmReroute(ctx context.Context, g *cli.Global, client *apiclient.Client, req api.RerouteRequest) error {
	status, err := client.Spool(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(status.Queues, func(q api.Queue) bool { return q.Queue == req.Queue && !q.Configured })
	if i < 0 {
		return nil
	}
	yes, err := g.Prompt(ctx, fmt.Sprintf("Deliver the records of %s, %d now, by the list %s?",
		human.Printable(req.Queue), status.Queues[i].Records, human.Printable(req.List)))
	if err == nil && !yes {
		err = cli.ErrNotRerouted
	}
	return err
}

func reroute(ctx context.Context, g *cli.Global, client *apiclient.Client, req api.RerouteRequest) error {
	n, err := client.Reroute(ctx, req)
	if err != nil {
		return err
	}
	if g.JSON {
		return g.PrintJSON(api.RecordsAnswer{Records: n})
	}
	_, err = fmt.Fprintf(g.Err, "rerouted %s to %s (%s)\n", human.Printable(req.Queue), human.Printable(req.List), term.Count(n, "record"))
	return err
}

// completeReroute suggests the queues whose method is not configured, and then the default lists.
func completeReroute(g *cli.Global) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		switch len(args) {
		case 0:
			status, err := g.SuggestClient().Spool(cmd.Context())
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			queues := slices.DeleteFunc(status.Queues, func(q api.Queue) bool { return q.Configured })
			return cli.Typeable(queues, func(q api.Queue) string { return q.Queue }), cobra.ShellCompDirectiveNoFileComp
		case 1:
			return []string{"network/default", "exec/default", "connection/default"}, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}
