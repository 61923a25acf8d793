package reporting

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

const simulateCommandHelp = `Report a command that a user typed in an EXEC session. The daemon records it by the list
accounting.commands of its privilege level. RADIUS has no such record, so the command goes over
the control socket.

Passwords and keys in it are masked, unless accounting.visible-keys is true.
` + simulateEventHelp

const simulateFailureHelp = `Report a login, or the negotiation of a session, that failed. With
--accepted, report a session that ended before its start, although a remote server had accepted
its user. The daemon makes a stop record of it, by the list of the session's kind, if
authentication-failure, or authentication-success-remote-server, of accounting.send-stop-record is
true.
` + simulateEventHelp

const simulateEventHelp = `
The command prints the session ID of the record, for "aaasess explain". The exit code is 4 if no
record is made; "aaasess debug accounting" shows the reason.`

func newSimulateCommand(g *cli.Global) *cobra.Command {
	req := api.SimulateRequest{Event: api.SimulateCommand}
	cmd := &cobra.Command{
		Use: "command COMMAND", Short: "Report a command that a user typed", Long: simulateCommandHelp,
		Example: `  aaasess simulate command --user alice --level 15 "configure terminal"`,
		Args:    cli.Arguments("COMMAND"),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Command = args[0]
			if req.Level < 0 || req.Level > api.MaxPrivilegeLevel {
				return fmt.Errorf("%w: --level %d: want 0 to %d", cli.ErrUsage, req.Level, api.MaxPrivilegeLevel)
			}
			return simulateEvent(cmd.Context(), g, &req)
		},
	}
	cmd.Flags().IntVar(&req.Level, "level", 1, fmt.Sprintf("the privilege level `N` of the command, 0 to %d", api.MaxPrivilegeLevel))
	addWhoFlags(cmd, &req)
	return cmd
}

func newSimulateFailure(g *cli.Global) *cobra.Command {
	req := api.SimulateRequest{Event: api.SimulateFailure}
	cmd := &cobra.Command{
		Use: "failure", Short: "Report a login or negotiation that failed", Long: simulateFailureHelp,
		Example: `  aaasess simulate failure --user mallory --kind network --line Async5`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return simulateEvent(cmd.Context(), g, &req) },
	}
	cmd.Flags().StringVar(&req.Kind, "kind", "exec", "the `KIND` that the session would have had: network, exec or connection")
	cli.Complete(cmd, "kind", api.Kinds()...)
	cmd.Flags().BoolVar(&req.Accepted, "accepted", false, "a remote server had accepted the user")
	addWhoFlags(cmd, &req)
	return cmd
}

// addWhoFlags adds the flags that say who and where.
func addWhoFlags(cmd *cobra.Command, req *api.SimulateRequest) {
	flags := cmd.Flags()
	flags.StringVar(&req.NAS, "nas", "127.0.0.1", "the `ADDRESS` of the NAS")
	flags.StringVar(&req.User, "user", "", "the User-Name `NAME`")
	flags.StringVar(&req.Line, "line", "", "the `LINE` of the NAS: NAS-Port-Id, or NAS-Port in decimal")
	flags.StringVar(&req.CallingStation, "calling-station", "", "the Calling-Station-Id `STATION`")
	flags.StringVar(&req.CalledStation, "called-station", "", "the Called-Station-Id `STATION`")
}

// simulateEvent reports an event, and prints the ID of its record.
func simulateEvent(ctx context.Context, g *cli.Global, req *api.SimulateRequest) error {
	answer, err := g.Client().Simulate(ctx, req)
	switch {
	case err != nil:
		return err
	case g.JSON:
		err = g.PrintJSON(answer)
	case answer.ID != "":
		_, err = fmt.Fprintln(g.Out, human.Printable(answer.ID))
	}
	if err == nil && answer.ID == "" {
		err = cli.ErrNotRecorded
	}
	return err
}
