package manpage

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Documented returns the commands below root that a page describes: those that run, and those that
// group others and have a help text of their own. Hidden commands, help and completion are left
// out.
func Documented(root *cobra.Command) (commands []*cobra.Command) {
	for _, c := range root.Commands() {
		if !c.IsAvailableCommand() || c.Name() == "completion" || c.Name() == "help" {
			continue
		}
		if !IsGroup(c) || c.Long != "" {
			commands = append(commands, c)
		}
		commands = append(commands, Documented(c)...)
	}
	return commands
}

// IsGroup reports whether a command only groups others: it has no flags of its own.
func IsGroup(c *cobra.Command) bool {
	own := false
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) { own = own || f.Name != "help" && f.Name != "version" })
	return c.HasSubCommands() && !own
}

// Synopsis returns how a command is typed: words as they are, names of arguments in capitals.
func Synopsis(c *cobra.Command) Roff {
	out := Bold(c.CommandPath())
	if c.HasAvailableLocalFlags() {
		out += " [" + Italic("option") + " ...]"
	}
	if IsGroup(c) {
		return out + " " + Italic("command")
	}
	_, args, _ := strings.Cut(c.Use, " ")
	if args == "" {
		return out
	}
	return out + " " + argument(args)
}

// placeholder matches the name of an argument.
var placeholder = regexp.MustCompile(`[A-Z]+`)

// argument marks up the arguments of a command or flag.
func argument(text string) (out Roff) {
	at := 0
	for _, m := range placeholder.FindAllStringIndex(text, -1) {
		out += word(text[at:m[0]]) + Italic(text[m[0]:m[1]])
		at = m[1]
	}
	return out + word(text[at:])
}

// word marks up what is between the names of arguments: words and flags are bold, brackets are not.
func word(text string) (out Roff) {
	at := 0
	for _, m := range regexp.MustCompile(`[a-z-]{2,}`).FindAllStringIndex(text, -1) {
		out += Plain(text[at:m[0]]) + Bold(text[m[0]:m[1]])
		at = m[1]
	}
	return out + Plain(text[at:])
}

// Commands describes each of the commands in a subsection, with its options and examples. It leaves
// out the options that apart, if not nil, selects. The page describes them elsewhere; the text says
// where.
func (p *Page) Commands(commands []*cobra.Command, apart func(*pflag.Flag) bool, elsewhere string) {
	for _, c := range commands {
		p.Subsection(strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" "))
		if !IsGroup(c) {
			p.Lines(Synopsis(c))
		}
		text := c.Long
		if text == "" {
			text = c.Short + "."
		}
		p.Text(text)
		own := pflag.NewFlagSet("", pflag.ContinueOnError)
		left := false
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if apart != nil && apart(f) {
				left = true
				return
			}
			own.AddFlag(f)
		})
		p.Options(own)
		if left {
			p.Text(elsewhere)
		}
		if c.Example != "" {
			p.Paragraph("Examples:")
			p.Code(strings.ReplaceAll("\n"+c.Example, "\n  ", "\n"))
		}
	}
}

// Options describes flags, in the order of their names.
func (p *Page) Options(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || f.Name == "version" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		p.line(".TP")
		p.line(string(optionTerm(f, value)))
		p.sentences(sentence(usage), value)
		if shown(f) {
			p.sentences("Default: "+f.DefValue+".", "")
		}
	})
}

func optionTerm(f *pflag.Flag, value string) Roff {
	term := Bold("--" + f.Name)
	if f.Shorthand != "" {
		term = Bold("-"+f.Shorthand) + ", " + term
	}
	if value != "" {
		term += " " + Italic(value)
	}
	return term
}

// sentence makes a sentence of the usage of a flag.
func sentence(usage string) string {
	return strings.ToUpper(usage[:1]) + strings.TrimSuffix(usage[1:], ".") + "."
}

// shown reports whether the default of a flag is printed: that of its type says nothing.
func shown(f *pflag.Flag) bool {
	return !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue)
}
