package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aaasess/cmd/aaasess/internal/term"
)

// SubcommandArgs rejects the arguments of a command that only groups others, and suggests what the
// user may have meant.
func SubcommandArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	meant := cmd.SuggestionsFor(args[0])
	if cmd.SuggestionsMinimumDistance <= 0 { // of which cobra sets the default only for a root
		cmd.SuggestionsMinimumDistance = 2
		meant = cmd.SuggestionsFor(args[0])
	}
	return fmt.Errorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), didYouMean(meant))
}

// Arguments accepts exactly the arguments with these names.
func Arguments(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return fmt.Errorf("want %s, got %s", strings.Join(names, " and "), term.Count(len(args), "argument"))
		}
		return nil
	}
}

// didYouMean returns the end of an error message, "" without suggestions.
func didYouMean(meant []string) string {
	if len(meant) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(meant, " or ") + "?"
}

// wants says what the values of the flags of a type are.
var wants = map[string]string{
	"duration": "a duration such as 10s or 5m", "uint": "a number", "uintSlice": "a number", "int": "a number",
	"uint32": "a number", "uint64": "a number", "bool": "true or false",
}

// ExplainFlagError says in plain words what is wrong with a flag.
func ExplainFlagError(cmd *cobra.Command, err error) error {
	if invalid := (*pflag.InvalidValueError)(nil); errors.As(err, &invalid) {
		if want := wants[invalid.GetFlag().Value.Type()]; want != "" {
			return fmt.Errorf("--%s %q: want %s", invalid.GetFlag().Name, invalid.GetValue(), want)
		}
	}
	if unknown := (*pflag.NotExistError)(nil); errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1 {
		return fmt.Errorf("%w%s", err, didYouMean(similarFlags(cmd, unknown.GetSpecifiedName())))
	}
	return err
}

// similarFlags returns the flags of a command that differ little from a name.
func similarFlags(cmd *cobra.Command, name string) (similar []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && (distance(name, f.Name) <= 2 || strings.HasPrefix(f.Name, name)) {
			similar = append(similar, "--"+f.Name)
		}
	})
	return similar
}

// distance returns the Levenshtein distance of two names: how many characters must be added,
// removed or replaced.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
