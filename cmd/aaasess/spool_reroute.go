package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"

	"github.com/spf13/cobra"
)

const spoolRerouteHelp = `Have the records of a queue whose method is not configured any more go by a method list.

QUEUE is as "aaasess show spool" has it: "group/" and the name of a server group that is not in
the configuration any more, or local. LIST is an accounting type and the name of a method list,
such as network/default.

The records that wait in the queue, and all that sessions send there later, go to the methods
of the list, as it is when they are sent. The methods of their own list come first if any of them
is still there. The records stay in the queue, so those of one session stay in order. Those that
were set aside stay where they are.

This holds, also after a restart, until the method of the queue is configured again. Given again
with another list, the command takes the place of the former one. On a terminal it asks before;
without one it wants --yes.

The exit code is 4 if there is no such queue or no such list, or the list has the record type
none. It is 1, and nothing is changed, if the method of the queue is configured (it delivers the
records itself).`

func newSpoolReroute(g *global) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "reroute QUEUE LIST", Short: "Deliver a queue without a method by a method list", Long: spoolRerouteHelp,
		Example:           `  aaasess spool reroute group/old network/default`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: g.completeReroute,
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" || args[1] == "" {
				return fmt.Errorf("%w: the name is empty", errUsage)
			}
			if !yes && !g.terminal {
				return fmt.Errorf("%w: reroute wants --yes where nobody can be asked", errUsage)
			}
			client, req := g.client(), api.RerouteRequest{Queue: args[0], List: args[1]}
			if !yes {
				if err := g.confirmReroute(cmd.Context(), client, req); err != nil {
					return err
				}
			}
			return g.reroute(cmd.Context(), client, req)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// confirmReroute asks, unless the daemon will refuse anyway.
func (g *global) confirmReroute(ctx context.Context, client *apiclient.Client, req api.RerouteRequest) error {
	status, err := client.Spool(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(status.Queues, func(q api.Queue) bool { return q.Queue == req.Queue && !q.Configured })
	if i < 0 {
		return nil
	}
	yes, err := g.ask(ctx, fmt.Sprintf("Deliver the records of %s, %d now, by %s?",
		printable(req.Queue), status.Queues[i].Records, printable(req.List)))
	if err == nil && !yes {
		err = errUnchanged
	}
	return err
}

func (g *global) reroute(ctx context.Context, client *apiclient.Client, req api.RerouteRequest) error {
	n, err := client.Reroute(ctx, req)
	if err != nil {
		return err
	}
	if g.json {
		return g.printJSON(api.RecordsAnswer{Records: n})
	}
	verb := "go"
	if n == 1 {
		verb = "goes"
	}
	_, err = fmt.Fprintf(g.err, "%s of %s %s by %s now\n", count(n, "record"), printable(req.Queue), verb, printable(req.List))
	return err
}

// completeReroute suggests queues whose method is not configured, and then the lists that there may be.
func (g *global) completeReroute(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		status, err := apiclient.New(g.socketPath(), time.Second).Spool(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		queues := slices.DeleteFunc(status.Queues, func(q api.Queue) bool { return q.Configured })
		return typeable(queues, func(q api.Queue) string { return q.Queue }), cobra.ShellCompDirectiveNoFileComp
	case 1:
		return []string{"network/default", "exec/default", "connection/default"}, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}
