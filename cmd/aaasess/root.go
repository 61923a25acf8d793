package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/agents"
	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/follow"
	"aaasess/cmd/aaasess/internal/groups"
	"aaasess/cmd/aaasess/internal/live"
	"aaasess/cmd/aaasess/internal/records"
	"aaasess/cmd/aaasess/internal/reporting"
	"aaasess/cmd/aaasess/internal/show"
	"aaasess/cmd/aaasess/internal/top"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/version"
)

const rootHelp = `Show and end the sessions of a running aaasessd, and show its logins and the delivery of
accounting records.

aaasess finds the daemon by its control socket. It uses the first of these:
  --socket PATH
  $AAASESS_SOCKET
  var/aaasess.sock, if it exists
  /run/aaasess/aaasess.sock
Only root and the members of the socket's group may use the socket.

Exit codes:
  0  done
  1  failed: an error, a request that the daemon rejects, or sessions that did not end
     within --wait
  2  usage error: wrong flags or arguments
  3  no daemon answers at the control socket
  4  no match: no session has this ID or matches the filters, no server group,
     acct-on-off-group, queue, method list, record or target of notifications has this name
     or number, or the daemon does not relay logins
  5  permission denied: the caller may not use the control socket
  6  "show spool" only: part of the store could not be read and is lost
  7  "session" only: the daemon cannot store the report now, or does not answer in time

Lists go to the standard output, summaries and errors to the standard error.
With --json the standard output is one JSON document; of "debug", one on each line.`

// newRoot returns the command tree. started becomes true when a command itself runs: errors before
// that are usage errors.
func newRoot(env cli.Environment) (root *cobra.Command, started *bool) {
	g := &cli.Global{Environment: env, Started: new(bool)}
	root = &cobra.Command{
		Use:           "aaasess",
		Short:         "Show and end AAA sessions, and show the delivery of their accounting records",
		Long:          rootHelp,
		Args:          cli.SubcommandArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          cli.RequireSubcommand,
	}
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	flags := root.PersistentFlags()
	flags.StringVar(&g.Socket, "socket", "", "control socket of the daemon is `PATH` (default: see \"aaasess --help\")")
	flags.DurationVar(&g.Timeout, "timeout", 10*time.Second,
		"wait at most `DURATION` for the answer of the daemon, and for each further part of it")
	flags.BoolVar(&g.JSON, "json", false, "print one JSON document")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if g.Timeout <= 0 {
			return fmt.Errorf("--timeout %v is not positive", g.Timeout)
		}
		return nil
	}
	showing := &cobra.Command{
		Use: "show", Short: "Show sessions, logins, accounting, status, clients, SNMP, server groups, statistics, the configuration or the spool",
		Args: cli.SubcommandArgs, RunE: cli.RequireSubcommand,
	}
	watchable := []*cobra.Command{
		live.NewShowSessions(g), records.NewShowAccounting(g), live.NewShowLogins(g), show.NewShowStatus(g), groups.NewShowServerGroup(g), groups.NewShowOnOffGroup(g),
		groups.NewShowStatistics(g, "radius", api.RADIUS), groups.NewShowStatistics(g, "tacacs", api.TACACS), records.NewShowSpool(g), show.NewShowClients(g), show.NewShowSNMP(g),
	}
	cli.AddWatch(g, watchable...)
	showing.AddCommand(append(watchable, live.NewShowSession(g), show.NewShowRunningConfig(g))...)
	root.Version = version.String()
	root.SetVersionTemplate("aaasess {{.Version}}\n")
	root.AddCommand(&cobra.Command{
		Use: "version", Short: "Print the version and the commit", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			*g.Started = true
			_, err := fmt.Fprintln(g.Out, "aaasess", version.String())
			return err
		},
	})
	root.SetFlagErrorFunc(cli.ExplainFlagError)
	cli.CompleteFiles(root, "socket")
	root.AddCommand(showing, top.New(g), live.NewDisconnect(g), live.NewClear(g), records.NewExplain(g), follow.New(g), groups.NewPerform(g), records.NewSpool(g), reporting.NewSession(g), reporting.NewSimulate(g), agents.New(g), show.NewTest(g))
	return root, g.Started
}
