package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/internal/control"
)

const spoolRerouteHelp = `Move the records of a queue that no method delivers any more to the queue of a method list.

QUEUE is as "aaasess show spool" has it: "group/" and the name of a server group that is not in
the configuration any more, or local. LIST is an accounting type and the name of a method list,
such as network/default. The records go, in their order, to the end of the queue of the list's
first method, and from there by the methods that the list has now. Records of one session stay
in order. Those that were set aside stay where they are.

The command waits as long as that takes; --timeout does not count. If it is interrupted, or the
daemon ends, what was moved stays moved and the rest waits as before: the same command goes on
with it. No record is lost. On a terminal it asks before; without one it wants --yes.

The exit code is 4 if there is no such queue or no such list, or the list has the record type
none. It is 1, and nothing is moved, if the method of the queue is configured (it delivers the
records itself) or is the first of the list.`

func newSpoolReroute(g *global) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "reroute QUEUE LIST", Short: "Move the records of a queue without a method", Long: spoolRerouteHelp,
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
			client, req := g.client(), control.RerouteRequest{Queue: args[0], List: args[1]}
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
func (g *global) confirmReroute(ctx context.Context, client *control.Client, req control.RerouteRequest) error {
	status, err := client.Spool(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(status.Queues, func(q control.Queue) bool { return q.Queue == req.Queue && !q.Configured })
	if i < 0 {
		return nil
	}
	yes, err := g.ask(ctx, fmt.Sprintf("Move the records of %s, %d now, to the queue of %s?",
		printable(req.Queue), status.Queues[i].Records, printable(req.List)))
	if err == nil && !yes {
		err = errNotMoved
	}
	return err
}

func (g *global) reroute(ctx context.Context, client *control.Client, req control.RerouteRequest) error {
	n, err := client.Reroute(ctx, req)
	if err != nil {
		return err
	}
	if g.json {
		return g.printJSON(control.RecordsAnswer{Records: n})
	}
	_, err = fmt.Fprintln(g.err, count(n, "record")+" moved")
	return err
}

// completeReroute suggests queues without a method, and then the lists that there may be.
func (g *global) completeReroute(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		status, err := control.NewClient(g.socketPath(), time.Second).Spool(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		queues := slices.DeleteFunc(status.Queues, func(q control.Queue) bool { return q.Configured })
		return typeable(queues, func(q control.Queue) string { return q.Queue }), cobra.ShellCompDirectiveNoFileComp
	case 1:
		return []string{"network/default", "exec/default", "connection/default"}, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}
