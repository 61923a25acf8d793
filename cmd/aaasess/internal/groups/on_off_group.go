package groups

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

const onOffGroupHelp = `Show the acct-on-off-groups, or only the group NAME.

The controlling server group of each sends Accounting-On and -Off. The monitoring server
groups send neither; they are blocked until the Accounting-On of the controlling group is
answered.

The exit code is 4 if there is no acct-on-off-group NAME.`

// onOffWidth is the width of the labels in S3's third layout.
const onOffWidth = 37

// NewShowOnOffGroup returns the command "show acct-on-off-group".
func NewShowOnOffGroup(g *cli.Global) *cobra.Command {
	return &cobra.Command{
		Use:   "acct-on-off-group [NAME]",
		Short: "Show which server groups wait for the Accounting-On of another group",
		Long:  onOffGroupHelp,
		Args:  cli.OptionalName(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			groups, _ := g.SuggestClient().OnOffGroups(cmd.Context())
			return cli.Typeable(groups, func(group api.OnOffGroup) string { return group.Name }), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return showOnOffGroups(cmd.Context(), g, args) },
	}
}

// onOffGroups is what --json prints of all groups.
type onOffGroups struct {
	Groups []api.OnOffGroup `json:"groups"`
}

func showOnOffGroups(ctx context.Context, g *cli.Global, names []string) error {
	groups, err := g.Client().OnOffGroups(ctx)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		groups = slices.DeleteFunc(groups, func(group api.OnOffGroup) bool { return group.Name != names[0] })
		if len(groups) == 0 {
			return fmt.Errorf("%w: %q", cli.ErrNoOnOffGroup, names[0])
		}
	}
	switch {
	case g.JSON && len(names) > 0:
		return g.PrintJSON(groups[0])
	case g.JSON:
		return g.PrintJSON(onOffGroups{append([]api.OnOffGroup{}, groups...)})
	}
	return PrintOnOffGroups(g.Out, groups)
}

// PrintOnOffGroups prints the third layout of S3.
func PrintOnOffGroups(w io.Writer, groups []api.OnOffGroup) error {
	var s term.Screen
	s.Title("Acct-On-Off-Group Information")
	for _, group := range groups {
		s.FieldAt(onOffWidth, "acct on off group name", group.Name)
		if group.Description != "" {
			s.FieldAt(onOffWidth, "  - description", group.Description)
		}
		s.FieldAt(onOffWidth, "  - controlling RADIUS server group", "")
		s.WriteString(joinLines(group.Controlling))
		s.FieldAt(onOffWidth, "  - monitored by RADIUS server group", "")
		s.WriteString(joinLines(group.Monitoring))
		s.Line("")
	}
	s.Section(fmt.Sprintf("Nbr of Acct-on-off-groups displayed : %d", len(groups)))
	s.Rule("=")
	_, err := io.WriteString(w, s.String())
	return err
}

// joinLines formats names for S3's third layout: each on a line of its own, below its field.
func joinLines(names []string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString("        " + human.Printable(name) + "\n")
	}
	return b.String()
}
