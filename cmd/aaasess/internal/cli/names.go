package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"aaasess/cmd/aaasess/internal/term"
	"aaasess/cmd/internal/api"
	"aaasess/cmd/internal/human"
)

// OptionalName accepts at most maxArgs arguments. The first one, a name, must not be empty.
func OptionalName(maxArgs int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 0 && args[0] == "" {
			return fmt.Errorf("%w: the name is empty", ErrUsage)
		}
		if len(args) > maxArgs {
			return fmt.Errorf("want at most %s, got %d", term.Count(maxArgs, "argument"), len(args))
		}
		return nil
	}
}

// AnyGroup matches every group: see SuggestGroups.
func AnyGroup(api.ServerGroup) bool { return true }

// SuggestGroups returns names of server groups for shell completion, none if the daemon does not
// answer.
func (g *Global) SuggestGroups(ctx context.Context, match func(api.ServerGroup) bool) []string {
	groups, _ := g.SuggestClient().ServerGroups(ctx)
	groups = slices.DeleteFunc(groups, func(group api.ServerGroup) bool { return !match(group) })
	return Typeable(groups, func(group api.ServerGroup) string { return group.Name })
}

// Typeable returns the names that a user can type: those of printable characters only.
func Typeable[T any](items []T, name func(T) string) []string {
	var out []string
	for _, item := range items {
		if n := name(item); n == human.Printable(n) {
			out = append(out, n)
		}
	}
	return out
}
