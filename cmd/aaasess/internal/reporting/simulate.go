package reporting

import (
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/internal/nas"
)

const simulateHelp = `Play a NAS, to try out a daemon. The command reports sessions by RADIUS accounting, and their
counters grow. It answers Disconnect-Requests (RFC 5176) and sends the stop of the session.
It ends when all sessions have ended. ^C ends the sessions.

"simulate command" and "simulate failure" report one event that RADIUS accounting cannot report.

The default flags fit a daemon that runs its built-in configuration.`

// NewSimulate returns the command "simulate".
func NewSimulate(g *cli.Global) *cobra.Command {
	cfg := nas.Config{Out: g.Out}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Play a NAS that reports sessions",
		Long:  simulateHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			*g.Started = true
			n, err := nas.New(cfg)
			if err != nil {
				return err
			}
			return n.Run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&cfg.Server, "server", "127.0.0.1:1813", "send accounting to the server `ADDRESS`, host:port")
	flags.StringVar((*string)(&cfg.Secret), "secret", "testing123", "shared `SECRET` with the daemon")
	flags.StringVar(&cfg.Disconnect, "listen", "127.0.0.1:3799", "receive Disconnect-Requests at `ADDRESS`, host:port")
	flags.IntVar(&cfg.Sessions, "sessions", 3, "report `N` sessions, 1 to 10000")
	flags.DurationVar(&cfg.Interim, "interim", 10*time.Second, "send an interim update of each session every `DURATION`")
	cmd.AddCommand(newSimulateCommand(g), newSimulateFailure(g))
	return cmd
}
