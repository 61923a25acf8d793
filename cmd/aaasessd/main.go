// Command aaasessd is the session agent. Without a configuration it runs its embedded default, all
// on loopback, and says what to type next.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasessd/internal/config"
)

func main() {
	if err := root().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "aaasessd:", err)
		os.Exit(1)
	}
}

// version is the module's, as the Go tool chain stamped it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

func root() *cobra.Command {
	file, around := "", outside{}
	cmd := &cobra.Command{
		Use:   "aaasessd",
		Short: "AAA session agent: sessions in, CISCO-AAA-SESSION-MIB out, disconnect, accounting",
		Long: `aaasessd takes sessions from NASes by RADIUS accounting, serves them as
CISCO-AAA-SESSION-MIB through an AgentX master, ends them on SET casnDisconnect,
and relays accounting.

Without --config it runs its embedded default on loopback, with its state under var/.
With --config SIGHUP loads the file again, and opens the accounting file again;
without, it ends the daemon, as a terminal that is closed should.
SIGTERM and SIGINT end it, a second one at once. It exits with 0 then, and with 1
after an error.`,
		Version: version(), Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			hup := make(chan os.Signal, 1)
			ends := []os.Signal{syscall.SIGTERM, syscall.SIGINT}
			if file != "" {
				signal.Notify(hup, syscall.SIGHUP)
			} else if !signal.Ignored(syscall.SIGHUP) { // as nohup(1) has it
				ends = append(ends, syscall.SIGHUP)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), ends...)
			context.AfterFunc(ctx, stop) // whatever the end takes, the next signal does not wait for it
			return tuned(func() error { return run(ctx, file, hup, cmd.OutOrStdout(), cmd.ErrOrStderr(), around) })
		},
	}
	cmd.SetContext(context.Background())
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file")
	cmd.Flags().BoolVar(&around.acceptLoss, "accept-loss", false,
		"start without what is damaged in the store, for ever; the log says what that is")
	cmd.AddCommand(&cobra.Command{
		Use: "check FILE", Short: "Check a configuration file: every error with its line and column",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.Load(args[0])
			if err != nil {
				return err
			}
			for _, skipped := range cfg.Dictionary.Skipped() {
				fmt.Fprintln(cmd.ErrOrStderr(), skipped)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is correct\n", args[0])
			return nil
		},
	}, &cobra.Command{
		Use: "schema", Short: "Print the JSON schema of the configuration, for editors", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(config.Schema())
			return err
		},
	})
	return cmd
}
