package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/groups"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

const showRunningHelp = `Show the configuration in effect: the settings of the file as the daemon has loaded it, which is not
what is on the disk if the file has changed since, or if a reload was refused. With --all also the
defaults of all other keys. Then the servers that SNMP managers have created and destroyed.

The daemon replaces every secret by <secret> before it answers: secrets of NASes and servers,
communities, passwords and keys. Where the file names another file or a credential that has the
secret, that name is shown. Comments of the file are left out, because they could have a secret.

The output is YAML in the order of the documentation, aaasess.yaml(5).`

// NewShowRunningConfig returns the command "show running-config".
func NewShowRunningConfig(g *cli.Global) *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use:   "running-config",
		Short: "Show the configuration in effect, without secrets",
		Long:  showRunningHelp,
		Example: `  aaasess show running-config
  aaasess show running-config --all | grep -n hold-down`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			running, err := g.Client().RunningConfig(cmd.Context())
			if err != nil {
				return err
			}
			if g.JSON {
				return g.PrintJSON(running)
			}
			return PrintRunning(g.Out, running, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "show the defaults of the keys that the file does not have, too")
	return cmd
}

// PrintRunning prints the configuration in effect. all: also the settings that have their default.
func PrintRunning(w io.Writer, running *api.RunningConfig, all bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, as it was loaded; secrets are not shown\n", human.Printable(running.File))
	for _, l := range running.Lines {
		switch {
		case !l.Default:
			b.WriteString(human.Printable(l.Text) + "\n")
		case all:
			b.WriteString(human.Printable(l.Text) + "  # default\n")
		}
	}
	if !running.Managed.IsEmpty() {
		b.WriteString("# By SNMP managers (CISCO-AAA-SERVER-MIB):\n")
		for _, row := range groups.ManagedRows(&running.Managed) {
			b.WriteString("#   " + human.Printable(strings.TrimSpace(strings.Join(row, " "))) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
