package manpage

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Undescribed returns the commands below root, and their flags, that a page does not describe. A
// command has its own subsection. A flag is described there, or before the first command: in a
// section for several commands.
func Undescribed(page string, root *cobra.Command) (missing []string) {
	shared, _, _ := strings.Cut(page, "\n.SH \"COMMANDS\"")
	missing = undescribedFlags(shared, root)
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" && c.Name() != "completion" {
			missing = append(missing, undescribedCommand(page, shared, c)...)
		}
	}
	return missing
}

func undescribedCommand(page, shared string, c *cobra.Command) (missing []string) {
	for _, sub := range c.Commands() {
		missing = append(missing, undescribedCommand(page, shared, sub)...)
	}
	if IsGroup(c) {
		return missing
	}
	path := c.CommandPath()
	_, own, found := strings.Cut(page, "\n.SS \""+literal.Replace(strings.TrimPrefix(path, c.Root().Name()+" "))+"\"\n")
	if !found {
		return append(missing, path)
	}
	own, _, _ = strings.Cut(own, "\n.S")
	return append(missing, undescribedFlags(shared+own, c)...)
}

func undescribedFlags(text string, c *cobra.Command) (missing []string) {
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" && f.Name != "version" && !strings.Contains(text, ".TP\n"+string(optionTerm(f, ""))) {
			missing = append(missing, c.CommandPath()+" --"+f.Name)
		}
	})
	return missing
}
