// Command aaasessd is the AAA session agent. Without a configuration file it runs its built-in
// default configuration on loopback, and prints a few commands to try.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasessd/internal/config"
	"aaasess/cmd/aaasessd/internal/systemd"
	"aaasess/cmd/internal/version"
	"aaasess/mib/aaasess"
)

func main() {
	if err := root().Execute(); err != nil {
		if !errors.Is(err, errLogged) {
			fmt.Fprintln(os.Stderr, "aaasessd:", err)
		}
		os.Exit(1)
	}
}

func root() *cobra.Command {
	file, env := "", environment{}
	cmd := &cobra.Command{
		Use:   "aaasessd",
		Short: "AAA session agent: table of sessions, CISCO-AAA-SESSION-MIB, disconnect, accounting",
		Long: `Run the AAA session agent. It receives sessions from NASes by RADIUS accounting, serves them
to SNMP managers as CISCO-AAA-SESSION-MIB, ends them at the NAS on request, and delivers
their accounting records. It can also relay the Access-Requests of the NASes to RADIUS servers.

Without --config, it runs its built-in configuration on loopback. Its state is then
in the folder var/.

Signals:
  SIGTERM, SIGINT  end the daemon; a second one ends it at once
  SIGHUP           with --config: load the configuration file again, and open the accounting
                   file again, even if the configuration is refused. Without --config: end the
                   daemon

Exit codes:
  0  ended by a signal
  1  error`,
		Version: version.String(), Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			hup := make(chan os.Signal, 1)
			ends := []os.Signal{syscall.SIGTERM, syscall.SIGINT}
			if file != "" {
				signal.Notify(hup, syscall.SIGHUP)
			} else if !signal.Ignored(syscall.SIGHUP) { // nohup(1) ignores it
				ends = append(ends, syscall.SIGHUP)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), ends...)
			context.AfterFunc(ctx, stop) // so that a second signal ends the process at once
			env.notifier, env.ignored = systemd.New(os.Getenv)
			err := tuned(func() error { return run(ctx, file, hup, cmd.OutOrStdout(), cmd.ErrOrStderr(), env) })
			return logFailure(cmd.ErrOrStderr(), file, err)
		},
	}
	cmd.SetContext(context.Background())
	cmd.Flags().StringVarP(&file, "config", "c", "", "read the configuration from `FILE`")
	cmd.Flags().BoolVar(&env.acceptLoss, "accept-loss", false,
		"start although parts of the store are damaged, and give them up for good; the log names them")
	cmd.SetVersionTemplate("aaasessd {{.Version}}\n")
	cmd.AddCommand(&cobra.Command{
		Use: "version", Short: "Print the version and the commit", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "aaasessd", version.String())
			return err
		},
	}, &cobra.Command{
		Use: "check FILE", Short: "Check a configuration file and whether the daemon could start with it",
		Long: `Print every error of a configuration file with its line and column. If there is none, print
what would end the start of a daemon of this user: folders that are missing and cannot be made,
or cannot be written to, and ports that need the capability CAP_NET_BIND_SERVICE.
Secrets that say "change me" cause a warning.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return check(args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}, &cobra.Command{
		Use: "default", Short: "Print the built-in configuration, to start a file from",
		Long: `Print the configuration that the daemon runs without --config. To change it, or to switch a part
of it off, such as the HTTP listener, write it to a file:

  aaasessd default >aaasess.yaml
  aaasessd --config aaasess.yaml

File names in it are relative to the folder of the file.`, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(config.DefaultText())
			return err
		},
	}, &cobra.Command{
		Use: "mib FILE", Short: "Print AAASESS-MIB with the enterprise number of a configuration file",
		Long: `Print AAASESS-MIB, the MIB module about aaasess itself, for the tools of SNMP managers. It is
below the enterprise number of a configuration file (snmp.enterprise-number).`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.Load(args[0])
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), aaasess.Text(cfg.SNMP.EnterpriseNumber))
			return err
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
