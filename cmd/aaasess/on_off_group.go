package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"aaasess/cmd/internal/api"

	"github.com/spf13/cobra"
)

const onOffGroupHelp = `Show the acct-on-off-groups, or only the group NAME.

The controlling server group of each sends Accounting-On and -Off. The monitoring server
groups send neither; they are blocked until the Accounting-On of the controlling group is
answered.

The exit code is 4 if there is no acct-on-off-group NAME.`

// onOffWidth is the width of the labels in S3's third layout.
const onOffWidth = 37

func newShowOnOffGroup(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "acct-on-off-group [NAME]",
		Short: "Show which server groups wait for the Accounting-On of another group",
		Long:  onOffGroupHelp,
		Args:  optionalName(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			groups, _ := g.suggestClient().OnOffGroups(cmd.Context())
			return typeable(groups, func(group api.OnOffGroup) string { return group.Name }), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return g.showOnOffGroups(cmd.Context(), args) },
	}
}

// onOffGroups is what --json prints of all groups.
type onOffGroups struct {
	Groups []api.OnOffGroup `json:"groups"`
}

func (g *global) showOnOffGroups(ctx context.Context, names []string) error {
	groups, err := g.client().OnOffGroups(ctx)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		groups = slices.DeleteFunc(groups, func(group api.OnOffGroup) bool { return group.Name != names[0] })
		if len(groups) == 0 {
			return fmt.Errorf("%w: %q", errNoOnOffGroup, names[0])
		}
	}
	switch {
	case g.json && len(names) > 0:
		return g.printJSON(groups[0])
	case g.json:
		return g.printJSON(onOffGroups{append([]api.OnOffGroup{}, groups...)})
	}
	return printOnOffGroups(g.out, groups)
}

// printOnOffGroups prints the third layout of S3.
func printOnOffGroups(w io.Writer, groups []api.OnOffGroup) error {
	var s screen
	s.title("Acct-On-Off-Group Information")
	for _, group := range groups {
		s.fieldAt(onOffWidth, "acct on off group name", group.Name)
		if group.Description != "" {
			s.fieldAt(onOffWidth, "  - description", group.Description)
		}
		s.fieldAt(onOffWidth, "  - controlling RADIUS server group", "")
		s.WriteString(joinLines(group.Controlling))
		s.fieldAt(onOffWidth, "  - monitored by RADIUS server group", "")
		s.WriteString(joinLines(group.Monitoring))
		s.line("")
	}
	s.section(fmt.Sprintf("Nbr of Acct-on-off-groups displayed : %d", len(groups)))
	s.rule("=")
	_, err := io.WriteString(w, s.String())
	return err
}

// joinLines formats names for S3's third layout: each on a line of its own, below its field.
func joinLines(names []string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString("        " + printable(name) + "\n")
	}
	return b.String()
}
