package main

import (
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/internal/nas"
)

const simulateHelp = `Plays a NAS, for a first look at a daemon and for trials: reports sessions by
RADIUS accounting, lets their counters grow, takes Disconnect-Requests (RFC 5176)
and sends the stop of the session that was named. It ends when all sessions have
ended; ^C ends them.

The defaults are those of a daemon that runs its embedded default.`

func newSimulate(g *global) *cobra.Command {
	cfg := nas.Config{Out: g.out}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Play a NAS that reports sessions",
		Long:  simulateHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			*g.began = true
			n, err := nas.New(cfg)
			if err != nil {
				return err
			}
			return n.Run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&cfg.Server, "server", "127.0.0.1:1813", "accounting server, host:port")
	flags.StringVar((*string)(&cfg.Secret), "secret", "testing123", "shared secret")
	flags.StringVar(&cfg.Disconnect, "listen", "127.0.0.1:3799", "where Disconnect-Requests are taken, host:port")
	flags.IntVar(&cfg.Sessions, "sessions", 3, "how many sessions, 1 to 10000")
	flags.DurationVar(&cfg.Interim, "interim", 10*time.Second, "between interim updates of a session")
	return cmd
}
