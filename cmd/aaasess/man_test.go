package main

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aaasess/cmd/aaasess/internal/cli"
	"aaasess/cmd/aaasess/internal/reporting"
	"aaasess/cmd/internal/manpage"
	"aaasess/internal/goldentest"
)

// manDate is when the meaning of the page last changed.
const manDate = "2026-11-30"

// manPage returns aaasess(1).
func manPage() string {
	root, _ := newRoot(cli.Environment{})
	page := manpage.New(manpage.Title{
		Name: "aaasess", Section: 1, Date: manDate, Manual: "aaasess manual",
		Summary: "show and end AAA sessions, and manage the delivery of their accounting records",
	})
	commands := manpage.Documented(root)
	page.Section("SYNOPSIS")
	var lines []manpage.Roff
	for _, c := range commands {
		if !manpage.IsGroup(c) {
			lines = append(lines, manpage.Synopsis(c))
		}
	}
	lines = append(lines, manpage.Bold("aaasess completion")+" "+manpage.Bold("bash")+"|"+manpage.Bold("fish")+"|"+manpage.Bold("powershell")+"|"+manpage.Bold("zsh"))
	page.Lines(lines...)

	description, below := manpage.Cut(root.Long, "Exit codes:")
	page.Section("DESCRIPTION")
	page.Text(description)
	page.Text(`Text from the network cannot change the terminal: unprintable characters are printed as \xHH or
\u{H}.`)
	page.Section("OPTIONS")
	page.Paragraph("Every command has these options.")
	page.Options(root.PersistentFlags())
	page.Term(manpage.Bold("-h")+", "+manpage.Bold("--help"), "Print the help of the command.")
	page.Term(manpage.Bold("--version"), "Print the version and the commit. Only without a command.")
	page.Subsection("Filters")
	page.Paragraph(manpage.Bold("show sessions") + ", " + manpage.Bold("show accounting") + ", " + manpage.Bold("disconnect") + " and " + manpage.Bold("clear session") +
		" select sessions with these options. A session must match all that are given. " + manpage.Bold("debug accounting") +
		" selects the events of such sessions; it has no " + manpage.Bold("--state") + ".")
	filters, isFilter := filterSet(root)
	page.Options(filters)
	page.Section("COMMANDS")
	page.Commands(commands, isFilter, "The options under Filters, above, select sessions or their events.")
	completionSection(page)
	page.Section("EXIT STATUS")
	page.Text(below["Exit codes:"])
	return manEnd(page)
}

// filterSet returns the flags of AddFilterFlags, and whether a flag is one of them.
func filterSet(root *cobra.Command) (filters *pflag.FlagSet, isFilter func(*pflag.Flag) bool) {
	cmd := &cobra.Command{Use: "any"}
	root.AddCommand(cmd)
	cli.AddFilterFlags(cmd, &cli.Global{})
	root.RemoveCommand(cmd)
	return cmd.Flags(), func(f *pflag.Flag) bool {
		same := cmd.Flags().Lookup(f.Name)
		return same != nil && same.Usage == f.Usage
	}
}

// completionSection describes the command that cobra adds.
func completionSection(page *manpage.Page) {
	page.Subsection("completion")
	page.Text(`Print a script that completes commands, options and their values in a shell: bash, fish, powershell
or zsh. The names of users, NASes and server groups, and the IDs of sessions, come from the daemon.
Nothing is suggested if it does not answer within a second. Those of "snmp" come from the hosts that are
in the command line already. For bash, the package bash-completion
must be installed.

Examples:`)
	page.Code(`source <(aaasess completion bash)
aaasess completion bash > /etc/bash_completion.d/aaasess
aaasess completion zsh > /usr/local/share/zsh/site-functions/_aaasess
aaasess completion fish > ~/.config/fish/completions/aaasess.fish`)
	page.Term(manpage.Bold("--no-descriptions"), "Suggest values without their descriptions.")
}

// manEnd adds the last sections.
func manEnd(page *manpage.Page) string {
	page.Section("ENVIRONMENT")
	page.Term(manpage.Bold("AAASESS_SOCKET"), "The control socket of the daemon, if --socket is not given.")
	page.Term(manpage.Bold("AAASESS_LOCAL_SOCKET"), "The local socket of the daemon, for the commands of session, if --socket is not given.")
	page.Section("FILES")
	page.Term(manpage.Italic(cli.SystemSocket), "The control socket of the system's daemon.")
	page.Term(manpage.Italic(reporting.ReportSocket), "The local socket of the system's daemon.")
	page.Term(manpage.Italic(cli.LocalSocket), "The control socket of a daemon that was started in this folder with its built-in configuration.")
	page.Section("SEE ALSO")
	page.Paragraph(manpage.Bold("aaasessd") + "(8), " + manpage.Bold("aaasess.yaml") + "(5), " + manpage.Bold("jq") + "(1)")
	return page.String()
}

const manFile = "../../docs/man/aaasess.1"

// TestManPage: the page follows the commands. "make man" writes it.
func TestManPage(t *testing.T) {
	goldentest.Check(t, manFile, manPage(), *update, "make man")
}

// TestManPageIsComplete: the page has every command and every flag.
func TestManPageIsComplete(t *testing.T) {
	root, _ := newRoot(cli.Environment{})
	for _, what := range manpage.Undescribed(manPage(), root) {
		t.Errorf("%s is not in %s", what, manFile)
	}
}
