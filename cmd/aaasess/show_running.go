package main

import (
	"fmt"
	"io"
	"strings"

	"aaasess/cmd/internal/api"

	"github.com/spf13/cobra"
)

const showRunningHelp = `Show the configuration in effect: the settings of the file as the daemon has loaded it, which is not
what is on the disk if the file has changed since, or if a reload was refused. With --all also the
defaults of all other keys. Then the servers that SNMP managers have created and destroyed.

The daemon replaces every secret by <secret> before it answers: secrets of NASes and servers,
communities, passwords and keys. Where the file names another file or a credential that has the
secret, that name is shown. Comments of the file are left out, because they could have a secret.

The output is YAML in the order of the documentation, aaasess.yaml(5).`

func newShowRunningConfig(g *global) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use:   "running-config",
		Short: "Show the configuration in effect, without secrets",
		Long:  showRunningHelp,
		Example: `  aaasess show running-config
  aaasess show running-config --all | grep -n hold-down`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			running, err := g.client().RunningConfig(cmd.Context())
			if err != nil {
				return err
			}
			if g.json {
				return g.printJSON(running)
			}
			return printRunning(g.out, running, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "show the defaults of the keys that the file does not have, too")
	return cmd
}

func printRunning(w io.Writer, running *api.RunningConfig, all bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, as it was loaded; secrets are not shown\n", printable(running.File))
	for _, l := range running.Lines {
		switch {
		case !l.Default:
			b.WriteString(printable(l.Text) + "\n")
		case all:
			b.WriteString(printable(l.Text) + "  # default\n")
		}
	}
	if !running.Managed.IsEmpty() {
		b.WriteString("# By SNMP managers (CISCO-AAA-SERVER-MIB):\n")
		for _, row := range managedRows(&running.Managed) {
			b.WriteString("#   " + printable(strings.TrimSpace(strings.Join(row, " "))) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
