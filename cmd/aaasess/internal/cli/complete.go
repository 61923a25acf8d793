package cli

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/apiclient"
	"aaasess/cmd/internal/human"
)

// MaxSuggestions is the number of sessions whose values shells suggest.
const MaxSuggestions = 200

// SuggestClient returns a client for shell completion: it waits a second at most.
func (g *Global) SuggestClient() *apiclient.Client {
	return apiclient.New(g.SocketPath(), time.Second)
}

// Complete sets the values that shells suggest for a flag.
func Complete(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// CompleteFiles makes shells suggest the names of files for a flag. Other flags and arguments have
// no files.
func CompleteFiles(root *cobra.Command, flag string) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	_ = root.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault))
}

// CompleteField makes shells suggest the values that a field has in the live sessions.
func (g *Global) CompleteField(cmd *cobra.Command, flag string, field func(api.Session) string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return g.suggest(cmd.Context(), field, nil), cobra.ShellCompDirectiveNoFileComp
	})
}

// SuggestIDs suggests the IDs of sessions that are not yet among the arguments, with the user and
// the NAS as description. maxArgs is the number of arguments; 0 means any number.
func (g *Global) SuggestIDs(maxArgs int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if maxArgs > 0 && len(args) >= maxArgs {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ids := g.suggest(cmd.Context(), func(s api.Session) string {
			if slices.Contains(args, s.ID) {
				return ""
			}
			return s.ID
		}, func(s api.Session) string { return cmp.Or(s.User, "-") + " at " + cmp.Or(s.NAS, s.NASAddress) })
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}

// suggest returns the values of a field of the first sessions, each once, and with description, if
// not nil, their descriptions. It leaves out values with unprintable characters, because nobody can
// type them. It returns none if the daemon does not answer.
func (g *Global) suggest(ctx context.Context, field, description func(api.Session) string) []string {
	list, err := g.SuggestClient().Sessions(ctx, api.Query{Limit: MaxSuggestions})
	if err != nil {
		return nil
	}
	defer list.Close()
	var out []string
	for s, err := range list.All() {
		if err != nil {
			break
		}
		v := field(s)
		if v == "" || v != human.Printable(v) {
			continue
		}
		if description != nil {
			v = cobra.CompletionWithDesc(v, human.Printable(description(s)))
		}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
